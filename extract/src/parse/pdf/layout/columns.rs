//! Gutters: strips without text that divide a region into columns.

use super::super::page::Rect;

/// Minimum width of a gutter, in em of the body text.
const MIN_WIDTH: f32 = 0.9;

/// Maximum number of strips followed at a time.
const MAX_STRIPS: usize = 64;

/// Maximum number of gutters returned; each is tested against all words of the region.
const MAX_FOUND: usize = 24;

/// Maximum number of bands a region is divided into.
const MAX_BANDS: usize = 4_000;

/// A strip without text and the range of rows it spans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gutter {
    pub x0: f32,
    pub x1: f32,
    pub y0: f32,
    pub y1: f32,
}

impl Gutter {
    pub(super) fn middle(&self) -> f32 {
        f32::midpoint(self.x0, self.x1)
    }

    pub(super) fn height(&self) -> f32 {
        self.y1 - self.y0
    }
}

/// Finds the gutters between these boxes, tallest first. `em` is the size of the body text.
pub(super) fn gutters(boxes: &[Rect], em: f32) -> Vec<Gutter> {
    let Some(bounds) = boxes.iter().copied().reduce(|a, b| super::piece::union(&a, &b)) else {
        return Vec::new();
    };
    let step = (em * 0.4).max((bounds.y1 - bounds.y0) / MAX_BANDS as f32).max(0.5);
    let mut strips: Vec<Gutter> = Vec::new();
    let mut found: Vec<Gutter> = Vec::new();
    for (band, taken) in bands(boxes, &bounds, step).into_iter().enumerate() {
        let y0 = bounds.y0 + band as f32 * step;
        if taken.is_empty() {
            continue;
        }
        let free = gaps(&taken, &bounds, MIN_WIDTH * em);
        let mut next: Vec<Gutter> = Vec::new();
        for strip in &strips {
            let mut goes_on = false;
            for &(left, right) in &free {
                let (x0, x1) = (strip.x0.max(left), strip.x1.min(right));
                if x1 - x0 >= MIN_WIDTH * em {
                    goes_on |= x1 - x0 >= 0.98 * (strip.x1 - strip.x0);
                    next.push(Gutter { x0, x1, y0: strip.y0, y1: y0 + step });
                }
            }
            if !goes_on {
                found.push(*strip);
            }
        }
        next.extend(free.iter().map(|&(x0, x1)| Gutter { x0, x1, y0, y1: y0 + step }));
        strips = longest(next);
    }
    found.append(&mut strips);
    found.retain(|strip| strip.x0 > bounds.x0 + 1.0 && strip.x1 < bounds.x1 - 1.0);
    found.sort_by(|a, b| b.height().total_cmp(&a.height()).then((b.x1 - b.x0).total_cmp(&(a.x1 - a.x0))));
    found.truncate(MAX_FOUND);
    found
}

/// The horizontal extents of the boxes in each band.
fn bands(boxes: &[Rect], bounds: &Rect, step: f32) -> Vec<Vec<(f32, f32)>> {
    let count = (((bounds.y1 - bounds.y0) / step).ceil() as usize).clamp(1, MAX_BANDS + 1);
    let mut bands = vec![Vec::new(); count];
    for rect in boxes {
        // The boxes are reduced in height, because ascent and descent overlap with the next line.
        let shrink = 0.2 * (rect.y1 - rect.y0);
        let first = ((rect.y0 + shrink - bounds.y0) / step).max(0.0) as usize;
        let last = ((rect.y1 - shrink - bounds.y0) / step).max(0.0) as usize;
        let last = last.max(first).min(count - 1);
        for band in bands.get_mut(first..=last).unwrap_or_default() {
            band.push((rect.x0, rect.x1));
        }
    }
    bands
}

/// Gaps of at least `least` points between the extents of a band, and the space beside them.
fn gaps(taken: &[(f32, f32)], bounds: &Rect, least: f32) -> Vec<(f32, f32)> {
    let mut taken = taken.to_vec();
    taken.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut gaps = Vec::new();
    let mut right = bounds.x0 - least;
    for (x0, x1) in taken {
        if x0 - right >= least {
            gaps.push((right, x0));
        }
        right = right.max(x1);
    }
    gaps.push((right, bounds.x1 + least));
    gaps
}

/// Drops strips that lie within a longer one, and keeps the longest.
fn longest(mut strips: Vec<Gutter>) -> Vec<Gutter> {
    strips.sort_by(|a, b| a.y0.total_cmp(&b.y0).then((b.x1 - b.x0).total_cmp(&(a.x1 - a.x0))));
    let mut kept: Vec<Gutter> = Vec::new();
    for strip in strips {
        let known = kept.iter().any(|other| other.x0 <= strip.x0 + 0.01 && strip.x1 <= other.x1 + 0.01);
        if !known && kept.len() < MAX_STRIPS {
            kept.push(strip);
        }
    }
    kept
}
