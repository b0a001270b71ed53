//! Conversion of the paragraphs of a story to blocks, in order.

use std::ops::Range;

use super::Reader;
use super::bytes::{slice, u16_at};
use super::properties::Paragraph;
use super::tables::Tables;
use crate::parse::word::model::{Block, Marker, Span};

const PARAGRAPH: u16 = 0x0d;
const CELL: u16 = 0x07;
const SECTION: u16 = 0x0c;

/// Maximum depth of nested notes and text boxes.
const MAX_STORIES: usize = 4;

impl Reader {
    /// Reads a separate story within another, such as a note.
    pub(super) fn story(&mut self, range: Range<usize>) -> Vec<Block> {
        let mut all = Vec::new();
        if self.depth >= MAX_STORIES {
            self.deep = true;
            return all;
        }
        self.depth += 1;
        let fields = std::mem::take(&mut self.fields);
        let end = range.end.min(self.text.units.len());
        self.blocks(range.start.min(end)..end, &mut |_, mut blocks| all.append(&mut blocks));
        self.fields = fields;
        self.depth -= 1;
        all
    }

    /// Reads the paragraphs in a range and passes on each group of complete blocks.
    pub(super) fn blocks(&mut self, range: Range<usize>, out: &mut dyn FnMut(&mut Self, Vec<Block>)) {
        let mut tables = Tables::default();
        // Text of a paragraph whose end was deleted.
        let mut carried: Vec<Span> = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let end = self.paragraph_end(start, range.end);
            let properties = self.paragraph(end.min(range.end - 1));
            let mut spans = std::mem::take(&mut carried);
            let noted = self.notes.pending.len();
            spans.extend(self.spans(start..end, &properties));
            let mark = self.text.units.get(end).copied();
            let boxes = self.boxes_before(end);
            let in_table = properties.in_table || properties.depth > 0;
            // A drop cap is the first letter of the next paragraph.
            let drop_cap = properties.drop_cap && !spans.is_empty();
            if mark == Some(PARAGRAPH) && !in_table && (drop_cap || self.is_deleted(end)) {
                carried = spans;
            } else if in_table {
                let ends_row = mark == Some(CELL) && properties.row_end || properties.inner_row_end;
                let ends_cell = mark == Some(CELL) || properties.inner_cell_end;
                // The mark at the end of a row is no paragraph.
                let mut blocks = if ends_row { Vec::new() } else { self.classify(&properties, spans) };
                blocks.extend(boxes);
                let complete = tables.add(&properties, blocks, ends_cell, ends_row);
                if tables.is_too_deep() {
                    self.deep = true;
                }
                if !complete.is_empty() {
                    out(self, complete);
                }
            } else {
                let mut blocks = tables.close();
                // The notes of a table are written after it.
                if self.depth == 0 && !blocks.is_empty() {
                    let own = self.notes.pending.split_off(noted.min(self.notes.pending.len()));
                    blocks.extend(std::mem::replace(&mut self.notes.pending, own));
                }
                blocks.extend(self.classify(&properties, spans));
                blocks.extend(boxes);
                blocks.append(&mut self.notes_if_outermost());
                if !blocks.is_empty() {
                    out(self, blocks);
                }
            }
            start = end + 1;
        }
        let mut blocks = tables.close();
        if !carried.is_empty() {
            blocks.push(Block::Paragraph(carried));
        }
        blocks.append(&mut self.notes_if_outermost());
        out(self, blocks);
    }

    /// The notes of the blocks read so far. Notes within notes are returned with the outermost block.
    fn notes_if_outermost(&mut self) -> Vec<Block> {
        if self.depth == 0 { std::mem::take(&mut self.notes.pending) } else { Vec::new() }
    }

    /// Position of the mark that ends the paragraph.
    fn paragraph_end(&self, start: usize, limit: usize) -> usize {
        let units = self.text.units.get(start..limit).unwrap_or_default();
        let is_end = |(index, unit): (usize, &u16)| match *unit {
            PARAGRAPH | CELL => true,
            // The character is a page break inside a paragraph, or the end of a section, which ends a
            // paragraph.
            SECTION => self.ends_paragraph(start + index),
            _ => false,
        };
        units.iter().enumerate().position(is_end).map_or(limit, |index| start + index)
    }

    fn ends_paragraph(&self, at: usize) -> bool {
        let Some(piece) = self.text.piece(at) else { return true };
        let offset = piece.offset + (at - piece.start) * piece.width;
        self.paragraphs.at(offset).is_none_or(|run| run.end as usize == offset + piece.width)
    }

    /// Properties of the paragraph that ends at a position.
    fn paragraph(&mut self, at: usize) -> Paragraph {
        let Some(piece) = self.text.piece(at) else { return Paragraph::default() };
        let offset = piece.offset + (at - piece.start) * piece.width;
        let run = self.paragraphs.at(offset);
        let style = run.map_or(0, |run| run.style);
        let mut paragraph = match self.known_styles.get(&style) {
            Some(known) => known.clone(),
            None => {
                let read = self.styles.paragraph(style);
                self.known_styles.insert(style, read.clone());
                read
            }
        };
        if let Some(run) = run {
            let properties = run.properties(&self.main);
            paragraph.apply(properties);
            // Long properties are in the data stream.
            if let Some(at) = paragraph.huge.take() {
                let length = usize::from(u16_at(&self.data, at as usize).unwrap_or(0));
                paragraph.apply(slice(&self.data, at as usize + 2, length));
            }
        }
        paragraph.apply(&piece.properties);
        paragraph
    }

    /// Whether a tracked change deletes the mark at this position.
    fn is_deleted(&self, at: usize) -> bool {
        let Some(piece) = self.text.piece(at) else { return false };
        let offset = piece.offset + (at - piece.start) * piece.width;
        let mut character = super::properties::Character::default();
        if let Some(run) = self.characters.at(offset) {
            character.apply(run.properties(&self.main));
        }
        character.deleted
    }

    /// The text boxes anchored up to a position, while the main text is read.
    fn boxes_before(&mut self, end: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        while self.depth == 0
            && let Some((anchor, _)) = self.text_boxes.front()
            && *anchor <= end
            && let Some((_, range)) = self.text_boxes.pop_front()
        {
            blocks.extend(self.story(range));
        }
        blocks
    }

    fn classify(&mut self, properties: &Paragraph, text: Vec<Span>) -> Vec<Block> {
        let blank = text.iter().all(|span| span.text.trim().is_empty());
        let list = properties.list.filter(|list| !matches!(*list, 0 | -2047));
        let number = list.and_then(|list| self.lists.next(list, properties.level.unwrap_or(0)));
        let number = number.and_then(|(level, marker)| Some((level, marker?)));
        let in_table = properties.in_table || properties.depth > 0;
        // A numbered cell without text is kept, because it displays its number.
        if blank && !(in_table && matches!(number, Some((_, Marker::Number(_))))) {
            return Vec::new();
        }
        let level = match properties.outline {
            Some(level) => (level < 9).then_some((level + 1).min(6)),
            None => self.styles.heading(properties.style),
        };
        vec![match (level, number) {
            (Some(level), Some((_, Marker::Number(number)))) => {
                Block::Heading { level, number: Some(number), text }
            }
            (Some(level), _) => Block::Heading { level, number: None, text },
            (None, Some((level, marker))) => Block::Item { level, marker, text },
            (None, None) => Block::Paragraph(text),
        }]
    }
}
