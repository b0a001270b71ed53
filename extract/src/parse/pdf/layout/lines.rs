//! Pieces to lines, with indices and exponents in their place.

use super::super::page::Rect;
use super::piece::{Piece, Script, union};

/// Tolerance of the baseline between words, in em.
const BASELINE: f32 = 0.15;

/// A line of text. Never empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// From left to right.
    pub pieces: Vec<Piece>,
    pub rect: Rect,
    pub baseline: f32,
    /// Font size of most of its characters.
    pub size: f32,
    /// Whether all letters are bold.
    pub bold: bool,
    /// Whether all letters have the same width.
    pub mono: bool,
}

impl Line {
    fn new(mut pieces: Vec<Piece>) -> Option<Self> {
        pieces.sort_by(|a, b| a.rect.x0.total_cmp(&b.rect.x0));
        let size = main_size(&pieces);
        let first = pieces.first()?;
        let main = || pieces.iter().filter(|piece| piece.script == Script::None);
        let rect = main().map(|piece| piece.rect).reduce(|a, b| union(&a, &b)).unwrap_or(first.rect);
        let left = pieces.iter().map(|piece| piece.rect.x0).fold(rect.x0, f32::min);
        let right = pieces.iter().map(|piece| piece.rect.x1).fold(rect.x1, f32::max);
        let baseline = main().max_by(|a, b| a.size.total_cmp(&b.size)).unwrap_or(first).baseline;
        let lettered = |piece: &&Piece| piece.text.chars().any(char::is_alphanumeric);
        let bold = pieces.iter().any(|piece| lettered(&piece))
            && pieces.iter().filter(lettered).all(|piece| piece.bold);
        let mono = pieces.iter().all(|piece| piece.mono);
        let rect = Rect { x0: left, x1: right, ..rect };
        Some(Self { rect, baseline, size, bold, mono, pieces })
    }

    /// Number of characters, blanks between pieces included.
    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.chars().count() + usize::from(!piece.glued)).sum()
    }

    /// Divides the line at gaps of at least `gap` points.
    pub(super) fn segments(&self, gap: f32) -> Vec<Line> {
        let mut parts: Vec<Vec<Piece>> = Vec::new();
        let mut right = f32::NEG_INFINITY;
        for piece in &self.pieces {
            match parts.last_mut() {
                Some(part) if piece.rect.x0 - right < gap => part.push(piece.clone()),
                _ => parts.push(vec![piece.clone()]),
            }
            right = right.max(piece.rect.x1);
        }
        parts.into_iter().filter_map(Line::new).collect()
    }
}

/// The font size of most characters.
fn main_size(pieces: &[Piece]) -> f32 {
    let mut sizes: Vec<(f32, usize)> = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.script == Script::None) {
        let count = piece.text.chars().count();
        match sizes.iter_mut().find(|(size, _)| (*size - piece.size).abs() < 0.3) {
            Some((_, sum)) => *sum += count,
            None => sizes.push((piece.size, count)),
        }
    }
    let first = pieces.first().map_or(1.0, |piece| piece.size);
    sizes.into_iter().max_by_key(|(_, count)| *count).map_or(first, |(size, _)| size)
}

/// Forms the lines of a region, from top to bottom.
pub(super) fn lines(mut pieces: Vec<Piece>) -> Vec<Line> {
    pieces.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    let mut start = f32::NEG_INFINITY;
    let mut size = 0.0_f32;
    for piece in pieces {
        let tolerance = BASELINE * size.min(piece.size);
        match rows.last_mut() {
            Some(row) if piece.baseline - start <= tolerance => row.push(piece),
            _ => {
                start = piece.baseline;
                size = piece.size;
                rows.push(vec![piece]);
            }
        }
    }
    attach_scripts(&mut rows);
    let mut lines: Vec<Line> = rows.into_iter().filter_map(Line::new).collect();
    lines.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    lines
}

