//! Pure: matches headings and entries of lists of sources.

use super::Match;
use super::patterns::{MARKER_WORDS, bracketed, lenticular, superscript};

/// Headings of lists of sources.
const LIST_HEADINGS: &[&str] = &[
    "sources",
    "source",
    "references",
    "reference",
    "footnotes",
    "citations",
    "quellen",
    "quelle",
    "quellenangaben",
    "fuentes",
    "fuente",
    "referencias",
    "fonti",
    "fonte",
    "riferimenti",
    "fontes",
    "referências",
    "références",
];

/// Strips leading marks of lists, headings and emphasis.
pub(super) fn strip_markup(line: &str) -> &str {
    line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '#' | '>' | '-' | '•'))
}

/// Matches a heading of a list of sources with the rest of its line; `true` if the heading stands alone.
pub(super) fn source_list(rest: &str, at_end: bool) -> Match<bool> {
    let (line, length, complete) = match rest.split_once('\n') {
        Some((line, _)) => (line, line.len() + 1, true),
        None => (rest, rest.len(), at_end),
    };
    let bare = strip_markup(line);
    let word: String = bare.chars().take_while(|c| c.is_alphabetic()).collect();
    let lower = word.to_lowercase();
    if lower.is_empty() {
        return if bare.is_empty() && !complete { Match::Wait } else { Match::No };
    }
    let after = bare.get(word.len()..).unwrap_or_default();
    if after.is_empty() && !complete {
        let may_be = LIST_HEADINGS.iter().any(|heading| heading.starts_with(&lower));
        return if may_be { Match::Wait } else { Match::No };
    }
    if !LIST_HEADINGS.contains(&lower.as_str()) {
        return Match::No;
    }
    let ornament = |c: char| c.is_whitespace() || matches!(c, '*' | '_');
    let after = after.trim_start_matches(ornament);
    match after.strip_prefix(':') {
        None if after.is_empty() => {
            if complete {
                Match::Yes(length, true)
            } else {
                Match::Wait
            }
        }
        None => Match::No,
        Some(_) if !complete => Match::Wait,
        Some(body) => match body.trim_start_matches(ornament) {
            "" => Match::Yes(length, true),
            body if is_reference(body) => Match::Yes(length, false),
            _ => Match::No,
        },
    }
}

/// Whether a list entry names a source: by a marker, a file name or an address.
pub(super) fn is_reference(entry: &str) -> bool {
    let entry = strip_markup(entry);
    let digits = entry.trim_start_matches(|c: char| c.is_ascii_digit());
    let entry = match digits.strip_prefix(['.', ')']) {
        Some(after) if digits.len() < entry.len() => after.trim_start(),
        _ => entry,
    };
    if matches!(bracketed(entry, true), Match::Yes(..)) || matches!(lenticular(entry, true), Match::Yes(..)) {
        return true;
    }
    if entry.chars().next().is_some_and(|c| superscript(c).is_some()) {
        return true;
    }
    let mut words = entry.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_numbered = MARKER_WORDS.contains(&first.to_lowercase().as_str())
        && words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let file = first.trim_end_matches([',', ';', '.', ')']);
    let is_file = file.rsplit_once('.').is_some_and(|(name, ending)| {
        !name.is_empty() && (2..=5).contains(&ending.len()) && ending.chars().all(char::is_alphanumeric)
    });
    is_numbered || is_file || first.contains("://")
}
