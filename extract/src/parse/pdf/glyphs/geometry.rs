//! Affine transforms and bounding boxes.

use super::super::page::Rect;

/// An affine transform: `x' = ax + cy + e`, `y' = bx + dy + f`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) c: f64,
    pub(super) d: f64,
    pub(super) e: f64,
    pub(super) f: f64,
}

impl Matrix {
    pub(super) const IDENTITY: Self = Self::new([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(super) const fn new([a, b, c, d, e, f]: [f64; 6]) -> Self {
        Self { a, b, c, d, e, f }
    }

    pub(super) const fn translation(x: f64, y: f64) -> Self {
        Self::new([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// The transform that applies `self` first and `outer` after it.
    pub(super) fn then(self, outer: Self) -> Self {
        Self {
            a: self.a * outer.a + self.b * outer.c,
            b: self.a * outer.b + self.b * outer.d,
            c: self.c * outer.a + self.d * outer.c,
            d: self.c * outer.b + self.d * outer.d,
            e: self.e * outer.a + self.f * outer.c + outer.e,
            f: self.e * outer.b + self.f * outer.d + outer.f,
        }
    }

    pub(super) fn apply(self, x: f64, y: f64) -> (f64, f64) {
        (self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f)
    }

    /// Bounding box of a transformed rectangle, given by two opposite corners.
    pub(super) fn bounds(self, x0: f64, y0: f64, x1: f64, y1: f64) -> Rect {
        let mut bounds = Bounds::default();
        for (x, y) in [(x0, y0), (x0, y1), (x1, y0), (x1, y1)] {
            bounds.add(self.apply(x, y));
        }
        bounds.rect().unwrap_or_default()
    }

    /// Length of the transformed unit vector along `x`.
    pub(super) fn scale_x(self) -> f64 {
        self.a.hypot(self.b)
    }

    /// Length of the transformed unit vector along `y`.
    pub(super) fn scale_y(self) -> f64 {
        self.c.hypot(self.d)
    }
}

/// Bounding box of points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    x0: f64,
    y0: f64,
    x1: f64,
    y1: f64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { x0: f64::INFINITY, y0: f64::INFINITY, x1: f64::NEG_INFINITY, y1: f64::NEG_INFINITY }
    }
}

impl Bounds {
    pub(super) fn add(&mut self, (x, y): (f64, f64)) {
        self.x0 = self.x0.min(x);
        self.y0 = self.y0.min(y);
        self.x1 = self.x1.max(x);
        self.y1 = self.y1.max(y);
    }

    /// `None` without points, and when a coordinate is not finite.
    pub(super) fn rect(self) -> Option<Rect> {
        let rect = Rect { x0: self.x0 as f32, y0: self.y0 as f32, x1: self.x1 as f32, y1: self.y1 as f32 };
        [rect.x0, rect.y0, rect.x1, rect.y1].iter().all(|side| side.is_finite()).then_some(rect)
    }
}

/// The common part of two rectangles. Empty (of no width or height) when they do not overlap.
pub(super) fn intersection(one: Rect, other: Rect) -> Rect {
    let (x0, y0) = (one.x0.max(other.x0), one.y0.max(other.y0));
    Rect { x0, y0, x1: one.x1.min(other.x1).max(x0), y1: one.y1.min(other.y1).max(y0) }
}

/// The smallest rectangle around two.
pub(super) fn union(one: Rect, other: Rect) -> Rect {
    Rect {
        x0: one.x0.min(other.x0),
        y0: one.y0.min(other.y0),
        x1: one.x1.max(other.x1),
        y1: one.y1.max(other.y1),
    }
}

/// Whether the point lies in the rectangle or at most `margin` outside it.
pub(super) fn contains(rect: Rect, x: f32, y: f32, margin: f32) -> bool {
    x >= rect.x0 - margin && x <= rect.x1 + margin && y >= rect.y0 - margin && y <= rect.y1 + margin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_apply_from_the_inside_out() {
        let scale = Matrix::new([2.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        let both = Matrix::translation(1.0, 0.0).then(scale);
        assert_eq!(both.apply(1.0, 1.0), (4.0, 2.0));
    }

    #[test]
    fn bounds_of_a_turned_rectangle_are_upright() {
        let quarter = Matrix::new([0.0, 1.0, -1.0, 0.0, 0.0, 0.0]);
        assert_eq!(quarter.bounds(0.0, 0.0, 2.0, 1.0), Rect { x0: -1.0, y0: 0.0, x1: 0.0, y1: 2.0 });
    }
}
