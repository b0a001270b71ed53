//! Marks at the start of a line: bullets, numbers of list items, marks of notes.

use super::characters::is_bullet;
use super::lines::Line;
use super::piece::Script;

/// What a line starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Text,
    /// A bullet of this many characters.
    Bullet(usize),
    /// A number or letter of a list, with its value if it is a number.
    Number(Option<u32>),
    /// `§ 12`, `Art. 3`, `1.2.3`: each begins a line, none makes a list.
    Section,
    /// An asterisk or a dagger of a note.
    Note,
}

/// What a line starts with. `text` is the text of the line; `starred` says that a star on the page refers
/// to a note.
pub(super) fn start(line: &Line, text: &str, starred: bool) -> Start {
    let mut characters = text.chars();
    let (Some(first), second) = (characters.next(), characters.next()) else { return Start::Text };
    let word = text.split_whitespace().next().unwrap_or_default();
    if raised(line) && text.starts_with('[') {
        return Start::Note;
    }
    let alone = second.is_none_or(char::is_whitespace);
    if is_bullet(first)
        && (alone || !matches!(first, '·' | '»'))
        && text.matches(first).count() == 1
        && text.chars().count() > 1
    {
        return Start::Bullet(1);
    }
    if matches!(first, '*' | '†' | '‡') && (starred || first != '*') && second.is_some() {
        return Start::Note;
    }
    if alone && text.chars().count() > 2 {
        if matches!(first, '-' | '–' | '—' | '*' | '−') {
            return Start::Bullet(1);
        }
        // A letter o in place of a bullet stands far from the text.
        let gap = match line.pieces.as_slice() {
            [a, b, ..] => b.rect.x0 - a.rect.x1,
            _ => 0.0,
        };
        if first == 'o' && gap > 0.7 * line.size {
            return Start::Bullet(1);
        }
    }
    if text.chars().count() <= word.chars().count() {
        return Start::Text;
    }
    numbered(word, text)
}

/// Whether a line starts with a raised mark.
fn raised(line: &Line) -> bool {
    line.pieces.len() > 1 && line.pieces.first().is_some_and(|piece| piece.script == Script::Super)
}

fn numbered(word: &str, text: &str) -> Start {
    if word.starts_with('§') || matches!(word, "Art." | "Article" | "Artikel") && second_is_number(text) {
        return Start::Section;
    }
    let bare = word.trim_start_matches('(').trim_end_matches(['.', ')']);
    let closed = word.ends_with(['.', ')']);
    if !closed || bare.is_empty() {
        let dotted = bare.split('.').count() >= 2
            && bare
                .split('.')
                .all(|part| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit()));
        // "1.5 kg" is an amount.
        let heading = text.split_whitespace().nth(1).is_some_and(|next| next.starts_with(char::is_uppercase));
        return if dotted && heading { Start::Section } else { Start::Text };
    }
    if bare.len() <= 3 && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return Start::Number(bare.parse().ok());
    }
    let roman = bare.len() <= 5 && bare.bytes().all(|byte| b"ivx".contains(&byte));
    let letter = bare.chars().count() == 1 && bare.chars().all(char::is_alphabetic);
    // "A. Smith" is a name, "a. first" an item.
    if roman || (letter && (word.ends_with(')') || bare.chars().all(char::is_lowercase))) {
        return Start::Number(None);
    }
    let dotted = bare.split('.').count() >= 2
        && bare.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if dotted { Start::Section } else { Start::Text }
}

fn second_is_number(text: &str) -> bool {
    text.split_whitespace().nth(1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}