/// Moves indices, exponents and slightly displaced words to the rows they belong to.
fn attach_scripts(rows: &mut [Vec<Piece>]) {
    let heads: Vec<(f32, f32)> =
        rows.iter().map(|row| (row.first().map_or(0.0, |piece| piece.baseline), main_size(row))).collect();
    for at in 0..rows.len() {
        let Some(&(baseline, size)) = heads.get(at) else { continue };
        // The nearest rows first: the row itself is small, so its line is at most two rows away.
        for other in [at + 1, at.wrapping_sub(1), at + 2, at.wrapping_sub(2)] {
            let Some(&(main, main_size)) = heads.get(other) else { continue };
            let Some(script) = relation(baseline - main, size, main_size) else { continue };
            let moved = take_adjacent(rows, at, other, script, main_size);
            if let Some(row) = rows.get_mut(other) {
                row.extend(moved);
            }
        }
    }
}

/// Script of a text of `size` at this distance below a line of size `main`. `None` if it is no part of the
/// line.
fn relation(distance: f32, size: f32, main: f32) -> Option<Script> {
    let em = distance / main.max(1.0);
    if size <= 0.86 * main {
        if (-0.8..=-0.1).contains(&em) {
            return Some(Script::Super);
        }
        if (0.05..=0.5).contains(&em) {
            return Some(Script::Sub);
        }
    }
    // The same line, displaced: scanned pages, and fonts with other baselines.
    (size <= 1.2 * main && (-0.3..=0.3).contains(&em)).then_some(Script::None)
}

fn take_adjacent(rows: &mut [Vec<Piece>], from: usize, to: usize, script: Script, main: f32) -> Vec<Piece> {
    let Some(target) = rows.get(to) else { return Vec::new() };
    // Bounded: a row of a page has few pieces, but a hostile one may have any number.
    if target.len() > 2_000 || rows.get(from).is_none_or(|row| row.len() > 2_000) {
        return Vec::new();
    }
    let near = |piece: &Piece| {
        let overlap = |other: &Piece| {
            piece.rect.x0 + 0.1 * main < other.rect.x1 && other.rect.x0 + 0.1 * main < piece.rect.x1
        };
        let beside = |other: &Piece| {
            let after = piece.rect.x0 - other.rect.x1;
            let before = other.rect.x0 - piece.rect.x1;
            let reach = if script == Script::None { 1.0 } else { 0.45 } * main;
            let mark = script == Script::Super && piece.text.chars().count() <= 3;
            // The mark of a footnote stands apart from its text.
            let ahead = if mark { 1.3 * main } else { reach };
            (-0.25 * main..reach).contains(&after) || (-0.25 * main..ahead).contains(&before)
        };
        let beside_any = target.iter().any(beside);
        beside_any && (script != Script::None || !target.iter().any(overlap))
    };
    let base = target.first().map_or(0.0, |piece| piece.baseline);
    let left = target.iter().map(|piece| piece.rect.x0).fold(f32::INFINITY, f32::min);
    let picked: Vec<bool> = rows.get(from).map(|row| chained(row, near, main)).unwrap_or_default();
    let Some(row) = rows.get_mut(from) else { return Vec::new() };
    let mut moved = Vec::new();
    let mut kept = Vec::new();
    for (mut piece, picked) in std::mem::take(row).into_iter().zip(picked) {
        if picked {
            let raised = script == Script::None
                && piece.baseline < base - 0.14 * main
                && piece.rect.x1 <= left
                && piece.text.len() <= 3
                && piece.text.bytes().all(|byte| byte.is_ascii_digit());
            if raised {
                piece.script = Script::Super;
            } else if piece.script == Script::None {
                piece.script = script;
            }
            moved.push(piece);
        } else {
            kept.push(piece);
        }
    }
    *row = kept;
    moved
}

/// For each piece of a row, whether it is near or follows a near one without a wide gap.
fn chained(row: &[Piece], near: impl Fn(&Piece) -> bool, main: f32) -> Vec<bool> {
    let mut picked: Vec<bool> = row.iter().map(&near).collect();
    let mut order: Vec<usize> = (0..row.len()).collect();
    let left = |at: &usize| row.get(*at).map_or(0.0, |piece| piece.rect.x0);
    order.sort_by(|a, b| left(a).total_cmp(&left(b)));
    for pair in order.windows(2) {
        let [a, b] = pair else { continue };
        let (Some(first), Some(next)) = (row.get(*a), row.get(*b)) else { continue };
        let follows = next.rect.x0 - first.rect.x1 < 0.3 * main;
        if follows
            && picked.get(*a) == Some(&true)
            && let Some(pick) = picked.get_mut(*b)
        {
            *pick = true;
        }
    }
    picked
}
