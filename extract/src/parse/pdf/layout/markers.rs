//! Marks at the start of a line: bullets, numbers of list items, marks of notes.

use super::characters::is_bullet;
use super::lines::Line;
use super::piece::{Piece, Script};

/// Kind of the start of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Text,
    /// A bullet of this many characters.
    Bullet(usize),
    /// A number or letter of a list, with its value if it is a number.
    Number(Option<u32>),
    /// `§ 12`, `Art. 3`, `1.2.3`. Each begins a line of its own, without forming a list.
    Section,
    /// An asterisk or a dagger of a note.
    Note,
}

/// The kind of the start of a line. `text` is the text of the line; `starred` means that a star on the page
/// refers to a note.
pub(super) fn start(line: &Line, text: &str, starred: bool) -> Start {
    let mut characters = text.chars();
    let (Some(first), second) = (characters.next(), characters.next()) else { return Start::Text };
    let word = text.split_whitespace().next().unwrap_or_default();
    if raised(line) && (text.starts_with('[') || matches!(first, '*' | '†' | '‡')) {
        return Start::Note;
    }
    let alone = second.is_none_or(char::is_whitespace);
    // Ticks and crosses have a meaning, so they stay in the text.
    if is_tick(first) && text.chars().count() > 2 {
        return Start::Bullet(0);
    }
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
        // A letter o is a bullet if it stands far from the text.
        let gap = match line.pieces.as_slice() {
            [a, b, ..] => b.rect.x0 - a.rect.x1,
            _ => 0.0,
        };
        if first == 'o' && gap > 0.7 * line.size {
            return Start::Bullet(1);
        }
    }
    if is_chinese_article(word) {
        return Start::Section;
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

/// Maximum number of separate stars that are compared with the words of a page.
const MAX_STARS: usize = 16;

/// Whether a star behind a word of the page refers to a note.
pub(super) fn is_starred(pieces: &[Piece]) -> bool {
    let glued = pieces.iter().any(|piece| {
        let mut characters = piece.text.chars().rev();
        matches!(characters.next(), Some('*' | '†'))
            && (characters.next().is_some_and(char::is_alphanumeric) || piece.glued)
    });
    let alone = |piece: &&Piece| matches!(piece.text.as_str(), "*" | "**" | "†");
    glued || pieces.iter().filter(alone).take(MAX_STARS).any(|star| ends_line(star, pieces))
}

/// Whether a star stands right behind the last word of a line.
fn ends_line(star: &Piece, pieces: &[Piece]) -> bool {
    let mut follows = false;
    for other in pieces.iter().filter(|other| (star.baseline - other.baseline).abs() < 0.6 * other.size) {
        if other.rect.x0 > star.rect.x0 + 0.1 {
            return false;
        }
        let gap = star.rect.x0 - other.rect.x1;
        follows |= (-0.2 * other.size..0.6 * other.size).contains(&gap)
            && other.text.ends_with(char::is_alphanumeric);
    }
    follows
}

fn numbered(word: &str, text: &str) -> Start {
    if word.starts_with('§') || is_article(word) && second_is_number(text) {
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

fn is_article(word: &str) -> bool {
    matches!(
        word,
        "Art." | "Art" | "Article" | "Artikel" | "Artículo" | "Articolo" | "Artigo" | "Artykuł" | "Статья"
    )
}

/// "第一条", "第3章".
fn is_chinese_article(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('第') else { return false };
    let number = |c: char| c.is_ascii_digit() || "一二三四五六七八九十百零〇０１２３４５６７８９".contains(c);
    let after = rest.trim_start_matches(number);
    after.len() < rest.len() && after.starts_with(['条', '條', '章', '节', '節', '款', '项', '項'])
}

/// Ticks and crosses, which answer a question.
fn is_tick(character: char) -> bool {
    matches!(character, '✓' | '✔' | '✗' | '✘' | '☐' | '☑' | '☒')
}

fn second_is_number(text: &str) -> bool {
    text.split_whitespace().nth(1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// Kind and value of a possible number at the start of a line: "A. Opening", "II. Report", "② Close",
/// "Step 2: Close", "2 Berths". A second line of the same kind confirms it.
pub(super) fn series(text: &str) -> Option<(String, u32)> {
    let mut words = text.split_whitespace();
    let (word, next) = (words.next()?, words.next()?);
    let bare = word.trim_end_matches(['.', ')', ':']);
    let upper = next.starts_with(|c: char| c.is_uppercase() || !c.is_lowercase() && c.is_alphabetic());
    let mut characters = bare.chars();
    let first = characters.next()?;
    if characters.next().is_none() {
        let code = u32::from(first);
        let circled = [('\u{2460}', '\u{2473}'), ('\u{2776}', '\u{277f}'), ('\u{24b6}', '\u{24e9}')];
        if let Some((start, _)) = circled.iter().find(|(start, end)| (*start..=*end).contains(&first)) {
            return Some((start.to_string(), code));
        }
        // "I." may be the first Roman number, which is examined below.
        if first.is_alphabetic() && word.len() > bare.len() && first != 'I' {
            return Some(("letter".to_owned(), code));
        }
    }
    if word.len() > bare.len()
        && let Some(value) = roman(bare)
    {
        return Some(("roman".to_owned(), value));
    }
    let digits = |text: &str| (text.len() <= 3).then(|| text.parse::<u32>().ok()).flatten();
    if let Some(value) = digits(word) {
        return upper.then(|| ("number".to_owned(), value));
    }
    // "Q1:" and "Step 1:".
    let label = bare.trim_end_matches(|c: char| c.is_ascii_digit());
    if word.len() > bare.len() && (1..=12).contains(&label.chars().count()) && first.is_uppercase() {
        return digits(bare.get(label.len()..)?).map(|value| (label.to_owned(), value));
    }
    let number = next.trim_end_matches(['.', ')', ':']);
    (first.is_uppercase() && next.len() > number.len())
        .then(|| digits(number).map(|value| (word.to_owned(), value)))
        .flatten()
}

/// The value of a Roman number in capitals, up to 39.
fn roman(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 6 {
        return None;
    }
    let mut value: i32 = 0;
    let mut last = 0;
    for character in text.chars().rev() {
        let digit = match character {
            'I' => 1,
            'V' => 5,
            'X' => 10,
            _ => return None,
        };
        if digit < last {
            value -= digit;
        } else {
            value += digit;
            last = digit;
        }
    }
    u32::try_from(value).ok()
}
