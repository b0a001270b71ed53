//! Glyphs to pieces: words, divided where the style changes.

use super::super::page::{Glyph, Link, Rect};
use super::characters::{is_combining, is_rtl, is_wide};

/// Tolerance of the baseline within a line, in em.
const BASELINE: f32 = 0.1;

/// Minimum gap between words, in em. Kerning stays below it, justified lines above it.
const WORD_GAP: f32 = 0.13;

/// Minimum gap between words from two text-showing operators, which are not kerned, in em.
const RUN_GAP: f32 = 0.1;

/// Minimum gap between words in a script without blanks between words, in em.
const WIDE_GAP: f32 = 0.4;

/// Maximum number of links of a page.
const MAX_LINKS: usize = 1_000;

/// Position of an index or exponent relative to the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Script {
    #[default]
    None,
    Super,
    Sub,
}

/// A word or a part of a word in one style.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    pub rect: Rect,
    pub baseline: f32,
    /// Font size in points.
    pub size: f32,
    /// Characters in visual order, from left to right. Right-to-left words are therefore reversed.
    pub text: String,
    pub bold: bool,
    pub mono: bool,
    /// Index into the links of the page.
    pub link: Option<usize>,
    /// Whether the piece follows the one on its left without a blank.
    pub glued: bool,
    pub script: Script,
    /// Lowest position in the content stream.
    pub order: u32,
    /// Whether a blank glyph precedes the piece.
    pub blank: bool,
}

impl Piece {
    pub(super) fn centre(&self) -> (f32, f32) {
        centre(&self.rect)
    }
}

pub(super) fn centre(rect: &Rect) -> (f32, f32) {
    ((rect.x0 + rect.x1) / 2.0, (rect.y0 + rect.y1) / 2.0)
}

pub(super) fn union(a: &Rect, b: &Rect) -> Rect {
    Rect { x0: a.x0.min(b.x0), y0: a.y0.min(b.y0), x1: a.x1.max(b.x1), y1: a.y1.max(b.y1) }
}

pub(super) fn contains(outer: &Rect, (x, y): (f32, f32)) -> bool {
    outer.x0 <= x && x <= outer.x1 && outer.y0 <= y && y <= outer.y1
}

/// Forms the pieces of upright glyphs, sorted by baseline, then from left to right.
pub(super) fn pieces(mut glyphs: Vec<Glyph>, links: &[Link]) -> Vec<Piece> {
    attach_marks(&mut glyphs);
    glyphs.sort_by(|a, b| a.baseline.total_cmp(&b.baseline).then(a.order.cmp(&b.order)));
    let mut pieces = Vec::new();
    let mut rest = glyphs.as_mut_slice();
    while let Some(first) = rest.first() {
        let (start, size) = (first.baseline, first.size);
        let end = rest
            .iter()
            .position(|glyph| glyph.baseline - start > (BASELINE * size.min(glyph.size)).max(0.3))
            .unwrap_or(rest.len());
        let (row, after) = rest.split_at_mut(end);
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0).then(a.order.cmp(&b.order)));
        row_pieces(row, links, &mut pieces);
        rest = after;
    }
    pieces
}

/// Appends combining marks to the letters that they follow in the content stream.
fn attach_marks(glyphs: &mut Vec<Glyph>) {
    glyphs.sort_by_key(|glyph| glyph.order);
    let mut kept: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs.drain(..) {
        match kept.last_mut() {
            Some(base) if glyph.text.chars().all(is_combining) && !base.text.trim().is_empty() => {
                base.text.push_str(&glyph.text);
            }
            _ => kept.push(glyph),
        }
    }
    *glyphs = kept;
}

