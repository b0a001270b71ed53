//! Pure: finds sentence boundaries in six languages.
//!
//! Boundaries are those of UAX #29, except after an abbreviation, an initial or an ordinal, and within
//! brackets.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::words;

/// Abbreviations that precede a name or number; a sentence never ends with one.
const LEADING: &[&str] = &[
    // Titles and place names.
    "dr", "dra", "mr", "mrs", "ms", "prof", "st", "sr", "sra", "srta", "mme", "mlle", "mgr", "dott",
    "dott.ssa", "sig", "sig.ra", "sig.na", "ing", "avv", "arch", "exmo", "exma", "ilmo", "hr", "fr", "frl",
    "hl", "gen", "col", "lt", "capt", "av", "avda", "bd", "blvd", "pza", "p.za", "v.le",
    // Connectives.
    "e.g", "i.e", "vs", "cf", "viz", "approx", "z.b", "d.h", "u.a", "o.ä", "u.ä", "z.t", "i.d.r", "i.a",
    "v.a", "s.o", "s.u", "bzw", "ca", "vgl", "ggf", "evtl", "sog", "inkl", "exkl", "zzgl", "geb", "einschl",
    "bspw", "p.ej", "p.ex", "ex", "p.es", "ej", "env", "incl", "excl", "aprox", "apdo", "dpto", "tel", "tél",
];

/// Abbreviations before a number.
const NUMBERED: &[&str] = &[
    "no", "nos", "nr", "nrn", "n", "nº", "num", "núm", "art", "arts", "par", "fig", "figs", "vol", "vols",
    "p", "pp", "s", "pag", "pág", "págs", "pagg", "ch", "chap", "cap", "sec", "sect", "tab", "bd", "ziff",
    "min", "max", "ed", "v", "ver", "lit", "rz", "q", "mind", "abs", "kap", "abb", "jan", "feb", "mar",
    "apr", "jun", "jul", "aug", "sep", "sept", "oct", "okt", "nov", "dec", "dez",
];

/// Words before a German ordinal.
const BEFORE_ORDINAL: &[&str] = &[
    "am", "im", "der", "die", "das", "dem", "den", "des", "zum", "zur", "vom", "beim", "ab", "bis", "seit",
    "jeden", "jeder", "und", "vor", "nach", "ihr", "ihrem", "ihren", "sein", "seinem", "seinen", "mein",
    "meinem", "ein", "jedem",
];

/// Words after a German ordinal.
const AFTER_ORDINAL: &[&str] = &[
    "januar",
    "jänner",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
    "jahrhundert",
    "jahrhunderts",
    "weltkrieg",
    "weltkrieges",
    "weltkriegs",
    "klasse",
    "stock",
    "etage",
    "obergeschoss",
    "og",
    "lebensjahr",
    "lebensjahrs",
    "lebensmonat",
    "geburtstag",
    "quartal",
    "halbjahr",
    "auflage",
    "bundesliga",
    "generation",
    "tag",
    "monat",
    "woche",
    "jahr",
    "platz",
];

/// A bracket or quotation mark open for more bytes counts as never closed.
const MAX_OPEN: usize = 400;

/// Sentences within a range of a text, as trimmed byte ranges.
pub(super) fn sentences(text: &str, within: Range<usize>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let Some(part) = text.get(within.clone()) else { return found };
    let mut open: Option<Range<usize>> = None;
    for (at, piece) in part.split_sentence_bound_indices() {
        let piece = within.start + at..within.start + at + piece.len();
        let joined = match open.take() {
            Some(before) => before.start..piece.end,
            None => piece,
        };
        let rest = text.get(joined.end..within.end).unwrap_or_default();
        let candidate = text.get(joined.clone()).unwrap_or_default();
        if rest.is_empty() || ends(candidate, rest) {
            found.push(joined);
        } else {
            open = Some(joined);
        }
    }
    found.extend(open);
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    let trimmed = found.into_iter().map(|range| {
        let candidate = text.get(range.clone()).unwrap_or_default();
        let start = range.start + (candidate.len() - candidate.trim_start_matches(blank).len());
        start..(range.start + candidate.trim_end_matches(blank).len()).max(start)
    });
    trimmed.filter(|range| !range.is_empty()).collect()
}

