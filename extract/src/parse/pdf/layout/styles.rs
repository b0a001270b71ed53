//! Styles of a document: the size of its body text and the sizes of its headings.

use super::lines::Line;

/// Number of heading levels told apart by size.
const LEVELS: usize = 4;

/// Minimum size of a heading relative to the body text.
const LARGER: f32 = 1.12;

/// Longest heading, in characters.
const MAX_HEADING: usize = 220;

/// Sizes in use, in half points, with the number of their characters.
#[derive(Debug, Default)]
pub(super) struct Census {
    sizes: std::collections::BTreeMap<u32, usize>,
    bold: usize,
    mono: usize,
    all: usize,
}

impl Census {
    pub(super) fn add(&mut self, line: &Line) {
        let count = line.len();
        *self.sizes.entry(key(line.size)).or_default() += count;
        self.all += count;
        self.bold += if line.bold { count } else { 0 };
        self.mono += if line.mono { count } else { 0 };
    }

    pub(super) fn styles(&self) -> Styles {
        let body = self.sizes.iter().max_by_key(|(_, count)| **count).map_or(20, |(size, _)| *size);
        let least = (body as f32 * LARGER).ceil() as u32;
        let mut larger: Vec<u32> = self.sizes.range(least..).rev().map(|(size, _)| *size).collect();
        // Sizes that differ by rounding are of one level.
        larger.dedup_by(|b, a| *a - *b <= 1);
        larger.truncate(LEVELS - 1);
        Styles { body: body as f32 / 2.0, headings: larger, all_bold: self.bold * 2 > self.all, mono: self.mono * 2 > self.all }
    }
}

fn key(size: f32) -> u32 {
    (size * 2.0).round().clamp(1.0, 2_000.0) as u32
}

/// The size of the body text in points, and what makes a heading.
#[derive(Clone, Debug)]
pub(super) struct Styles {
    pub body: f32,
    /// Sizes of headings in half points, largest first.
    headings: Vec<u32>,
    /// Most text is bold, so bold says nothing.
    all_bold: bool,
    /// Most letters have the same width, so that says nothing.
    mono: bool,
}

impl Styles {
    pub(super) fn all_bold(&self) -> bool {
        self.all_bold
    }

    pub(super) fn mono(&self) -> bool {
        self.mono
    }

    /// The level of the heading that a line is by its looks, from 1.
    pub(super) fn level(&self, line: &Line) -> Option<usize> {
        let letters = line.pieces.iter().flat_map(|piece| piece.text.chars()).filter(|c| c.is_alphabetic());
        if line.len() > MAX_HEADING || letters.count() < 2 || (line.mono && !self.mono) {
            return None;
        }
        if line.size >= LARGER * self.body {
            let size = key(line.size);
            let at = self.headings.iter().position(|&heading| size + 1 >= heading);
            return Some(at.map_or(LEVELS, |at| at + 1));
        }
        let bold = line.bold && !self.all_bold && line.size >= 0.95 * self.body;
        bold.then(|| (self.headings.len() + 1).min(LEVELS))
    }
}
