//! Pure: the parts of a Markdown passage that can answer a question, as a reader hears them, with their place in it.

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

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A sentence, or an item of a list.
    Sentence,
    /// A row of a table, or a name with its value.
    Row,
    /// A list, with the sentence that announces it.
    List,
    /// A list with numbers, whole and in order.
    Steps,
    /// The first sentences of the answer to a question that the passage itself asks.
    FaqAnswer,
}

/// A part of a passage that can be an answer, or part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// What it says, without markup. A list has a line for each item.
    pub(super) text: String,
    /// Context that is matched with a question and not told: the question before an answer, the sentence that announces
    /// a list, the headers of a row, the antecedent of a pronoun.
    pub(super) lead: Option<String>,
    /// The heading or label above it within the passage.
    pub(super) heading: Option<String>,
    /// Its place in the passage, in characters, markup included.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) kind: UnitKind,
    /// Of a sentence that begins with a pronoun: its text and its place together with the sentence before it.
    pub(super) with_antecedent: Option<(String, Range<usize>)>,
}

/// The units of a passage, in order. One may contain others: a long list its items, an answer its sentences.
pub(super) fn units(passage: &str) -> Vec<Unit> {
    let blocks = blocks::blocks(passage);
    let mut walk = UnitCollector::new(passage);
    for (at, block) in blocks.iter().enumerate() {
        walk.read(block, blocks.get(at + 1));
    }
    let mut units = walk.units;
    units.sort_by_key(|unit| (unit.span.start, std::cmp::Reverse(unit.span.end)));
    units.dedup_by(|next, unit| next.span == unit.span);
    units
}

/// A part of a text.
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

/// A sentence that announces what follows it.
#[derive(Clone, Debug)]
struct Announcement {
    text: String,
    /// Its bytes in the passage.
    source: Range<usize>,
}

/// The way through the blocks of a passage.
struct UnitCollector {
    /// The byte at which each character of the passage begins.
    characters: Vec<usize>,
    units: Vec<Unit>,
    heading: Option<String>,
    /// The question that the next block answers.
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

    /// A heading or a label: what follows it belongs to it, and answers it when it asks.
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

    /// Characters of the passage that bytes of it stand for.
    fn span(&self, source: &Range<usize>) -> Range<usize> {
        let before = |byte: usize| self.characters.partition_point(|start| *start < byte);
        before(source.start)..before(source.end)
    }
}

#[cfg(test)]
mod tests;