/// Whether a sentence really ends at a UAX #29 boundary.
fn ends(candidate: &str, rest: &str) -> bool {
    let sentence = candidate.trim_end();
    let closed = sentence.trim_end_matches(['"', '\'', ')', ']', '»', '”', '“', '’', '*', '_']);
    let next = rest.trim_start();
    let first = next.trim_start_matches(['"', '\'', '(', '[', '«', '„', '“', '¿', '¡']).chars().next();
    let Some(mark) = closed.chars().next_back() else { return true };
    let is_tight = sentence.len() == candidate.len() && !rest.starts_with(char::is_whitespace);
    // Inside an address, version or name: "example.com/?Page", "v2.Beta".
    if is_tight && matches!(mark, '.' | '!' | '?') && next.starts_with(char::is_alphanumeric) {
        return false;
    }
    if is_open(sentence) && sentence.len() < MAX_OPEN {
        return false;
    }
    let is_lower = first.is_some_and(char::is_lowercase);
    match mark {
        '!' => !is_lower,
        '?' => !(is_lower && closed.len() < sentence.len()),
        '.' if closed.len() == sentence.len() => !abbreviates(closed, next),
        _ => true,
    }
}

/// Whether a bracket or directional quotation mark is open at the end of a text.
fn is_open(text: &str) -> bool {
    let pairs = [('(', ')'), ('[', ']'), ('«', '»')];
    let count = |mark: char| text.matches(mark).count();
    if pairs.iter().any(|(open, close)| count(*open) > count(*close)) {
        return true;
    }
    // `“` opens in English and closes in German.
    let (low, left, right) = (count('„'), count('“'), count('”'));
    if low > 0 { low > left + right } else { left > right && right > 0 || left == 1 && right == 0 }
}

/// Whether the final dot belongs to an abbreviation, an initial or an ordinal.
fn abbreviates(candidate: &str, next: &str) -> bool {
    let candidate = candidate.trim_end_matches('.');
    let mut tokens =
        candidate.rsplit(|c: char| c.is_whitespace() || "([\"'„“«/".contains(c)).filter(|t| !t.is_empty());
    let token = tokens.next().unwrap_or_default();
    let before = tokens.next().unwrap_or_default();
    let following: String = next.chars().take_while(|c| c.is_alphanumeric()).collect();
    let next_is_number = next.trim_start_matches(['#', '°', '-']).starts_with(|c: char| c.is_ascii_digit());
    if !token.is_empty() && token.chars().all(|c| c.is_ascii_digit()) {
        return is_ordinal(token, before, &following.to_lowercase());
    }
    let token = token.to_lowercase();
    // "z. B." and "p. ej." are also written with a space.
    let spaced = format!("{}.{token}", before.trim_end_matches('.').to_lowercase());
    if before.ends_with('.') && LEADING.contains(&spaced.as_str()) {
        return true;
    }
    if LEADING.contains(&token.as_str()) || (next_is_number && NUMBERED.contains(&token.as_str())) {
        return true;
    }
    if starts_spaced(&token, &following) {
        return true;
    }
    is_initial(candidate, before)
        && following.starts_with(char::is_uppercase)
        && !words::is_function_word(&following)
}

/// Whether this is the first half of an abbreviation written with a space: "z. B.", "d. h.", "u. a.", "p.
/// ej.".
fn starts_spaced(token: &str, following: &str) -> bool {
    let whole = format!("{token}.{}", following.to_lowercase());
    following.chars().count() <= 2 && LEADING.contains(&whole.as_str())
}

/// Whether a single capital letter belongs to a name: "J. K. Rowling", "U.S. Army", "M. Dupont".
fn is_initial(candidate: &str, before: &str) -> bool {
    let letters: Vec<char> = candidate.chars().rev().take(2).collect();
    let is_single = letters.first().is_some_and(|c| c.is_uppercase())
        && letters.get(1).is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '\'' | '’' | '-' | '&'));
    let is_dotted = letters.get(1) == Some(&'.');
    is_single && (is_dotted || !is_series(before))
}