fn row_pieces(row: &[Glyph], links: &[Link], pieces: &mut Vec<Piece>) {
    let spacing = letter_spacing(row);
    let mut last: Option<(&Glyph, Option<usize>)> = None;
    let mut blank = false;
    for (at, glyph) in row.iter().enumerate() {
        if glyph.text.trim().is_empty() {
            let middle = f32::midpoint(glyph.x0, glyph.x1);
            // Blanks beneath letters are padding of another text.
            blank |= last.is_none_or(|(last, _)| middle >= last.x1 - 0.2 * (last.x1 - last.x0));
            continue;
        }
        let link = links.iter().take(MAX_LINKS).position(|link| covers(&link.rect, glyph));
        let spaced = spacing.get(at).copied().unwrap_or_default();
        let joins = last.filter(|(last, _)| !blank && joined(last, glyph, spaced));
        match (joins, pieces.last_mut()) {
            (Some((last, last_link)), Some(piece))
                if same_style(last, glyph) && last_link == link && !turns(last, glyph) =>
            {
                push(piece, glyph);
            }
            _ => {
                let mut piece = Piece {
                    rect: Rect { x0: glyph.x0, y0: glyph.y0, x1: glyph.x1, y1: glyph.y1 },
                    baseline: glyph.baseline,
                    size: glyph.size,
                    bold: glyph.bold,
                    mono: glyph.mono,
                    link,
                    glued: joins.is_some(),
                    order: glyph.order,
                    blank,
                    ..Piece::default()
                };
                push(&mut piece, glyph);
                pieces.push(piece);
            }
        }
        last = Some((glyph, link));
        blank = false;
    }
}

fn push(piece: &mut Piece, glyph: &Glyph) {
    // The piece is in visual order. It is reversed later as a whole.
    if glyph.text.chars().any(is_rtl) {
        piece.text.extend(glyph.text.chars().rev());
    } else {
        piece.text.push_str(&glyph.text);
    }
    piece.rect = union(&piece.rect, &Rect { x0: glyph.x0, y0: glyph.y0, x1: glyph.x1, y1: glyph.y1 });
    piece.order = piece.order.min(glyph.order);
}

fn covers(rect: &Rect, glyph: &Glyph) -> bool {
    contains(rect, (f32::midpoint(glyph.x0, glyph.x1), f32::midpoint(glyph.y0, glyph.y1)))
}

/// Whether one glyph is a right-to-left letter and the other a Latin one. Their reading orders differ.
fn turns(a: &Glyph, b: &Glyph) -> bool {
    let rtl = |glyph: &Glyph| glyph.text.chars().any(is_rtl);
    let latin = |glyph: &Glyph| glyph.text.chars().any(|c| c.is_alphabetic() && !is_rtl(c));
    rtl(a) && latin(b) || latin(a) && rtl(b)
}

fn same_style(a: &Glyph, b: &Glyph) -> bool {
    a.bold == b.bold && a.mono == b.mono && (a.size - b.size).abs() <= 0.1 * a.size.max(b.size)
}

fn joined(last: &Glyph, glyph: &Glyph, spacing: f32) -> bool {
    let size = last.size.max(glyph.size).max(1.0);
    let gap = (glyph.x0 - last.x1) / size;
    let wide = |glyph: &Glyph| glyph.text.chars().all(is_wide);
    let least = if wide(last) && wide(glyph) {
        WIDE_GAP
    } else if last.run == glyph.run {
        WORD_GAP
    } else {
        RUN_GAP
    };
    gap > -0.6 && gap <= least.max(spacing)
}

/// For each glyph of a row, the maximum gap between the letters of a word, in em. Zero if the row is not
/// letter-spaced.
fn letter_spacing(row: &[Glyph]) -> Vec<f32> {
    let mut spacing = vec![0.0; row.len()];
    let mut start = 0;
    for end in 1..=row.len() {
        let splits = match (row.get(end - 1), row.get(end)) {
            (Some(last), Some(next)) => next.x0 - last.x1 > 2.0 * next.size,
            _ => true,
        };
        if splits {
            let gap = spaced_gap(row.get(start..end).unwrap_or_default());
            if let Some(part) = spacing.get_mut(start..end) {
                part.fill(gap);
            }
            start = end;
        }
    }
    spacing
}

fn spaced_gap(words: &[Glyph]) -> f32 {
    let shown = || words.iter().filter(|glyph| !glyph.text.trim().is_empty());
    let letters = shown().filter(|glyph| glyph.text.chars().all(char::is_alphabetic)).count();
    if letters < 4 || letters * 10 < shown().count() * 7 {
        return 0.0;
    }
    let mut gaps: Vec<f32> = words
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] if !a.text.trim().is_empty() && !b.text.trim().is_empty() => {
                Some((b.x0 - a.x1) / a.size.max(1.0))
            }
            _ => None,
        })
        .collect();
    gaps.sort_by(f32::total_cmp);
    let median = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
    // A row of single letters far apart, without blanks, is a row of cells.
    let blanks = shown().count() < words.len();
    let most = if blanks { 0.8 } else { 0.5 };
    if gaps.len() >= 3 && (0.07..most).contains(&median) { median * 1.6 + 0.03 } else { 0.0 }
}
