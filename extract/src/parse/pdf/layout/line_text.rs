//! The text of a line: order of reading, blanks, exponents, emphasis and links.

use super::characters::{is_rtl, is_wide};
use super::lines::Line;
use super::piece::{Piece, Script};
use super::rtl::{self, logical, mirror_brackets, reverse_runs, rtl_order, strong};

/// Gap that divides two pieces of different rows, in em.
const GAP: f32 = 0.15;

/// A run of text in one style, in logical order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Span {
    pub text: String,
    /// A blank precedes the span.
    pub spaced: bool,
    pub bold: bool,
    pub mono: bool,
    pub link: Option<usize>,
}

/// The spans of a line, one for each piece.
pub(super) fn spans(line: &Line) -> Vec<Span> {
    let mut pieces: Vec<&Piece> = line.pieces.iter().collect();
    let (rtl, ltr) = strong(&line.pieces);
    let mirrored = rtl > 0 && rtl * 2 >= ltr;
    if !mirrored && rtl > 0 {
        reverse_runs(&mut pieces, |piece| piece.text.chars().any(is_rtl));
    }
    let order = if mirrored { rtl_order(&line.pieces) } else { pieces };
    let turned = if mirrored { rtl::texts(&order) } else { Vec::new() };
    let mut spans: Vec<Span> = Vec::with_capacity(order.len());
    let mut last: Option<&Piece> = None;
    let mut before = String::new();
    for (at, piece) in order.iter().copied().enumerate() {
        let text = turned.get(at).map_or_else(|| logical(&piece.text), |(text, _)| text.clone());
        let spaced = last.is_some_and(|last| {
            is_spaced(last, piece) && !(mirrored && is_prefixed(last, &order, at))
                || leaves_latin(last, piece)
                || is_note_mark(&spans, last)
        });
        let text =
            if piece.script == Script::None { text } else { script(piece.script, &text, &before, spaced) };
        before.clone_from(&text);
        if let Some(previous) = last.filter(|previous| previous.script == Script::None && !spaced) {
            before.insert_str(0, &logical(&previous.text));
        }
        spans.push(Span { text, spaced, bold: piece.bold, mono: piece.mono, link: piece.link });
        last = Some(piece);
    }
    if mirrored {
        mirror_brackets(&mut spans, &turned);
    }
    spans
}

/// Whether a blank divides two pieces that follow each other in reading order.
fn is_spaced(last: &Piece, piece: &Piece) -> bool {
    let (left, right) = if piece.rect.x0 >= last.rect.x0 { (last, piece) } else { (piece, last) };
    if right.glued {
        return false;
    }
    let wide =
        left.text.chars().next_back().is_some_and(is_wide) && right.text.chars().next().is_some_and(is_wide);
    let gap = right.rect.x0 - left.rect.x1;
    let size = left.size.max(right.size);
    if wide {
        return gap > 0.8 * size;
    }
    let scripts = left.script != Script::None || right.script != Script::None;
    let same_row = !scripts && (left.baseline - right.baseline).abs() <= 0.1 * size;
    same_row || right.blank || gap > if scripts { 0.2 } else { GAP } * size
}

/// Whether the spans so far are the mark of a note at the start of its line.
fn is_note_mark(spans: &[Span], last: &Piece) -> bool {
    last.script == Script::Super && matches!(spans, [mark] if mark.text.starts_with('['))
}

/// Whether a right-to-left word follows a Latin one. A blank then belongs between them, but it is often drawn
/// on the wrong side. In the reverse order, the right-to-left word may be a prefix of the Latin word.
fn leaves_latin(last: &Piece, piece: &Piece) -> bool {
    let latin = |c: char| c.is_alphabetic() && !is_rtl(c);
    last.text.chars().next_back().is_some_and(latin)
        && logical(&piece.text).chars().next().is_some_and(is_rtl)
}

/// Whether the blank before a Latin word belongs behind it. This holds if a prefix of one letter precedes the
/// Latin word and the next word touches it.
fn is_prefixed(last: &Piece, order: &[&Piece], at: usize) -> bool {
    let latin = |piece: &&Piece| piece.text.chars().all(|c| c.is_alphanumeric() && !is_rtl(c));
    let rtl = |piece: &Piece| piece.text.chars().any(is_rtl);
    let (Some(word), Some(next)) = (order.get(at), order.get(at + 1)) else { return false };
    latin(word) && rtl(last) && last.text.chars().count() == 1 && rtl(next) && !is_spaced(word, next)
}

/// An exponent, index or mark in one line, so that it never becomes part of a number.
fn script(script: Script, text: &str, before: &str, spaced: bool) -> String {
    let last = if spaced { None } else { before.chars().next_back() };
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let letters = text.chars().all(char::is_alphabetic);
    let word = before.chars().rev().take_while(|c| c.is_alphabetic()).count();
    if script == Script::Sub {
        // Chemical formulas are written like H2O.
        let element = digits && word <= 2 && before.chars().any(char::is_uppercase);
        return match last {
            Some(c) if c.is_alphanumeric() && !element => format!("_{text}"),
            _ => text.to_owned(),
        };
    }
    match last {
        Some(c) if c.is_ascii_digit() && digits => {
            if text.len() == 2 && is_price(before) {
                format!(".{text}")
            } else {
                format!("^{text}")
            }
        }
        Some(c) if c.is_ascii_digit() && letters => text.to_owned(),
        Some(c) if c.is_ascii_digit() => marked(text),
        Some(c) if c.is_alphabetic() && digits => {
            if is_unit(before, word) {
                format!("^{text}")
            } else {
                format!("[{text}]")
            }
        }
        Some(c) if c.is_alphabetic() && letters && word > 1 => text.to_owned(),
        Some(c) if c.is_alphabetic() || c == ')' || c == ']' => marked(text),
        _ if digits => format!("[{text}]"),
        _ => text.to_owned(),
    }
}

/// Whether the word before an exponent is a variable or a unit of length or time.
fn is_unit(before: &str, word: usize) -> bool {
    let start = before.char_indices().rev().nth(word.saturating_sub(1)).map_or(0, |(at, _)| at);
    let unit = before.get(start..).unwrap_or_default();
    word == 1
        || matches!(
            unit,
            "km" | "cm"
                | "mm"
                | "dm"
                | "nm"
                | "µm"
                | "ft"
                | "in"
                | "mi"
                | "yd"
                | "ms"
                | "sq"
                | "км"
                | "см"
                | "мм"
        )
}

fn marked(text: &str) -> String {
    if text.chars().any(char::is_alphanumeric) && text.chars().any(|c| matches!(c, '+' | '-' | '−' | '/')) {
        let single = text.starts_with(['-', '−', '+']) && text.chars().skip(1).all(char::is_alphanumeric);
        return if single { format!("^{text}") } else { format!("^({text})") };
    }
    if text.chars().all(char::is_alphanumeric) { format!("^{text}") } else { text.to_owned() }
}

/// Whether a text ends with a currency sign and digits.
fn is_price(before: &str) -> bool {
    before.contains(['€', '$', '£', '¥', '₹', '₽', '₩', '₺', '₴'])
}

/// The plain text of a line.
pub(super) fn text(line: &Line) -> String {
    let mut text = String::new();
    for span in spans(line) {
        if span.spaced {
            text.push(' ');
        }
        text.push_str(&span.text);
    }
    text.trim().to_owned()
}

/// The plain text of a piece.
pub(super) fn piece(piece: &Piece) -> String {
    logical(&piece.text)
}
