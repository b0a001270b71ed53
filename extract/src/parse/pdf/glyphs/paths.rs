//! Paths: rules, boxes and clips.

use super::super::page::{Area, Page, Rect, Rule};
use super::geometry::{Bounds, Matrix, contains, intersection};
use super::state::State;

/// Maximum number of points kept of a path. The bounds include further points.
const MAX_POINTS: usize = 20_000;

/// Maximum number of rules, and of boxes, of a page. Drawings have more.
const MAX_SHAPES: usize = 20_000;

/// Thickness up to which a filled rectangle is a rule, in points.
const MAX_RULE: f32 = 3.0;

/// Minimum length of a rule, in points. A shorter line is part of a drawing.
const MIN_RULE: f32 = 2.0;

/// Maximum offset of the ends of a line, in points. A line with a larger offset is slanted.
const MAX_SKEW: f32 = 0.7;

/// The current path, on the page.
#[derive(Default)]
pub(super) struct Path {
    parts: Vec<Part>,
    points: usize,
    bounds: Bounds,
    /// Last point, in user space.
    last: (f64, f64),
}

#[derive(Default)]
struct Part {
    points: Vec<(f64, f64)>,
    closed: bool,
    curved: bool,
}

impl Path {
    pub(super) fn move_to(&mut self, matrix: Matrix, x: f64, y: f64) {
        self.last = (x, y);
        if self.points < MAX_POINTS {
            self.parts.push(Part::default());
        }
        self.add(matrix, x, y);
    }

    pub(super) fn line_to(&mut self, matrix: Matrix, x: f64, y: f64) {
        self.last = (x, y);
        self.add(matrix, x, y);
    }

    pub(super) fn curve_to(&mut self, matrix: Matrix, points: &[(f64, f64)]) {
        if let Some(part) = self.parts.last_mut() {
            part.curved = true;
        }
        for (x, y) in points {
            self.line_to(matrix, *x, *y);
        }
    }

    pub(super) fn rectangle(&mut self, matrix: Matrix, x: f64, y: f64, width: f64, height: f64) {
        self.move_to(matrix, x, y);
        self.add(matrix, x + width, y);
        self.add(matrix, x + width, y + height);
        self.add(matrix, x, y + height);
        self.close();
    }

    pub(super) fn close(&mut self) {
        if let Some(part) = self.parts.last_mut() {
            part.closed = true;
        }
    }

    fn add(&mut self, matrix: Matrix, x: f64, y: f64) {
        let point = matrix.apply(x, y);
        self.bounds.add(point);
        if self.points < MAX_POINTS
            && let Some(part) = self.parts.last_mut()
        {
            self.points += 1;
            part.points.push(point);
        }
    }

    /// Adds the path to a clip.
    pub(super) fn clip(&self, clip: Option<Rect>) -> Option<Rect> {
        match (self.bounds.rect(), clip) {
            (Some(own), Some(clip)) => Some(intersection(own, clip)),
            (own, clip) => own.or(clip),
        }
    }

    /// Records the rules and boxes that the path paints.
    pub(super) fn paint(&self, page: &mut Page, state: &State<'_>, fill: bool, stroke: bool) {
        let clip = state.clip.unwrap_or_default();
        let width = (state.line_width * (state.matrix.scale_x() + state.matrix.scale_y()) / 2.0) as f32;
        for part in &self.parts {
            if part.points.len() < 2 {
                continue;
            }
            let Some(rect) = part.bounds().rect() else { continue };
            let visible = intersection(rect, clip);
            let near = contains(clip, (rect.x0 + rect.x1) / 2.0, (rect.y0 + rect.y1) / 2.0, 1.0)
                || visible.x1 > visible.x0
                || visible.y1 > visible.y0;
            if !near {
                continue;
            }
            let rectangle = part.is_rectangle();
            let thin = (rect.x1 - rect.x0).min(rect.y1 - rect.y0) <= MAX_RULE;
            if fill && rectangle && thin {
                add_rule(page, visible, 0.0);
            } else if rectangle && page.boxes.len() < MAX_SHAPES {
                page.boxes.push(Area { rect: visible, fill: fill.then_some(state.fill), stroked: stroke });
            } else if !part.is_straight() || (fill && !rectangle) {
                page.drawings += 1;
            }
            if stroke {
                part.stroke(page, clip, width);
            }
        }
    }
}

impl Part {
    fn bounds(&self) -> Bounds {
        let mut bounds = Bounds::default();
        self.points.iter().for_each(|point| bounds.add(*point));
        bounds
    }

    fn edges(&self) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
        let closing = self.points.last().zip(self.points.first()).filter(|_| self.closed);
        let open = self.points.iter().zip(self.points.iter().skip(1));
        open.chain(closing).map(|(from, to)| (*from, *to))
    }

    fn is_straight(&self) -> bool {
        !self.curved && self.edges().all(|(from, to)| is_upright(from, to))
    }

    /// Whether the part is a rectangle with upright edges. A filled path is closed even without a closing
    /// operator.
    fn is_rectangle(&self) -> bool {
        let corners = match self.points.as_slice() {
            [first, .., last] if self.points.len() == 5 && is_near(*first, *last) => 4,
            points => points.len(),
        };
        corners == 4 && self.is_straight()
    }

    fn stroke(&self, page: &mut Page, clip: Rect, width: f32) {
        if self.curved {
            return;
        }
        for (from, to) in self.edges() {
            if is_upright(from, to) {
                let mut bounds = Bounds::default();
                bounds.add(from);
                bounds.add(to);
                if let Some(rect) = bounds.rect()
                    && contains(clip, (rect.x0 + rect.x1) / 2.0, (rect.y0 + rect.y1) / 2.0, 1.0)
                {
                    add_rule(page, intersection_of_line(rect, clip), width);
                }
            }
        }
    }
}

fn is_upright(from: (f64, f64), to: (f64, f64)) -> bool {
    let skew = f64::from(MAX_SKEW);
    (from.0 - to.0).abs() <= skew || (from.1 - to.1).abs() <= skew
}

fn is_near(one: (f64, f64), other: (f64, f64)) -> bool {
    (one.0 - other.0).abs() <= 0.1 && (one.1 - other.1).abs() <= 0.1
}

/// The part of a line that the clip leaves. A line on the edge of the clip stays.
fn intersection_of_line(line: Rect, clip: Rect) -> Rect {
    let wide = Rect { x0: clip.x0 - 1.0, y0: clip.y0 - 1.0, x1: clip.x1 + 1.0, y1: clip.y1 + 1.0 };
    intersection(line, wide)
}

/// Adds the centre line of a thin rectangle. `width` is that of the stroke, 0 for a filled rectangle.
fn add_rule(page: &mut Page, rect: Rect, width: f32) {
    if page.rules.len() >= MAX_SHAPES {
        return;
    }
    let (across, down) = (rect.x1 - rect.x0, rect.y1 - rect.y0);
    if across.max(down) < MIN_RULE {
        return;
    }
    let (x, y) = ((rect.x0 + rect.x1) / 2.0, (rect.y0 + rect.y1) / 2.0);
    let rule = if across >= down {
        Rule { x0: rect.x0, y0: y, x1: rect.x1, y1: y, width: if width > 0.0 { width } else { down } }
    } else {
        Rule { x0: x, y0: rect.y0, x1: x, y1: rect.y1, width: if width > 0.0 { width } else { across } }
    };
    page.rules.push(rule);
}
