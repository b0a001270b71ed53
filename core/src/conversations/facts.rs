//! Pure: numbers, amounts, times, dates, codes and addresses in a text, in one form for six languages.

use std::str::FromStr;

use super::wording::fold;
use crate::bots::Language;

/// Something in a text that must be exact.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A number, an amount or a percentage.
    Number(Number),
    /// A time of day.
    Time(u32, u32),
    /// A date in its possible readings: year, month, day.
    Date(Vec<(Option<u32>, u32, u32)>),
    /// A product or reference code, without hyphens.
    Code(String),
    /// An e-mail or web address.
    Address(String),
}

/// A number with what it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    value: f64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bare,
    Percent,
    Currency(&'static str),
    Span(Span),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Span {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
    /// How often.
    Times,
}

const CURRENCIES: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("eur", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("$", "USD"),
    ("usd", "USD"),
    ("dollar", "USD"),
    ("dollars", "USD"),
    ("dolares", "USD"),
    ("dollari", "USD"),
    ("£", "GBP"),
    ("gbp", "GBP"),
    ("pound", "GBP"),
    ("pounds", "GBP"),
    ("pfund", "GBP"),
    ("libras", "GBP"),
    ("chf", "CHF"),
    ("franken", "CHF"),
    ("francs", "CHF"),
    ("r$", "BRL"),
    ("brl", "BRL"),
    ("reais", "BRL"),
    ("real", "BRL"),
];

const SPANS: &[(&str, Span)] = &[
    ("second", Span::Seconds),
    ("sekunde", Span::Seconds),
    ("segundo", Span::Seconds),
    ("seconde", Span::Seconds),
    ("secondi", Span::Seconds),
    ("minut", Span::Minutes),
    ("hour", Span::Hours),
    ("stunde", Span::Hours),
    ("hora", Span::Hours),
    ("heure", Span::Hours),
    ("ora", Span::Hours),
    ("ore", Span::Hours),
    ("day", Span::Days),
    ("tag", Span::Days),
    ("dia", Span::Days),
    ("jour", Span::Days),
    ("giorn", Span::Days),
    ("werktag", Span::Days),
    ("week", Span::Weeks),
    ("woche", Span::Weeks),
    ("semana", Span::Weeks),
    ("semaine", Span::Weeks),
    ("settiman", Span::Weeks),
    ("month", Span::Months),
    ("monat", Span::Months),
    ("mes", Span::Months),
    ("mois", Span::Months),
    ("year", Span::Years),
    ("jahr", Span::Years),
    ("ano", Span::Years),
    ("annee", Span::Years),
    ("ans", Span::Years),
    ("anni", Span::Years),
    ("anno", Span::Years),
    ("time", Span::Times),
    ("mal", Span::Times),
    ("vez", Span::Times),
    ("vece", Span::Times),
    ("fois", Span::Times),
    ("volt", Span::Times),
];

const MONTHS: &str = "january 1 januar 1 enero 1 janvier 1 gennaio 1 janeiro 1 jan 1 february 2 februar 2 febrero 2 \
    fevrier 2 febbraio 2 fevereiro 2 feb 2 march 3 marz 3 marzo 3 mars 3 marco 3 april 4 abril 4 avril 4 \
    aprile 4 apr 4 may 5 mai 5 mayo 5 maggio 5 maio 5 june 6 juni 6 junio 6 juin 6 giugno 6 junho 6 july 7 \
    juli 7 julio 7 juillet 7 luglio 7 julho 7 august 8 agosto 8 aout 8 september 9 septiembre 9 \
    septembre 9 settembre 9 setembro 9 sept 9 october 10 oktober 10 octubre 10 octobre 10 ottobre 10 \
    outubro 10 oct 10 november 11 noviembre 11 novembre 11 novembro 11 nov 11 december 12 dezember 12 \
    diciembre 12 decembre 12 dicembre 12 dezembro 12 dec 12";

/// Numbers in words, by language; `1` is an article in most.
const NUMBER_WORDS: &[(Language, &str)] = &[
    (
        Language::English,
        "two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 fourteen 14 \
        fifteen 15 twenty 20 thirty 30 forty 40 fifty 50 sixty 60 ninety 90 one 1 twice 2 hundred 100",
    ),
    (
        Language::German,
        "zwei 2 drei 3 vier 4 funf 5 sechs 6 sieben 7 acht 8 neun 9 zehn 10 elf 11 zwolf 12 vierzehn 14 \
        funfzehn 15 zwanzig 20 dreissig 30 vierzig 40 funfzig 50 sechzig 60 neunzig 90 ein 1 eine 1 \
        einen 1 einem 1 einer 1 hundert 100 zweimal 2 dreimal 3",
    ),
    (
        Language::Spanish,
        "dos 2 tres 3 cuatro 4 cinco 5 seis 6 siete 7 ocho 8 nueve 9 diez 10 doce 12 catorce 14 quince 15 \
        veinte 20 treinta 30 cuarenta 40 cincuenta 50 sesenta 60 noventa 90 un 1 una 1 uno 1 cien 100",
    ),
    (
        Language::French,
        "deux 2 trois 3 quatre 4 cinq 5 six 6 sept 7 huit 8 dix 10 onze 11 douze 12 quatorze 14 quinze 15 \
        vingt 20 trente 30 quarante 40 cinquante 50 soixante 60 un 1 une 1 cent 100",
    ),
    (
        Language::Italian,
        "due 2 tre 3 quattro 4 cinque 5 sei 6 sette 7 otto 8 nove 9 dieci 10 dodici 12 quattordici 14 \
        quindici 15 venti 20 trenta 30 quaranta 40 cinquanta 50 sessanta 60 novanta 90 un 1 una 1 uno 1 \
        cento 100",
    ),
    (
        Language::Portuguese,
        "dois 2 duas 2 tres 3 quatro 4 cinco 5 seis 6 sete 7 oito 8 nove 9 dez 10 doze 12 catorze 14 \
        quinze 15 vinte 20 trinta 30 quarenta 40 cinquenta 50 sessenta 60 noventa 90 um 1 uma 1 cem 100",
    ),
];

/// Endings by which a word with dots in it is an address.
const DOMAINS: &[&str] = &[
    "com", "org", "net", "de", "es", "fr", "it", "pt", "br", "io", "eu", "example", "co", "uk", "ch", "at",
    "dev", "app",
];

/// The facts of a passage: numbers in words of any language are numbers.
#[must_use]
pub fn of_passage(text: &str) -> Vec<Fact> {
    let all: Vec<Language> = NUMBER_WORDS.iter().map(|(language, _)| *language).collect();
    Reader::of(text).read(&all, false)
}

/// The facts of a sentence in a language. A number in words is one when it counts time, money or percent.
#[must_use]
pub fn of_sentence(text: &str, language: Language) -> Vec<Fact> {
    Reader::of(text).read(&[language], true)
}

/// Whether a passage with these facts and this text holds a fact of a sentence.
#[must_use]
pub fn holds(passage: &[Fact], text: &str, fact: &Fact) -> bool {
    match fact {
        Fact::Code(code) => passage.contains(fact) || squeezed(text).contains(code.as_str()),
        Fact::Address(address) => passage.contains(fact) || fold(text).contains(address.as_str()),
        Fact::Date(readings) => passage.iter().any(|held| match held {
            Fact::Date(others) => readings.iter().any(|a| {
                others
                    .iter()
                    .any(|b| (a.1, a.2) == (b.1, b.2) && (a.0 == b.0 || a.0.is_none() || b.0.is_none()))
            }),
            _ => false,
        }),
        Fact::Time(hour, minute) => passage.iter().any(|held| match held {
            Fact::Time(h, m) => (h % 12, m) == (hour % 12, minute),
            Fact::Number(number) => *minute == 0 && is_hour(number, *hour),
            _ => false,
        }),
        Fact::Number(number) => passage.iter().any(|held| match held {
            Fact::Number(other) => number.agrees(other),
            Fact::Time(hour, minute) => *minute == 0 && is_hour(number, *hour),
            Fact::Date(readings) => readings.iter().any(|(year, _, day)| {
                number.is(f64::from(*day)) || year.is_some_and(|year| number.is(f64::from(year)))
            }),
            Fact::Code(_) | Fact::Address(_) => false,
        }),
    }
}

fn is_hour(number: &Number, hour: u32) -> bool {
    let is_time = matches!(number.kind, Kind::Bare | Kind::Span(Span::Hours));
    is_time && (same(number.value, f64::from(hour)) || same(number.value, f64::from(hour % 12)))
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

impl Number {
    fn is(&self, value: f64) -> bool {
        self.kind == Kind::Bare && same(self.value, value)
    }

    fn agrees(&self, other: &Number) -> bool {
        match (self.kind, other.kind) {
            (Kind::Bare, _) | (_, Kind::Bare) => same(self.value, other.value),
            (Kind::Span(a), Kind::Span(b)) => {
                same(self.value, other.value) && a == b
                    || converted(self.value, a).is_some_and(|a| converted(other.value, b) == Some(a))
            }
            (a, b) => a == b && same(self.value, other.value),
        }
    }
}

/// A span of time in a smaller unit, so that two weeks are 14 days: hours, or months of the calendar.
fn converted(value: f64, span: Span) -> Option<(bool, i64)> {
    let whole = |value: f64| (value.fract() == 0.0 && value < 1e6).then_some(value as i64);
    match span {
        Span::Hours => whole(value).map(|hours| (false, hours)),
        Span::Days => whole(value * 24.0).map(|hours| (false, hours)),
        Span::Weeks => whole(value * 168.0).map(|hours| (false, hours)),
        Span::Months => whole(value).map(|months| (true, months)),
        Span::Years => whole(value * 12.0).map(|months| (true, months)),
        Span::Seconds | Span::Minutes | Span::Times => None,
    }
}

/// Folded, with letters and digits alone.
#[must_use]
pub(super) fn squeezed(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Characters of a text, folded one by one, so that places stay.
struct Reader {
    chars: Vec<char>,
    addresses: Vec<Fact>,
}

impl Reader {
    fn of(text: &str) -> Self {
        let mut addresses = Vec::new();
        let mut plain = String::with_capacity(text.len());
        for part in text
            .split_inclusive(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | '[' | ']'))
        {
            let word = part.trim_matches(|c: char| !(c.is_alphanumeric() || c == '/'));
            match address(word) {
                Some(address) => {
                    addresses.push(Fact::Address(address));
                    plain.push(' ');
                }
                None => plain.push_str(part),
            }
        }
        Self { chars: fold(&plain).chars().collect(), addresses }
    }

    fn at(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    fn digit(&self, at: usize) -> bool {
        self.at(at).is_some_and(|c| c.is_ascii_digit())
    }

    fn read(mut self, languages: &[Language], strict: bool) -> Vec<Fact> {
        let mut facts = std::mem::take(&mut self.addresses);
        let mut at = 0;
        while let Some(c) = self.at(at) {
            if c.is_ascii_digit() {
                let (fact, end) = self.number(at);
                facts.extend(fact);
                at = end.max(at + 1);
            } else if c.is_alphabetic() {
                let end = self.word_end(at);
                let word: String = self.chars.get(at..end).unwrap_or_default().iter().collect();
                if word.chars().any(|c| c.is_ascii_digit()) {
                    facts.push(Fact::Code(squeezed(&word)));
                    at = end;
                    continue;
                }
                let end = self.letters_end(at);
                let word: String = self.chars.get(at..end).unwrap_or_default().iter().collect();
                at = end;
                if let Some((month, after)) = month(&word).and_then(|month| self.day_after(month, end)) {
                    facts.push(month);
                    at = after;
                } else if let Some(value) = in_words(&word, languages) {
                    let (kind, after) = self.kind(None, end);
                    if !strict || (kind != Kind::Bare && !same(value, 1.0)) {
                        facts.push(Fact::Number(Number { value, kind }));
                        at = after;
                    }
                }
            } else {
                at += 1;
            }
        }
        facts
    }

    /// The end of a run of letters, digits and hyphens that begins with a letter.
    fn word_end(&self, from: usize) -> usize {
        let mut end = from;
        while let Some(c) = self.at(end) {
            let joins = matches!(c, '-' | '_' | '.') && self.at(end + 1).is_some_and(|c| c.is_ascii_digit());
            if !c.is_alphanumeric() && !joins {
                break;
            }
            end += 1;
        }
        end
    }

    fn letters_end(&self, from: usize) -> usize {
        let mut end = from;
        while self.at(end).is_some_and(char::is_alphabetic) {
            end += 1;
        }
        end
    }

    fn skip_spaces(&self, mut at: usize) -> usize {
        while self.at(at).is_some_and(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '*' | '-' | '\u{2011}')) {
            at += 1;
        }
        at
    }

    fn word_at(&self, at: usize) -> (String, usize) {
        let end = self.letters_end(at);
        (self.chars.get(at..end).unwrap_or_default().iter().collect(), end)
    }

    fn integer(&self, at: usize) -> Option<(u32, usize)> {
        let mut end = at;
        while self.digit(end) {
            end += 1;
        }
        let digits: String = self.chars.get(at..end)?.iter().collect();
        Some((digits.parse().ok()?, end))
    }

    /// What begins at a digit.
    fn number(&self, at: usize) -> (Option<Fact>, usize) {
        if let Some((date, end)) = self.date(at) {
            return (Some(date), end);
        }
        if let Some((time, end)) = self.time(at) {
            return (Some(time), end);
        }
        let mut text = String::new();
        let mut end = at;
        while let Some(c) = self.at(end) {
            let thousands = (1..=3).all(|place| self.digit(end + place)) && !self.digit(end + 4);
            let is_part = match c {
                '.' | ',' | '\'' | '’' => self.digit(end + 1),
                ' ' | '\u{a0}' | '\u{202f}' => thousands && end - at <= 3 + 4 * text.matches(' ').count(),
                c => c.is_ascii_digit(),
            };
            if !is_part {
                break;
            }
            text.push(if matches!(c, '\u{a0}' | '\u{202f}') { ' ' } else { c });
            end += 1;
        }
        let Some(value) = value(&text) else { return (None, end.max(at + 1)) };
        let (kind, end) = self.kind(Some(at), end);
        (Some(Fact::Number(Number { value, kind })), end)
    }

    /// What a number counts, by what stands before and after it.
    fn kind(&self, from: Option<usize>, end: usize) -> (Kind, usize) {
        let next = self.skip_spaces(end);
        if self.at(next) == Some('%') {
            return (Kind::Percent, next + 1);
        }
        let symbol = self.at(next).filter(|c| matches!(c, '€' | '$' | '£'));
        if let Some(code) = symbol.and_then(|symbol| currency(&symbol.to_string())) {
            return (Kind::Currency(code), next + 1);
        }
        let (word, after) = self.word_at(next);
        let (second, after_second) = self.word_at(self.skip_spaces(after));
        if let Some(code) = currency(&word) {
            return (Kind::Currency(code), after);
        }
        if matches!(word.as_str(), "percent" | "prozent") {
            return (Kind::Percent, after);
        }
        if matches!((word.as_str(), second.as_str()), ("per" | "por" | "pour", "cent" | "cento" | "ciento")) {
            return (Kind::Percent, after_second);
        }
        if let Some(symbol) = from.and_then(|from| self.before(from)) {
            return (Kind::Currency(symbol), end);
        }
        for (word, after) in [(&word, after), (&second, after_second)] {
            let span =
                SPANS.iter().find(|(start, _)| word.starts_with(start) && word.len() <= start.len() + 3);
            if let Some((_, span)) = span {
                return (Kind::Span(*span), after);
            }
        }
        (Kind::Bare, end)
    }

    /// The currency before a number.
    fn before(&self, from: usize) -> Option<&'static str> {
        let text: String = self.chars.get(..from)?.iter().rev().take(8).collect();
        let text: String = text.chars().rev().collect();
        let text = text.trim_end();
        let word = text.rsplit(|c: char| c.is_whitespace() || c == '(').next()?;
        let symbol = word.chars().next_back().filter(|c| matches!(c, '€' | '$' | '£'));
        match symbol {
            Some('$') if word.ends_with("r$") => currency("r$"),
            Some(symbol) => currency(&symbol.to_string()),
            None if word.len() == 3 => currency(word),
            None => None,
        }
    }

    fn date(&self, at: usize) -> Option<(Fact, usize)> {
        let (first, end) = self.integer(at)?;
        let digits = end - at;
        let separator = self.at(end)?;
        if matches!(separator, '-' | '/' | '.') && self.digit(end + 1) {
            let (second, middle) = self.integer(end + 1)?;
            let third = match self.at(middle) == Some(separator) && self.digit(middle + 1) {
                true => self.integer(middle + 1),
                false => None,
            };
            if let Some((third, last)) = third {
                let year = |year: u32| if year < 100 { year + 2000 } else { year };
                let readings = match (digits, separator) {
                    (4, _) => vec![(Some(first), second, third)],
                    (1 | 2, '/') => {
                        vec![(Some(year(third)), second, first), (Some(year(third)), first, second)]
                    }
                    (1 | 2, _) => vec![(Some(year(third)), second, first)],
                    _ => return None,
                };
                let valid: Vec<_> = readings
                    .into_iter()
                    .filter(|(_, m, d)| (1..=12).contains(m) && (1..=31).contains(d))
                    .collect();
                return (!valid.is_empty()).then_some((Fact::Date(valid), last));
            }
            // `01.03.`
            let is_day = separator == '.' && self.at(middle) == Some('.') && digits <= 2 && middle - end <= 3;
            let is_valid = (1..=31).contains(&first) && (1..=12).contains(&second);
            return (is_day && is_valid).then_some((Fact::Date(vec![(None, second, first)]), middle));
        }
        if digits > 2 || !(1..=31).contains(&first) {
            return None;
        }
        // `1 March 2026`, `1. März`, `1st of March`, `1 de marzo de 2026`
        let mut next = end;
        for suffix in ["st", "nd", "rd", "th", "er", "º", "o", "."] {
            let length = suffix.chars().count();
            let text: String = self.chars.get(next..next + length).unwrap_or_default().iter().collect();
            if text == suffix && !self.at(next + length).is_some_and(char::is_alphanumeric) {
                next += length;
                break;
            }
        }
        next = self.skip_spaces(next);
        let (mut word, mut after) = self.word_at(next);
        if matches!(word.as_str(), "of" | "de" | "di") {
            (word, after) = self.word_at(self.skip_spaces(after));
        }
        let month = month(&word)?;
        let (year, after) = self.year(after);
        Some((Fact::Date(vec![(year, month, first)]), after))
    }

    /// A year after a month.
    fn year(&self, at: usize) -> (Option<u32>, usize) {
        let mut next = self.skip_spaces(if matches!(self.at(at), Some(',' | '.')) { at + 1 } else { at });
        let (word, after) = self.word_at(next);
        if matches!(word.as_str(), "de" | "of") {
            next = self.skip_spaces(after);
        }
        match self.integer(next) {
            Some((year, end)) if end - next == 4 => (Some(year), end),
            _ => (None, at),
        }
    }

    /// `March 1st, 2026`; of `March 2026`, nothing.
    fn day_after(&self, month: u32, end: usize) -> Option<(Fact, usize)> {
        let at = self.skip_spaces(end);
        let (day, mut after) = self.integer(at)?;
        if after - at > 2 || !(1..=31).contains(&day) {
            return None;
        }
        let (suffix, past) = self.word_at(after);
        match suffix.as_str() {
            "" => {}
            "st" | "nd" | "rd" | "th" => after = past,
            _ => return None,
        }
        let (year, after) = self.year(after);
        Some((Fact::Date(vec![(year, month, day)]), after))
    }

    fn time(&self, at: usize) -> Option<(Fact, usize)> {
        let (hour, end) = self.integer(at)?;
        if end - at > 2 || hour > 24 {
            return None;
        }
        let (mut minute, mut after) = (0, end);
        let separated =
            matches!(self.at(end), Some(':' | 'h' | '.')) && self.digit(end + 1) && self.digit(end + 2);
        if separated && !self.digit(end + 3) {
            (minute, after) = self.integer(end + 1)?;
        }
        if minute > 59 {
            return None;
        }
        let next = self.skip_spaces(after);
        let suffix: String = self.chars.get(next..).unwrap_or_default().iter().take(4).collect();
        let half =
            ["a.m.", "p.m."].into_iter().find(|half| suffix.starts_with(half)).map(|half| (half, 4)).or_else(
                || {
                    let half = ["am", "pm"].into_iter().find(|half| suffix.starts_with(half))?;
                    let is_word = suffix.chars().nth(2).is_none_or(|c| !c.is_alphanumeric());
                    // In German, `am` is a word.
                    (is_word && (half == "pm" || !self.is_am_a_word(next + 2))).then_some((half, 2))
                },
            );
        if let Some((half, length)) = half {
            let hour = match (half.starts_with('p'), hour) {
                (true, 12) => 12,
                (true, hour) if hour < 12 => hour + 12,
                (false, 12) => 0,
                (_, hour) => hour,
            };
            return Some((Fact::Time(hour, minute), next + length));
        }
        let is_clock = suffix.starts_with("uhr");
        let is_time = is_clock || after > end && self.at(end) != Some('.');
        is_time.then_some((Fact::Time(hour, minute), after))
    }

    /// Whether a word in small letters follows `am`, as in "3 am Tag".
    fn is_am_a_word(&self, at: usize) -> bool {
        let (word, _) = self.word_at(self.skip_spaces(at));
        matches!(
            word.as_str(),
            "tag" | "montag" | "dienstag" | "mittwoch" | "donnerstag" | "freitag" | "samstag" | "sonntag"
        )
    }
}

fn currency(word: &str) -> Option<&'static str> {
    CURRENCIES.iter().find(|(name, _)| *name == word).map(|(_, code)| *code)
}

