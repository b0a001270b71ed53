//! Pure: matches the written forms of a citation marker.

use super::Match;

/// Maximum digits of a marker; a longer number is text.
pub(super) const MAX_DIGITS: usize = 4;

/// Maximum characters of a marker.
const MAX_MARKER_LENGTH: usize = 64;

/// Maximum span of a range, as in `[1-9]`.
const MAX_RANGE: usize = 10;

/// Words allowed in a marker.
pub(super) const MARKER_WORDS: &[&str] = &[
    "source",
    "sources",
    "passage",
    "passages",
    "reference",
    "references",
    "ref",
    "refs",
    "citation",
    "see",
    "cf",
    "fuente",
    "fuentes",
    "pasaje",
    "pasajes",
    "ver",
    "vease",
    "véase",
    "quelle",
    "quellen",
    "siehe",
    "vgl",
    "passagen",
    "abschnitt",
    "fonte",
    "fonti",
    "vedi",
    "passaggio",
    "passaggi",
    "fontes",
    "passagem",
    "passagens",
    "voir",
    "extrait",
    "extraits",
    "and",
    "und",
    "et",
    "y",
    "e",
    "no",
    "nr",
];

/// Matches a marker in brackets, or in parentheses with a word of [`MARKER_WORDS`] or nested brackets.
pub(super) fn bracketed(rest: &str, at_end: bool) -> Match<Vec<usize>> {
    let mut numbers: Vec<usize> = Vec::new();
    let (mut digits, mut word) = (String::new(), String::new());
    let (mut depth, mut is_range, mut is_named) = (0_usize, false, !rest.starts_with(['(', '（']));
    let mut before = ' ';
    for (count, (at, c)) in rest.char_indices().enumerate() {
        if count == MAX_MARKER_LENGTH {
            return Match::No;
        }
        if !c.is_ascii_digit() && !digits.is_empty() {
            let Ok(number) = digits.parse::<usize>() else { return Match::No };
            digits.clear();
            match (std::mem::take(&mut is_range), numbers.last().copied()) {
                (true, Some(first)) if first < number && number - first < MAX_RANGE => {
                    numbers.extend(first + 1..=number);
                }
                _ => numbers.push(number),
            }
        }
        if !c.is_alphabetic() && !word.is_empty() {
            if !MARKER_WORDS.contains(&word.as_str()) {
                return Match::No;
            }
            // Short words like the one in `(and 1)` do not make parentheses a marker.
            is_named |= word.len() > 2;
            word.clear();
        }
        match c {
            '[' | '［' | '〔' | '(' | '（' if depth < 2 => {
                is_named |= depth > 0 && c == '[';
                depth += 1;
            }
            ']' | '］' | '〕' | ')' | '）' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let length = at + c.len_utf8();
                    return match is_named && !numbers.is_empty() {
                        true => link(rest, length, numbers, at_end),
                        false => Match::No,
                    };
                }
            }
            c if c.is_ascii_digit() => {
                let is_decimal = before == '.' && rest.get(..at).is_some_and(after_digit);
                if digits.len() == MAX_DIGITS || is_decimal {
                    return Match::No;
                }
                digits.push(c);
            }
            '-' | '–' | '—' | '‑' if before.is_ascii_digit() => is_range = true,
            ' ' | ',' | ';' | '&' | '#' | '^' => {}
            '.' | ':' if before.is_alphanumeric() => {
                if c == ':' && before.is_ascii_digit() {
                    return Match::No;
                }
            }
            c if c.is_alphabetic() => {
                word.extend(c.to_lowercase());
                if !MARKER_WORDS.iter().any(|known| known.starts_with(&word)) {
                    return Match::No;
                }
            }
            _ => return Match::No,
        }
        before = c;
    }
    if at_end { Match::No } else { Match::Wait }
}

/// Whether a text ends with a digit and a dot.
fn after_digit(text: &str) -> bool {
    text.strip_suffix('.').is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()))
}

/// Extends a marker by its link target, if any.
fn link(rest: &str, length: usize, numbers: Vec<usize>, at_end: bool) -> Match<Vec<usize>> {
    let after = rest.get(length..).unwrap_or_default();
    if after.is_empty() && !at_end {
        return Match::Wait;
    }
    let Some(address) = after.strip_prefix('(') else { return Match::Yes(length, numbers) };
    let is_address = ["#", "/", "http"].iter().any(|start| address.starts_with(start));
    let may_be = !at_end && ["#", "/", "http"].iter().any(|start| start.starts_with(address));
    let end =
        address.char_indices().take(4 * MAX_MARKER_LENGTH).find(|(_, c)| c.is_whitespace() || *c == ')');
    match end {
        Some((at, ')')) if is_address => Match::Yes(length + at + 2, numbers),
        None if (is_address || may_be) && !at_end && address.chars().count() < 4 * MAX_MARKER_LENGTH => {
            Match::Wait
        }
        _ => Match::Yes(length, numbers),
    }
}

/// Matches `【1】`, `【1†source】` and `【4:0†shop.md】`.
pub(super) fn lenticular(rest: &str, at_end: bool) -> Match<Vec<usize>> {
    let Some(inner) = rest.strip_prefix('【') else { return Match::No };
    let within = |c: &char| *c != '】' && *c != '\n';
    let text: String = inner.chars().take(MAX_MARKER_LENGTH).take_while(within).collect();
    let head = text.split(['†', ':']).next().unwrap_or_default();
    let is_number = text.is_empty()
        || (head.starts_with(|c: char| c.is_ascii_digit())
            && head.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ';' | ' ')));
    match inner.get(text.len()..).and_then(|after| after.chars().next()) {
        Some('】') if is_number && !text.is_empty() => {
            let numbers = head.split([',', ';', ' ']).filter_map(|number| number.parse().ok()).collect();
            Match::Yes(text.len() + 2 * '【'.len_utf8(), numbers)
        }
        None if is_number && !at_end => Match::Wait,
        _ => Match::No,
    }
}

/// Matches `<sup>1</sup>`.
pub(super) fn superscript_tag(rest: &str, at_end: bool) -> Match<Vec<usize>> {
    const OPEN: &str = "<sup>";
    const CLOSE: &str = "</sup>";
    let Some(inner) = rest.strip_prefix(OPEN) else {
        return if OPEN.starts_with(rest) && !at_end { Match::Wait } else { Match::No };
    };
    let allowed = |c: &char| c.is_ascii_digit() || matches!(c, ' ' | ',' | '[' | ']' | '^');
    let text: String = inner.chars().take(MAX_MARKER_LENGTH).take_while(allowed).collect();
    let after = inner.get(text.len()..).unwrap_or_default();
    if after.starts_with(CLOSE) {
        let numbers: Vec<usize> =
            text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
        return match numbers.is_empty() {
            true => Match::No,
            false => Match::Yes(OPEN.len() + text.len() + CLOSE.len(), numbers),
        };
    }
    if CLOSE.starts_with(after) && !at_end { Match::Wait } else { Match::No }
}

pub(super) fn superscript(c: char) -> Option<usize> {
    "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|digit| digit == c)
}
