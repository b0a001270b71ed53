//! Joins text that was divided at a line end.

use std::collections::HashSet;

use super::characters::{is_dash, is_wide};

/// Maximum number of words in the vocabulary.
const MAX_WORDS: usize = 200_000;

/// Words that follow a suspended hyphen: "pre- and post-war", "Ein- und Ausgang".
const SUSPENDING: &[&str] = &[
    "and", "or", "to", "nor", "vs", "und", "oder", "bis", "bzw", "sowie", "et", "ou", "y", "e", "o", "en",
    "of", "och", "og", "i", "lub", "и", "или",
];

/// First parts of compounds that keep their hyphen in English.
const PREFIXES: &[&str] = &[
    "self",
    "non",
    "well",
    "long",
    "short",
    "high",
    "low",
    "half",
    "full",
    "part",
    "part-time",
    "cross",
    "ex",
    "mid",
    "all",
    "so",
    "co",
    "two",
    "three",
    "four",
    "five",
    "six",
    "ten",
    "first",
    "second",
    "third",
    "one",
];

/// The words of a document, in lower case. They show whether it has "longterm" or "long-term" within a line.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    words: HashSet<String>,
}

impl Vocabulary {
    /// Records the words of a line, but not its last one, which may be divided.
    pub(super) fn add(&mut self, line: &str) {
        let Some((head, _)) = line.trim_end().rsplit_once(' ') else { return };
        for word in head.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            if word.len() >= 4 && self.words.len() < MAX_WORDS {
                self.words.insert(word.to_lowercase());
            }
        }
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word.to_lowercase())
    }
}

/// Appends the next line to a paragraph.
pub(super) fn join(text: &mut String, next: &str, words: &Vocabulary) {
    let next = next.trim_start();
    text.truncate(text.trim_end().len());
    let (Some(last), Some(first)) = (text.chars().next_back(), next.chars().next()) else {
        text.push_str(next);
        return;
    };
    let before = text.chars().rev().nth(1).unwrap_or(' ');
    if is_dash(last) && !before.is_whitespace() && text.chars().count() > 1 {
        join_at_dash(text, last, before, next, words);
        return;
    }
    if !(is_unspaced(last, first) || is_address_break(text, next)) {
        text.push(' ');
    }
    text.push_str(next);
}

/// Chinese and Japanese have no blanks between words. Korean has.
fn is_unspaced(last: char, first: char) -> bool {
    (is_wide(last) && is_wide(first)) || (last == '/' && first.is_alphanumeric())
}

fn join_at_dash(text: &mut String, dash: char, before: char, next: &str, words: &Vocabulary) {
    let first = next.chars().next().unwrap_or(' ');
    let hyphen = matches!(dash, '-' | '\u{2010}' | '\u{ad}');
    if hyphen && before.is_alphabetic() && !is_address(text) {
        let capitals =
            before.is_uppercase() && next.chars().take(2).filter(|c| c.is_uppercase()).count() == 2;
        if first.is_lowercase() || capitals {
            if dash != '\u{ad}' && suspends(next) {
                text.push(' ');
            } else if dash == '\u{ad}' || !keeps_hyphen(text, next, words) {
                text.truncate(text.len() - dash.len_utf8());
            }
            text.push_str(next);
            return;
        }
    }
    if dash == '\u{ad}' {
        text.truncate(text.len() - dash.len_utf8());
    } else if !first.is_alphanumeric() {
        // A dash before a bracket or a quote ends a clause.
        text.push(' ');
    }
    text.push_str(next);
}

fn suspends(next: &str) -> bool {
    let word = next.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    SUSPENDING.contains(&word)
}

/// Whether a hyphen at the line end belongs to the word.
fn keeps_hyphen(text: &str, next: &str, words: &Vocabulary) -> bool {
    let head = text.trim_end_matches(is_dash);
    let start = head.rfind(|c: char| !(c.is_alphanumeric() || is_dash(c))).map_or(0, |at| at + 1);
    let head = head.get(start..).or_else(|| head.split_whitespace().next_back()).unwrap_or_default();
    let tail: String = next.chars().take_while(|c| c.is_alphanumeric() || is_dash(*c)).collect();
    if words.has(&format!("{head}{tail}")) {
        return false;
    }
    if words.has(&format!("{head}-{tail}")) {
        return true;
    }
    // "state-of-the-\nart" has hyphens on this line already.
    head.contains('-') || PREFIXES.contains(&head.to_lowercase().as_str())
}

/// Whether the last word is a web or mail address, complete or not.
fn is_address(text: &str) -> bool {
    let word = text.split_whitespace().next_back().unwrap_or_default();
    word.contains("://") || word.contains("www.") || (word.contains('@') && word.len() > 3)
}

/// Whether a line end divides a web or mail address.
fn is_address_break(text: &str, next: &str) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    let first = next.split_whitespace().next().unwrap_or_default();
    if first.starts_with('@')
        && first.contains('.')
        && last.chars().all(|c| c.is_alphanumeric() || ".-_+".contains(c))
    {
        return true;
    }
    if last.contains('@') && !last.starts_with('@') {
        let domain = last.rsplit('@').next().unwrap_or_default();
        let open = domain.is_empty() || domain.ends_with(['.', '-']) || !domain.contains('.');
        let tail = first.trim_end_matches(['.', ',', ';', ')']);
        return open
            && tail.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
            && tail.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.')
            && (tail.contains('.') || domain.ends_with('.'));
    }
    if last.contains("://") || last.starts_with("www.") {
        let open = last.ends_with(['/', '_', '=', '&', '?', '%', '#', '~', '+', ':']);
        let goes_on = first.starts_with(['/', '_', '=', '&', '?', '%', '#', '~'])
            || first.trim_end_matches(['.', ',', ')']).contains(['/', '=', '_', '?']);
        let dotted = last.ends_with('.')
            && first.starts_with(|c: char| c.is_ascii_lowercase())
            && first.contains(['/', '.']);
        return (open && first.starts_with(|c: char| c.is_ascii_alphanumeric())) || goes_on || dotted;
    }
    false
}
