//! Lines to headings, paragraphs, list items, notes and code.

use super::super::page::Link;
use super::inline::{Inline, Plain, has_leader};
use super::joining::Vocabulary;
use super::lines::Line;
use super::markers::Start;
use super::seen::{Seen, see, usual_pitch};
use super::styles::Styles;

/// Longest block, in bytes.
const MAX_BLOCK: usize = 20_000;

/// Maximum number of lines of a heading.
const MAX_HEADING_LINES: usize = 4;

/// Kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Heading(usize),
    Paragraph,
    /// A list item, indented by this many levels. Its number, if any, is part of the text.
    Item(usize, bool),
    /// A note at the foot of the page.
    Note,
    Code,
    /// Complete Markdown.
    Done,
}

/// A block of text.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub kind: Kind,
    pub text: Inline,
    /// The Markdown of code and of complete blocks.
    pub raw: String,
    /// Whether the last line reaches the right edge, so that the sentence may continue elsewhere.
    pub open: bool,
}

impl Block {
    pub(super) fn done(raw: String) -> Self {
        Self { kind: Kind::Done, text: Inline::default(), raw, open: false }
    }

    pub(super) fn markdown(&self, links: &[Link], styles: &Styles) -> String {
        let plain = Plain { bold: styles.all_bold(), mono: styles.mono() };
        match self.kind {
            Kind::Heading(level) => {
                format!(
                    "{} {}",
                    "#".repeat(level.clamp(1, 6)),
                    self.text.markdown(links, Plain { bold: true, mono: true }).replace('\n', " ")
                )
            }
            Kind::Item(depth, bullet) => {
                let mark = if bullet { "- " } else { "" };
                format!("{}{mark}{}", "  ".repeat(depth.min(6)), self.text.markdown(links, plain))
            }
            Kind::Note => escaped(self.text.markdown(links, plain)),
            Kind::Paragraph => escaped(self.text.markdown(links, plain)),
            Kind::Code | Kind::Done => self.raw.clone(),
        }
    }
}

/// Escapes a character that would start a heading, a quotation or a list.
fn escaped(text: String) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    let marks = matches!(word, "-" | "+" | "*" | ">") || (!word.is_empty() && word.chars().all(|c| c == '#'));
    if marks { format!("\\{text}") } else { text }
}

/// Values common to all lines of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub styles: &'a Styles,
    pub words: &'a Vocabulary,
    /// Whether a star behind a word of the page refers to a note.
    pub starred: bool,
}

/// How a line relates to the one above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    None,
    Line,
    Block,
}

/// Forms the blocks of a column.
pub(super) fn blocks(lines: &[Line], context: Context<'_>) -> Vec<Block> {
    let seen = see(lines, context);
    let pitch = usual_pitch(&seen);
    let mut blocks: Vec<Block> = Vec::new();
    let mut indents: Vec<f32> = Vec::new();
    let mut at = 0;
    while let Some(first) = seen.get(at) {
        let code = super::code::extent(lines.get(at..).unwrap_or_default(), context.styles);
        if code > 0 {
            let raw = super::code::fenced(lines.get(at..at + code).unwrap_or_default());
            blocks.push(Block { kind: Kind::Code, text: Inline::default(), raw, open: false });
            at += code;
            continue;
        }
        let mut end = at + 1;
        let mut text = first.text.clone();
        while seen.get(end).is_some() && text.as_str().len() < MAX_BLOCK {
            match relation(&seen, at, end, pitch) {
                Break::Block => break,
                Break::Line => {
                    if let Some(next) = seen.get(end) {
                        text.break_line(&next.text);
                    }
                }
                Break::None => {
                    if let Some(next) = seen.get(end) {
                        text.join(&next.text, context.words);
                    }
                }
            }
            end += 1;
        }
        if first.level.is_some() && end - at > MAX_HEADING_LINES {
            // Long texts in large letters are names, addresses or verses.
            text = first.text.clone();
            for next in seen.get(at + 1..end).unwrap_or_default() {
                text.break_line(&next.text);
            }
        }
        let open = seen.get(end - 1).is_some_and(|last| !last.short);
        blocks.push(block(first, text, open, &mut indents, context));
        at = end;
    }
    blocks
}

fn block(
    first: &Seen<'_>,
    mut text: Inline,
    open: bool,
    indents: &mut Vec<f32>,
    context: Context<'_>,
) -> Block {
    let small = first.line.size < 0.95 * context.styles.body;
    let kind = match first.start {
        Start::Bullet(marks) => {
            text.skip(marks);
            Kind::Item(depth(first.line.rect.x0, first.line.size, indents), true)
        }
        Start::Note => Kind::Note,
        _ if first.level.is_some() && is_heading_text(text.as_str()) => {
            Kind::Heading(first.level.unwrap_or(1))
        }
        Start::Number(_) => Kind::Item(depth(first.line.rect.x0, first.line.size, indents), false),
        _ if small && is_note(first.text.as_str()) => Kind::Note,
        _ => Kind::Paragraph,
    };
    if !matches!(kind, Kind::Item(..)) {
        indents.clear();
    }
    Block { kind, text, raw: String::new(), open }
}

