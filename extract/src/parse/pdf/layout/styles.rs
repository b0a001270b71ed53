//! Styles of a document: the size of its body text and the sizes of its headings.

use super::lines::Line;

/// Lowest level of a heading.
const LEVELS: usize = 4;

/// Minimum size of the headings of each level, relative to the body text.
const LARGER: [f32; 3] = [1.8, 1.38, 1.12];

/// Longest heading, in characters.
const MAX_HEADING: usize = 220;

/// Sizes in use, in half points, with the number of their characters.
#[derive(Debug, Default)]
pub(super) struct Census {
    sizes: std::collections::BTreeMap<u32, usize>,
    /// Sizes in use near the upper and lower edges of the pages, the place of running headers.
    edges: std::collections::BTreeMap<u32, usize>,
    bold: usize,
    mono: usize,
    all: usize,
}

impl Census {
    pub(super) fn add(&mut self, line: &Line, edge: bool) {
        let count = line.len();
        let sizes = if edge { &mut self.edges } else { &mut self.sizes };
        *sizes.entry(key(line.size)).or_default() += count;
        self.all += count;
        self.bold += if line.bold { count } else { 0 };
        self.mono += if line.mono { count } else { 0 };
    }

    pub(super) fn styles(&self) -> Styles {
        let inner = if self.sizes.is_empty() { &self.edges } else { &self.sizes };
        let body = inner.iter().max_by_key(|(_, count)| **count).map_or(20, |(size, _)| *size);
        let mut levels: Vec<usize> = self
            .sizes
            .keys()
            .chain(self.edges.keys())
            .filter_map(|size| level(*size as f32 / body as f32))
            .collect();
        levels.sort_unstable();
        levels.dedup();
        Styles {
            body: body as f32 / 2.0,
            levels,
            all_bold: self.bold * 2 > self.all,
            mono: self.mono * 2 > self.all,
        }
    }
}

/// The level of letters of this relative size.
fn level(relative: f32) -> Option<usize> {
    LARGER.iter().position(|least| relative >= *least)
}

fn key(size: f32) -> u32 {
    (size * 2.0).round().clamp(1.0, 2_000.0) as u32
}

/// The size of the body text in points, and the characteristics of headings.
#[derive(Clone, Debug)]
pub(super) struct Styles {
    pub body: f32,
    /// Levels that occur, largest letters first. The first one in use counts as 1.
    levels: Vec<usize>,
    /// Whether most text is bold. Bold text is then no sign of a heading.
    all_bold: bool,
    /// Whether most letters have the same width. Equal widths are then no sign of code.
    mono: bool,
}

impl Styles {
    pub(super) fn all_bold(&self) -> bool {
        self.all_bold
    }

    pub(super) fn mono(&self) -> bool {
        self.mono
    }

    /// The heading level of a line by its size and weight, from 1.
    pub(super) fn level(&self, line: &Line) -> Option<usize> {
        let letters = line.pieces.iter().flat_map(|piece| piece.text.chars()).filter(|c| c.is_alphabetic());
        if line.len() > MAX_HEADING || letters.count() < 2 || (line.mono && !self.mono) {
            return None;
        }
        if let Some(level) = level(key(line.size) as f32 / key(self.body) as f32) {
            return Some(self.levels.iter().position(|other| *other == level).unwrap_or_default() + 1);
        }
        let bold = line.bold && !self.all_bold && line.size >= 0.95 * self.body;
        bold.then(|| (self.levels.len() + 1).min(LEVELS))
    }
}
