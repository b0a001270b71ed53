//! Pure: where a sentence of a streamed answer ends.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Words whose dot ends no sentence, without it.
const ABBREVIATIONS: &[&str] = &[
    "approx", "art", "bzw", "ca", "dr", "dra", "e.g", "g", "h", "i.e", "inkl", "jr", "max", "min", "mr",
    "mrs", "ms", "mme", "nr", "núm", "p.ej", "p.ex", "ej", "ex", "pág", "prof", "sig", "sr", "sra", "st",
    "str", "tel", "vs", "z.b", "d.h", "u.a", "zzgl", "ggf",
];

/// Names of months, without accents, as far as they tell them apart.
const MONTHS: &[&str] = &[
    "jan", "feb", "fév", "mar", "mär", "apr", "abr", "avr", "mai", "may", "jun", "juin", "juil", "jul",
    "aug", "ago", "aoû", "sep", "set", "oct", "okt", "ott", "out", "nov", "dec", "dez", "dic", "déc", "gen",
    "ene", "mag", "giu", "lug", "fev",
];

/// Whether a character decides where a sentence ends: combining marks are alphabetic too, and the rules of Unicode pass
/// over them (UAX #29, SB5), as over the two halfwidth voicing marks.
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_combining_mark(c) && !matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

/// Whether a text may be the end of a sentence.
pub(in crate::conversations) fn ends_sentence(text: &str) -> bool {
    let closers = ['"', '\'', '*', '_', '`', ')', ']', '”', '“', '»', '’'];
    text.trim_end().trim_end_matches(closers).ends_with(['.', '!', '?', '…'])
}

/// `-`, `1.` or `2)` alone.
pub(super) fn is_list_mark(text: &str) -> bool {
    let digits = text.trim_end_matches(['.', ')']);
    matches!(text, "-" | "*" | "•" | "+")
        || (digits.len() < text.len() && digits.len() <= 3 && digits.chars().all(|c| c.is_ascii_digit()))
}

/// Whether a sentence ends between two texts: by the rules of Unicode, but after an abbreviation, the number of a
/// list's item, or the day of a date.
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
    // A digit begins a sentence; by the rules of Unicode it goes on when a small letter follows.
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    // Emphasis closes as quotes do.
    let plain = |text: &str| text.replace(['*', '_', '`'], "\"");
    let (before, after) = (plain(before), plain(after));
    let whole = format!("{before} {after}");
    whole.split_sentence_bound_indices().any(|(at, _)| at == before.len() || at == before.len() + 1)
}