/// Whether a word takes a letter as its label: "Plan B.", "Vitamin C.", "Halle A.".
fn is_series(word: &str) -> bool {
    let series = [
        "plan",
        "vitamin",
        "vitamina",
        "vitamine",
        "section",
        "sección",
        "section",
        "appendix",
        "anhang",
        "annex",
        "gate",
        "gleis",
        "halle",
        "hall",
        "zone",
        "zona",
        "group",
        "gruppe",
        "grupo",
        "groupe",
        "gruppo",
        "class",
        "klasse",
        "type",
        "typ",
        "tipo",
        "building",
        "gebäude",
        "block",
        "option",
        "opción",
        "opção",
        "opzione",
        "hepatitis",
        "form",
        "formular",
        "tarif",
    ];
    series.contains(&word.to_lowercase().as_str())
}

fn is_ordinal(digits: &str, before: &str, following: &str) -> bool {
    let noun = AFTER_ORDINAL.contains(&following);
    digits.len() <= 2
        && (noun
            || BEFORE_ORDINAL.contains(&before.to_lowercase().as_str())
                && !words::is_function_word(following))
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = sentences(text, 0..text.len()).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn abbreviations_do_not_end_sentences() {
        for text in [
            "St. Martin is near. ",
            "We asked Dr. Smith, Mr. Jones and Mrs. Hall.",
            "Prof. Lee teaches at 9 a.m. on Mondays.",
            "See No. 5 in the list.",
            "It is J. K. Rowling who wrote it.",
            "The U.S. Army paid.",
            "See e.g. Berlin or i.e. Bonn.",
            "Blue vs. Red is a game.",
            "Viele Tiere, z. B. Hunde, d. h. Rüden, u. a. Dackel, sind da.",
            "Das kostet ca. 10 Euro.",
            "Hunde bzw. Katzen sind erlaubt.",
            "Siehe z.B. Hamburg.",
            "Am 3. Mai und am 1. Januar ist zu.",
            "Im 19. Jahrhundert war es so.",
            "Die Nr. 5 Klingel ist kaputt.",
            "Animales, p. ej. Perros, pueden entrar.",
            "La Sra. García y el Sr. López atienden.",
            "Según el art. 5 del contrato.",
            "M. Dupont et Mme Curie sont là.",
            "Rendez-vous av. Foch.",
            "Il Dott. Rossi e il Sig. Bianchi rispondono.",
            "Vedi pag. 12 del manuale.",
            "O Exmo. Presidente falou.",
            "Fica na Av. Paulista, por ex. Perto do metrô.",
            "Version 2.5 costs 3.99 and is at example.com/a.b?C=1 now.",
            "Wait ... there is more.",
            "Tel. 089 1234 hilft.",
            "Sie wurde am 2. Geburtstag geimpft.",
            "Get it at https://example.com/?Page=2.Beta today.",
            "Yahoo! is a company.",
            "Äpfel, Birnen usw. gibt es hier.",
            "Pommes, poires, etc. sont là.",
            "(See page 3. It is short.)",
            "He said: “Go. Now.” to us.",
            "„Geh. Jetzt.“ sagte er.",
            "Ha detto «Vai. Ora.» a tutti.",
        ] {
            check(text, &[text.trim()]);
        }
    }

    #[test]
    fn sentences_end_where_a_new_one_begins() {
        check("We open at 9 a.m. On Sundays we rest.", &["We open at 9 a.m.", "On Sundays we rest."]);
        check("Take apples, pears, etc. The rest stays.", &["Take apples, pears, etc.", "The rest stays."]);
        check("Take plan B. It is cheap.", &["Take plan B.", "It is cheap."]);
        check("No. We do not.", &["No.", "We do not."]);
        check("Wir zahlen 12. Das reicht.", &["Wir zahlen 12.", "Das reicht."]);
        check("It began in 2024. Mary left.", &["It began in 2024.", "Mary left."]);
        check("Is it? Yes! Good.", &["Is it?", "Yes!", "Good."]);
        check("He left the U.S. The rest stayed.", &["He left the U.S.", "The rest stayed."]);
        check("¿Cuándo? Mañana. ¡Bien!", &["¿Cuándo?", "Mañana.", "¡Bien!"]);
        check("Ouvert ? Oui. Merci !", &["Ouvert ?", "Oui.", "Merci !"]);
        check("He said “Go.” Then he left.", &["He said “Go.”", "Then he left."]);
        check("Er sagte „Geh.“ Dann ging er.", &["Er sagte „Geh.“", "Dann ging er."]);
        check("\u{feff}One. \u{feff}Two.", &["One.", "Two."]);
    }
}