/// Whether a text may be a heading: short, and not several sentences.
fn is_heading_text(text: &str) -> bool {
    let count = text.chars().count();
    let sentences = text.matches(". ").count();
    count <= 240
        && text.lines().count() < 2
        && !(sentences >= 2 && count > 100)
        && !text.ends_with([',', ';'])
        && !(text.ends_with('.') && count > 90)
}

/// Whether a small text starts with the mark of a footnote.
fn is_note(text: &str) -> bool {
    let mark = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(mark, _)| mark);
    mark.is_some_and(|mark| !mark.is_empty() && mark.len() <= 3 && mark.bytes().all(|b| b.is_ascii_digit()))
        || text.starts_with(['*', '†', '‡'])
}

/// The level of a list item, from the stack of open indents.
fn depth(x: f32, size: f32, indents: &mut Vec<f32>) -> usize {
    while indents.last().is_some_and(|last| *last > x + 0.5 * size) {
        indents.pop();
    }
    if indents.last().is_none_or(|last| *last < x - 0.5 * size) {
        indents.push(x);
    }
    indents.len().saturating_sub(1)
}

/// How line `at` relates to the one above it, in a block that starts at `first`.
fn relation(seen: &[Seen<'_>], first: usize, at: usize, pitch: f32) -> Break {
    let (Some(head), Some(above), Some(line)) = (seen.get(first), seen.get(at - 1), seen.get(at)) else {
        return Break::Block;
    };
    let size = line.line.size.max(above.line.size).max(1.0);
    if above.level != line.level && !matches!(head.start, Start::Bullet(_)) {
        return Break::Block;
    }
    if above.level.is_some() && line.level.is_some() && !matches!(head.start, Start::Bullet(_)) {
        let alike = (above.line.size - line.line.size).abs() <= 0.06 * size;
        let goes_on = alike
            && line.pitch <= 1.75 * size
            && line.start == Start::Text
            && above.line.bold == line.line.bold;
        return if goes_on { Break::None } else { Break::Block };
    }
    if (above.line.size - line.line.size).abs() > 0.12 * size
        || line.line.mono != above.line.mono && line.line.mono
    {
        return Break::Block;
    }
    if line.pitch > (pitch + 0.38) * size || line.pitch > 3.0 * size {
        return Break::Block;
    }
    let left = line.line.rect.x0 - above.line.rect.x0;
    match line.start {
        Start::Bullet(_) | Start::Note => return Break::Block,
        Start::Number(value) if begins_item(head, above, value, left, size) => return Break::Block,
        Start::Section if above.short || head.start == Start::Section => return Break::Block,
        _ => {}
    }
    if has_leader(line.text.as_str()) || has_leader(above.text.as_str()) {
        return Break::Line;
    }
    let listed = matches!(head.start, Start::Bullet(_) | Start::Number(_) | Start::Note);
    if listed {
        // The text of an item is indented; text at the mark or left of it is no part of the list.
        let outdented =
            line.line.rect.x0 < head.line.rect.x0 + 0.3 * size && at > first + 1 && left < -0.5 * size;
        let back = left.abs() < 0.3 * size && at == first + 1 && above.short;
        return if outdented || back {
            Break::Block
        } else if above.short && at > first + 1 {
            Break::Line
        } else {
            Break::None
        };
    }
    let opens_bold = |seen: &Seen<'_>| seen.line.pieces.first().is_some_and(|piece| piece.bold);
    if above.short && opens_bold(line) && !line.line.bold && !above.line.bold {
        return Break::Block;
    }
    let next_left = seen.get(at + 1).map_or(left, |next| line.line.rect.x0 - next.line.rect.x0);
    let indented =
        (0.7 * size..6.0 * size).contains(&left) && (next_left > 0.6 * size || seen.get(at + 1).is_none());
    if indented && (above.short || at != first + 1) {
        return Break::Block;
    }
    // Hanging indents: the first line of an entry begins left of the others.
    let stands_out = left < -0.7 * size && at > first + 1 && above.short;
    if stands_out {
        return Break::Block;
    }
    if above.short { Break::Line } else { Break::None }
}

/// Whether a line that starts like "3." begins a list item. The number may also be the end of a sentence.
fn begins_item(head: &Seen<'_>, above: &Seen<'_>, value: Option<u32>, left: f32, size: f32) -> bool {
    if above.short {
        return true;
    }
    match (head.start, value) {
        (Start::Number(Some(last)), Some(value)) => value == last + 1 || value == 1,
        (Start::Number(None), _) => true,
        _ => left.abs() > 0.6 * size && value.is_none_or(|value| value <= 2),
    }
}
