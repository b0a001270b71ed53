//! Positions of footnotes, endnotes and text boxes: their marks in the text and their own text.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use super::Reader;
use super::bytes::{positions, u16_at, u32_at};
use super::properties::records;
use crate::parse::word::model::Block;

/// A note by the position of its mark.
#[derive(Clone)]
struct Note {
    text: Range<usize>,
    /// Whether Word numbers the note. Otherwise the author wrote its mark.
    numbered: bool,
    endnote: bool,
}

/// The notes of a document.
pub(super) struct Notes {
    by_position: HashMap<usize, Note>,
    /// Positions of the marks, in order.
    positions: Vec<usize>,
    footnotes: usize,
    /// Footnotes and endnotes numbered so far.
    counts: [usize; 2],
    labels: HashSet<String>,
    /// Notes of the current block, to be written after it.
    pub(super) pending: Vec<Block>,
}

impl Notes {
    /// Reads the positions of footnotes and endnotes, and the positions of their texts. The stories of the
    /// texts begin at `starts`.
    pub(super) fn read(references: [&[u8]; 2], texts: [&[u8]; 2], starts: [u32; 2]) -> Self {
        let mut by_position = HashMap::new();
        let mut footnotes = 0;
        for (kind, ((references, texts), start)) in references.into_iter().zip(texts).zip(starts).enumerate()
        {
            let texts = positions(texts, 0);
            for ((position, record), ends) in records(references, 2).into_iter().zip(texts.windows(2)) {
                let [from, to] = ends else { continue };
                let at = |position: u32| start.saturating_add(position) as usize;
                let numbered = u16_at(record, 0).is_some_and(|number| number != 0);
                footnotes += usize::from(kind == 0 && numbered);
                by_position.insert(
                    position as usize,
                    Note { text: at(*from)..at(*to), numbered, endnote: kind == 1 },
                );
            }
        }
        let mut positions: Vec<usize> = by_position.keys().copied().collect();
        positions.sort_unstable();
        Self {
            by_position,
            positions,
            footnotes,
            counts: [0, 0],
            labels: HashSet::new(),
            pending: Vec::new(),
        }
    }

    /// The first mark behind a position.
    pub(super) fn after(&self, position: usize) -> usize {
        let next = self.positions.partition_point(|known| *known <= position);
        self.positions.get(next).copied().unwrap_or(usize::MAX)
    }

    /// Whether a note belongs to this position.
    pub(super) fn is_at(&self, position: usize) -> bool {
        self.by_position.contains_key(&position)
    }

    fn label(&mut self, note: &Note, mark: &str) -> String {
        let mark = mark.trim();
        let usable = !mark.is_empty() && !mark.contains(['[', ']', '^']) && !self.labels.contains(mark);
        let mut label = mark.to_owned();
        if note.numbered || !usable {
            loop {
                let count = self.counts.get_mut(usize::from(note.endnote));
                let number = count.map_or(0, |count| {
                    *count += 1;
                    *count
                });
                label = (if note.endnote { self.footnotes + number } else { number }).to_string();
                if !self.labels.contains(&label) {
                    break;
                }
            }
        }
        self.labels.insert(label.clone());
        label
    }
}

impl Reader {
    /// Returns the label of the note at a position and reads the note. It is written after the current block.
    pub(super) fn reference(&mut self, position: usize, mark: &str) -> Option<String> {
        let note = self.notes.by_position.remove(&position)?;
        let label = self.notes.label(&note, mark);
        let place = self.notes.pending.len();
        let mut blocks = self.story(note.text);
        if !note.numbered
            && let Some(Block::Paragraph(spans)) = blocks.first_mut()
            && let Some(first) = spans.first_mut()
            && let Some(rest) = first.text.trim_start().strip_prefix(mark.trim())
        {
            first.text = rest.trim_start().to_owned();
        }
        let place = place.min(self.notes.pending.len());
        self.notes.pending.insert(place, Block::Note { label: label.clone(), blocks });
        Some(label)
    }
}

/// Text boxes of the main text: the position of their anchor and the range of their text.
pub(super) fn text_boxes(anchors: &[u8], texts: &[u8], start: usize) -> VecDeque<(usize, Range<usize>)> {
    const ANCHOR: usize = 26;
    const TEXT: usize = 22;
    /// Offset of the identifier of the shape.
    const SHAPE: usize = 14;

    let by_shape: HashMap<u32, u32> = records(anchors, ANCHOR)
        .into_iter()
        .filter_map(|(position, record)| Some((u32_at(record, 0)?, position)))
        .collect();
    let ends = positions(texts, TEXT);
    let mut boxes: Vec<(usize, Range<usize>)> = records(texts, TEXT)
        .into_iter()
        .zip(ends.into_iter().skip(1))
        .filter_map(|((from, record), to)| {
            let anchor = by_shape.get(&u32_at(record, SHAPE)?).map_or(usize::MAX, |anchor| *anchor as usize);
            let range = start.saturating_add(from as usize)..start.saturating_add(to as usize);
            (from < to).then_some((anchor, range))
        })
        .collect();
    boxes.sort_by_key(|(anchor, range)| (*anchor, range.start));
    boxes.into()
}
