//! Pure: where a sentence of a streamed answer ends.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Abbreviations, without their last dot, whose dot ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "approx", "art", "bzw", "ca", "dr", "dra", "e.g", "g", "h", "i.e", "inkl", "jr", "max", "min", "mr",
    "mrs", "ms", "mme", "nr", "núm", "p.ej", "p.ex", "ej", "ex", "pág", "prof", "sig", "sr", "sra", "st",
    "str", "tel", "vs", "z.b", "d.h", "u.a", "zzgl", "ggf",
];

/// Prefixes of month names, without accents where that is unambiguous.
const MONTHS: &[&str] = &[
    "jan", "feb", "fév", "mar", "mär", "apr", "abr", "avr", "mai", "may", "jun", "juin", "juil", "jul",
    "aug", "ago", "aoû", "sep", "set", "oct", "okt", "ott", "out", "nov", "dec", "dez", "dic", "déc", "gen",
    "ene", "mag", "giu", "lug", "fev",
];

/// Whether a character is a letter for the decision. Combining marks are alphabetic too, but UAX #29 (SB5)
/// skips them, and the two halfwidth voicing marks.
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_combining_mark(c) && !matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

/// Whether a text may end a sentence.
pub(in crate::conversations) fn ends_sentence(text: &str) -> bool {
    let closers = ['"', '\'', '*', '_', '`', ')', ']', '”', '“', '»', '’'];
    text.trim_end().trim_end_matches(closers).ends_with(['.', '!', '?', '…'])
}

/// Whether a text is only a list mark: `-`, `1.` or `2)`.
pub(super) fn is_list_mark(text: &str) -> bool {
    let digits = text.trim_end_matches(['.', ')']);
    matches!(text, "-" | "*" | "•" | "+")
        || (digits.len() < text.len() && digits.len() <= 3 && digits.chars().all(|c| c.is_ascii_digit()))
}

/// Whether a sentence ends between two texts: UAX #29, except after an abbreviation, a list number or the day
/// of a date.
pub(super) fn is_boundary(before: &str, after: &str) -> bool {
    let last = before.split_whitespace().next_back().unwrap_or_default();
    let word = last.trim_start_matches(['(', '"', '„', '*']).trim_end_matches('.').to_lowercase();
    let is_initial =
        last.ends_with('.') && word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let is_day =
        last.ends_with('.') && (1..=2).contains(&word.len()) && word.chars().all(|c| c.is_ascii_digit());
    let month = after.to_lowercase();
    let is_month = MONTHS.iter().any(|name| month.starts_with(name));
    if last.ends_with('.') && (is_initial || ABBREVIATIONS.contains(&word.as_str())) || (is_day && is_month) {
        return false;
    }
    if is_list_mark(before.rsplit('\n').next().unwrap_or_default().trim()) {
        return false;
    }
    // A digit starts a sentence here; UAX #29 continues the sentence when a lower-case letter follows.
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    // Emphasis marks close a sentence as quotes do.
    let plain = |text: &str| text.replace(['*', '_', '`'], "\"");
    let (before, after) = (plain(before), plain(after));
    let whole = format!("{before} {after}");
    whole.split_sentence_bound_indices().any(|(at, _)| at == before.len() || at == before.len() + 1)
}
