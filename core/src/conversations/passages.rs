//! Pure: splits a Markdown passage into units that can answer a question.
//!
//! A unit is plain text with its range in the passage.

use std::ops::Range;

mod blocks;
mod classify;
mod lists;
mod prose;
mod questions;
mod records;
mod sentences;
mod tables;
mod text;
mod vocabulary;

use blocks::Block;
use text::Text;

/// Kind of unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// Sentence or list item.
    Sentence,
    /// Table row, or a name with its value.
    Row,
    /// List with its announcement.
    List,
    /// Numbered list, whole and in order.
    Steps,
    /// First sentences of the answer to a question in the passage itself.
    FaqAnswer,
}

/// Part of a passage that can be an answer, or part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Plain text; a list has one line per item.
    pub(super) text: String,
    /// Context that is matched but not shown: the question before an answer, the announcement of a list, the
    /// headers of a row, the antecedent of a pronoun.
    pub(super) lead: Option<String>,
    /// Heading or label above it within the passage.
    pub(super) heading: Option<String>,
    /// Range in the passage, in characters, including markup.
    pub(super) span: Range<usize>,
    /// Kind of unit.
    pub(super) kind: UnitKind,
    /// For a sentence that starts with a pronoun: text and range including the sentence before it.
    pub(super) with_antecedent: Option<(String, Range<usize>)>,
}

/// Units of a passage, in order. They may nest: a long list and its items, an answer and its sentences.
pub(super) fn units(passage: &str) -> Vec<Unit> {
    let blocks = blocks::blocks(passage);
    let mut collector = UnitCollector::new(passage);
    for (at, block) in blocks.iter().enumerate() {
        collector.read(block, blocks.get(at + 1));
    }
    let mut units = collector.units;
    units.sort_by_key(|unit| (unit.span.start, std::cmp::Reverse(unit.span.end)));
    units.dedup_by(|next, unit| next.span == unit.span);
    units
}

/// Slice of a text.
#[derive(Clone, Copy, Debug)]
struct TextSlice<'a> {
    text: &'a Text,
    start: usize,
    end: usize,
}

impl<'a> TextSlice<'a> {
    fn new(text: &'a Text, range: Range<usize>) -> Self {
        let range = text.trim(range);
        Self { text, start: range.start, end: range.end }
    }

    fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    fn plain(&self) -> &'a str {
        self.text.get(&self.range())
    }

    fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// Sentence that announces the next block.
#[derive(Clone, Debug)]
struct Announcement {
    text: String,
    /// Range in the passage, in bytes.
    source: Range<usize>,
}

/// Collects units while walking the blocks of a passage.
struct UnitCollector {
    /// Byte offset of each character of the passage.
    characters: Vec<usize>,
    units: Vec<Unit>,
    heading: Option<String>,
    /// Question that the next block answers.
    question: Option<String>,
    announcement: Option<Announcement>,
}

impl UnitCollector {
    fn new(passage: &str) -> Self {
        let characters = passage.char_indices().map(|(at, _)| at).collect();
        Self { characters, units: Vec::new(), heading: None, question: None, announcement: None }
    }

    fn read(&mut self, block: &Block, next: Option<&Block>) {
        let announcement = self.announcement.take();
        match block {
            Block::Heading(text) => self.set_heading(text.get(&text.whole())),
            Block::Paragraph(text) => self.paragraph(text, next),
            Block::List(items) => {
                let items: Vec<lists::ListItem<'_>> = items.iter().map(lists::ListItem::from).collect();
                self.list(&items, announcement);
            }
            Block::Table { head, rows } => self.table(head, rows, announcement.as_ref()),
            Block::Code(text) => self.command(text, announcement),
            Block::Rule => {}
        }
        if !matches!(block, Block::Heading(_) | Block::Paragraph(_)) {
            self.question = None;
        }
    }

    /// Sets the heading of the blocks that follow, and their question if it is one.
    fn set_heading(&mut self, text: &str) {
        let text = classify::question_prefix(text).and_then(|at| text.get(at..)).unwrap_or(text).trim();
        self.question = classify::is_question(text).then(|| text.to_owned());
        self.heading =
            Some(text.trim_end_matches([':', '：']).trim_end().to_owned()).filter(|name| !name.is_empty());
    }

    fn push(&mut self, kind: UnitKind, text: String, lead: Option<String>, source: Range<usize>) {
        let span = self.span(&source);
        if span.is_empty() || text.trim().is_empty() {
            return;
        }
        let heading = self.heading.clone();
        self.units.push(Unit { text, lead, heading, span, kind, with_antecedent: None });
    }

    /// Converts a byte range of the passage to characters.
    fn span(&self, source: &Range<usize>) -> Range<usize> {
        let before = |byte: usize| self.characters.partition_point(|start| *start < byte);
        before(source.start)..before(source.end)
    }
}

#[cfg(test)]
mod tests;
