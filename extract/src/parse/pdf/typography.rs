//! Undoes typesetting: ligatures, leader dots and end-of-line hyphenation.

use super::super::{markdown, text};

/// Minimum number of consecutive dots in a leader; an ellipsis has fewer.
const MIN_LEADER_DOTS: usize = 6;

/// Restores the text of a page.
pub(super) fn restore(page: &str) -> String {
    markdown::unescape(&join_broken_words(&shorten_leaders(&split_ligatures(&text::clean(page)))))
}

fn split_ligatures(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{fb00}' => letters.push_str("ff"),
            '\u{fb01}' => letters.push_str("fi"),
            '\u{fb02}' => letters.push_str("fl"),
            '\u{fb03}' => letters.push_str("ffi"),
            '\u{fb04}' => letters.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => letters.push_str("st"),
            _ => letters.push(character),
        }
    }
    letters
}

/// Replaces the dots that lead to a page number by an ellipsis.
fn shorten_leaders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['.', '·', '…']) {
        let (before, from) = rest.split_at(at);
        let after = from.trim_start_matches(['.', '·', '…', ' ']);
        let run = from.get(..from.len() - after.len()).unwrap_or_default();
        out.push_str(before);
        if run.chars().filter(|character| *character != ' ').count() >= MIN_LEADER_DOTS {
            out.push_str("… ");
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Words that follow a suspended hyphen: "pre- and post-war", "Ein- und Ausgang".
const SUSPENDING: &[&str] = &[
    "and", "or", "to", "nor", "vs", "und", "oder", "bis", "bzw", "sowie", "et", "ou", "y", "e", "o", "en",
    "of", "och", "og", "i", "lub", "и", "или",
];

/// Joins words divided by a soft hyphen, or by a hyphen before a gap and a lower-case letter. The line end
/// may be a space by now. Code is unchanged.
fn join_broken_words(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut code = false;
    let mut prose = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            if !code {
                join(text.get(prose..at).unwrap_or_default(), &mut joined);
            }
            code = !code;
            joined.push_str(line);
            prose = at + line.len();
        } else if code {
            joined.push_str(line);
            prose = at + line.len();
        }
        at += line.len();
    }
    join(text.get(prose..).unwrap_or_default(), &mut joined);
    joined
}

fn join(prose: &str, joined: &mut String) {
    let mut rest = prose;
    while let Some(at) = rest.find(['\u{ad}', '\u{2010}', '-']) {
        let (before, from) = rest.split_at(at);
        joined.push_str(before);
        let Some(hyphen) = from.chars().next() else { break };
        let after = from.get(hyphen.len_utf8()..).unwrap_or_default();
        let next = after_gap(after);
        let before = joined.chars().next_back();
        let in_word = before.is_some_and(char::is_alphabetic);
        let capitals = before.is_some_and(char::is_uppercase) && is_capitals(next);
        let goes_on =
            in_word && next.len() < after.len() && (next.starts_with(char::is_lowercase) || capitals);
        if goes_on && (hyphen == '\u{ad}' || !suspends(next)) {
            rest = next;
        } else {
            // A soft hyphen is visible only at a line end.
            if hyphen != '\u{ad}' {
                joined.push(hyphen);
            }
            rest = after;
        }
    }
    joined.push_str(rest);
}

/// The text after spaces and at most one line end. Two line ends separate paragraphs.
fn after_gap(text: &str) -> &str {
    let blank = [' ', '\t'];
    let next = text.trim_start_matches(blank);
    next.strip_prefix('\n').unwrap_or(next).trim_start_matches(blank)
}

/// Whether the text starts with two capitals. A single capital may start a new word.
fn is_capitals(next: &str) -> bool {
    next.chars().take(2).filter(|character| character.is_uppercase()).count() == 2
}

fn suspends(next: &str) -> bool {
    let word = next.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
    SUSPENDING.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_words_are_joined_and_compounds_stay() {
        for (printed, restored) in [
            ("of\u{fb01}ce \u{fb04}", "office ffl"),
            ("infor\u{ad} mation", "information"),
            ("infor\u{ad}\nmation", "information"),
            ("infor\u{ad}mation", "information"),
            ("infor\u{2010} mation", "information"),
            ("infor-\nmation", "information"),
            ("well\u{2010}known", "well\u{2010}known"),
            ("infor- mation", "information"),
            ("Größen- ordnung", "Größenordnung"),
            ("pre- and post-war", "pre- and post-war"),
            ("Ein- und Ausgang", "Ein- und Ausgang"),
            ("one - two", "one - two"),
            ("OP- TIONAL", "OPTIONAL"),
            ("Intro . . . . . . . 5", "Intro … 5"),
            ("Wait... what", "Wait... what"),
            ("end-\n\nof", "end-\n\nof"),
            ("run-\nning\n```\na-\nb\n```\nrun-\nning", "running\n```\na-\nb\n```\nrunning"),
            ("Jean-\nPaul", "Jean-\nPaul"),
            ("- item\n- other", "- item\n- other"),
            ("pages 3-\n4", "pages 3-\n4"),
            ("end\u{ad}", "end"),
        ] {
            assert_eq!(restore(printed), restored);
        }
    }
}
