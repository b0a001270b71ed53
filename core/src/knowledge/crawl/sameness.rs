//! Equality of page texts: two URLs with the same text are one page. Pure: no IO.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Two views of a page with one canonical URL may differ in one word of this many: a date, a visitor's name,
/// a counter.
const DIFFERENT_SHARE: usize = 40;

/// SHA-256 of a text with uniform white space and without its URLs, which may contain a session.
pub(super) fn hash(text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for word in without_addresses(text).split_whitespace() {
        hash.update(word);
        hash.update(b" ");
    }
    hash.finalize().into()
}

/// Whether two texts have the same first line and differ in at most one word in forty. The first line
/// matters, because pages of one template differ in their titles.
pub(super) fn is_nearly_equal(one: &str, other: &str) -> bool {
    let (one, other) = (without_addresses(one), without_addresses(other));
    let first =
        |text: &str| text.lines().find(|line| !line.trim().is_empty()).map(str::trim).map(str::to_owned);
    if first(&one) != first(&other) {
        return false;
    }
    let mut counts: HashMap<&str, i64> = HashMap::new();
    let (mut words, mut different) = (0, 0);
    for word in one.split_whitespace() {
        *counts.entry(word).or_default() += 1;
        words += 1;
    }
    for word in other.split_whitespace() {
        *counts.entry(word).or_default() -= 1;
        words += 1;
    }
    counts
        .values()
        .for_each(|count| different += usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX));
    different * DIFFERENT_SHARE <= words
}

/// A text without the targets of its links and the URLs in it: `[a](https://b)` becomes `[a]`.
pub(super) fn without_addresses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    // One pass: a separate search for each mark would scan the whole rest each time.
    while let Some(at) = rest.find([']', 'h']) {
        let (before, after) = rest.split_at(at);
        kept.push_str(before);
        rest = if let Some(target) = after.strip_prefix("](") {
            kept.push(']');
            target.get(link_end(target)..).unwrap_or_default()
        } else if after.starts_with("http://") || after.starts_with("https://") {
            let is_end = |c: char| c.is_whitespace() || matches!(c, '>' | ')' | '"' | ']' | '|');
            after.get(after.find(is_end).unwrap_or(after.len())..).unwrap_or_default()
        } else {
            let (mark, after) = after.split_at(1);
            kept.push_str(mark);
            after
        };
    }
    kept.push_str(rest);
    kept
}

/// The end of a link's target, after its closing parenthesis. Parentheses may nest; a line break ends the
/// target, too.
fn link_end(after: &str) -> usize {
    let mut depth = 1_usize;
    for (at, character) in after.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => return at + 1,
            ')' => depth -= 1,
            '\n' => return at,
            _ => {}
        }
    }
    after.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_do_not_count() {
        for (one, other) in [
            ("See [a](/x?sid=1) now", "See [a](/x?sid=2)  now"),
            ("At https://a.example/?s=1 or\nso", "At https://a.example/?s=22 or so"),
            ("![i](/i_(1).png) x", "![i](/i_(2).png) x"),
            ("<https://a.example/1>", "<https://a.example/2>"),
            ("[a](https://b.example/1 \"t\")", "[a](https://b.example/2 \"t\")"),
        ] {
            assert_eq!(hash(one), hash(other), "{one}");
        }
        assert_ne!(hash("[a](/x)"), hash("[b](/x)"));
        assert_ne!(hash("one two"), hash("onetwo"));
        assert_eq!(without_addresses("a](b"), "a]");
    }

    #[test]
    fn views_of_one_page_are_nearly_equal() {
        let text = |title: &str, date: &str| {
            format!("# {title}\n\n{} Read on {date}.", "Linen grows softer with each wash. ".repeat(10))
        };
        assert!(is_nearly_equal(&text("Linen", "Monday"), &text("Linen", "Friday")));
        assert!(!is_nearly_equal(&text("Linen", "Monday"), &text("Cotton", "Monday")), "another title");
        let more = format!("{} Send back what you do not like within 45 days.", text("Linen", "Monday"));
        assert!(!is_nearly_equal(&text("Linen", "Monday"), &more), "a fact more");
        assert!(is_nearly_equal("", ""));
    }
}