fn month(word: &str) -> Option<u32> {
    listed(MONTHS, word)
}

fn in_words(word: &str, languages: &[Language]) -> Option<f64> {
    let mut lists = NUMBER_WORDS.iter().filter(|(language, _)| languages.contains(language));
    lists.find_map(|(_, list)| listed(list, word))
}

/// What follows a word in a list of words and their values.
fn listed<T: FromStr>(list: &str, word: &str) -> Option<T> {
    let mut parts = list.split_whitespace();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        if name == word {
            return value.parse().ok();
        }
    }
    None
}

/// An e-mail or web address without scheme, `www.` and trailing slash.
fn address(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let bare =
        lower.trim_start_matches("mailto:").trim_start_matches("https://").trim_start_matches("http://");
    let has_scheme = bare.len() < lower.len();
    let bare = bare.trim_start_matches("www.").trim_end_matches('/');
    let host = bare.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, ending) = host.rsplit_once('.')?;
    let is_host =
        !name.is_empty() && name.chars().any(char::is_alphabetic) && ending.chars().all(char::is_alphabetic);
    let is_address = is_host && (has_scheme || host.contains('@') || DOMAINS.contains(&ending));
    is_address.then(|| bare.to_owned())
}

/// The value of digits with separators of any language: `1,234.50`, `1.234,50`, `1 234,50`.
fn value(text: &str) -> Option<f64> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '\'' | '’')).collect();
    let last = text.rfind(['.', ',']);
    let decimal = last.filter(|at| {
        let separator = text.get(*at..=*at).unwrap_or_default();
        let has_other = text.contains(if separator == "." { ',' } else { '.' });
        let is_single = text.matches(separator).count() == 1;
        let groups_of_three = text.len() - at == 4 && *at <= 3 && !text.starts_with('0');
        is_single && (has_other || !groups_of_three)
    });
    let mut normal = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '.' | ',' if Some(at) == decimal => normal.push('.'),
            '.' | ',' => {}
            c => normal.push(c),
        }
    }
    normal.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(passage: &str, sentence: &str, language: Language) -> bool {
        let facts = of_passage(passage);
        of_sentence(sentence, language).iter().all(|fact| holds(&facts, passage, fact))
    }

    #[test]
    fn the_same_fact_is_found_in_another_form() {
        for (passage, sentence, language) in [
            ("costs 1,234.50", "kostet 1.234,50", Language::German),
            ("coûte 1 234,50 €", "costs EUR 1,234.50", Language::English),
            ("12 euros", "€12", Language::English),
            ("12,00 EUR", "12 €", Language::German),
            ("opens at 14:00", "opens at 2 p.m.", Language::English),
            ("von 9 bis 17 Uhr", "from 9 a.m. to 5 p.m.", Language::English),
            ("ouvert à 14h30", "opens at 2:30 pm", Language::English),
            ("on 2026-03-01", "am 1. März 2026", Language::German),
            ("am 01.03.2026", "on March 1st, 2026", Language::English),
            ("el 1 de marzo de 2026", "on 1 March", Language::English),
            ("within two weeks", "innerhalb von 14 Tagen", Language::German),
            ("zwei Tage", "two days", Language::English),
            ("20 %", "20 per cent", Language::English),
            ("20 por ciento", "20%", Language::English),
            ("Modell XR-200", "the XR200", Language::English),
            ("Mail help@shop.example.", "Schreiben Sie an help@shop.example", Language::German),
            ("see https://www.shop.example/returns/", "shop.example/returns", Language::English),
            ("fee of 2.5 percent", "2,5 Prozent", Language::German),
            ("24/7", "24 hours", Language::English),
            ("renewed twice", "renewed two times", Language::English),
        ] {
            assert!(held(passage, sentence, language), "{sentence:?} is in {passage:?}");
        }
    }

    #[test]
    fn another_fact_is_not_found() {
        for (passage, sentence, language) in [
            ("within 30 days", "within 60 days", Language::English),
            ("within 30 days", "within 30 hours", Language::English),
            ("within thirty days", "in sixty days", Language::English),
            ("12 euros", "12 dollars", Language::English),
            ("20 %", "20 EUR", Language::English),
            ("at 14:00", "at 2:30 p.m.", Language::English),
            ("on 2026-03-01", "on March 2nd", Language::English),
            ("01.03.2026", "1 March 2025", Language::English),
            ("XR-200", "XR-300", Language::English),
            ("help@shop.example", "info@shop.example", Language::English),
            ("1,234", "1.235", Language::German),
            ("renewed twice", "renewed five times", Language::English),
        ] {
            assert!(!held(passage, sentence, language), "{sentence:?} is not in {passage:?}");
        }
    }
}
