//! Pure: matches the refusal token.

use super::Match;

/// Name inside [`NO_ANSWER`](super::NO_ANSWER).
const TOKEN: &str = "NOT_IN_PASSAGES";

/// Minimum characters of a truncated token.
const MIN_TOKEN_PREFIX: usize = 4;

/// Characters that may surround the token.
const WRAPPERS: &[char] = &['"', '\'', '“', '”', '„', '«', '»', '‘', '’', '*', '_', '`', '('];

/// Matches the token with what surrounds it: in brackets in any case, else in upper case only.
pub(super) fn token(rest: &str, at_end: bool, before: Option<char>) -> Match<()> {
    let core = rest.trim_start_matches(WRAPPERS);
    let wrapped = rest.len() - core.len();
    let inner = core.trim_start_matches(['[', '【', '\\']);
    let is_bracketed = inner.len() < core.len();
    if wrapped == 0 && !is_bracketed && !inner.starts_with('N') {
        return Match::No;
    }
    let is_in_word = !core.is_empty() && !is_bracketed && before.is_some_and(char::is_alphanumeric);
    if wrapped > 8 || core.len() - inner.len() > 8 || is_in_word {
        return Match::No;
    }
    let mut wanted = TOKEN.chars().peekable();
    let (mut matched, mut end) = (0, inner.len());
    for (at, c) in inner.char_indices() {
        let Some(next) = wanted.peek().copied() else {
            end = at;
            break;
        };
        let is_same = match is_bracketed {
            true => c.eq_ignore_ascii_case(&next) || (next == '_' && matches!(c, ' ' | '-')),
            false => c == next,
        };
        if is_same {
            wanted.next();
            matched += 1;
        } else if c != '\\' {
            return Match::No;
        }
    }
    if wanted.peek().is_some() {
        return match (at_end, matched >= MIN_TOKEN_PREFIX) {
            (false, _) => Match::Wait,
            (true, true) => Match::Yes(rest.len(), ()),
            (true, false) => Match::No,
        };
    }
    let after = inner.get(end..).unwrap_or_default();
    let ends = |c: char| WRAPPERS.contains(&c) || matches!(c, ']' | '】' | '\\' | '.' | '!' | ')');
    let left = after.trim_start_matches(ends);
    if left.is_empty() && !at_end { Match::Wait } else { Match::Yes(rest.len() - left.len(), ()) }
}
