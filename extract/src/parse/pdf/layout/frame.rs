//! Groups of glyphs by direction of writing, each turned upright.

use super::super::page::{Area, Glyph, Link, Page, Rect, Rule};
use super::characters::is_wide;

/// Slant of a scanned page that counts as upright, in degrees.
const SLANT: u16 = 8;

/// The glyphs and drawings of one direction of writing, in coordinates in which the text is upright.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub angle: u16,
    /// Vertical writing: its columns lie as lines, the first one on top.
    pub vertical: bool,
    pub width: f32,
    pub height: f32,
    pub glyphs: Vec<Glyph>,
    pub rules: Vec<Rule>,
    pub areas: Vec<Area>,
    pub links: Vec<Link>,
}

/// Divides a page. The frame with most glyphs comes first.
pub(super) fn frames(page: &Page) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    let stacked = is_stacked(&page.glyphs);
    let any_vertical = stacked || page.glyphs.iter().any(|glyph| glyph.vertical);
    let upright = if any_vertical { upright_in_columns(&page.glyphs, stacked) } else { Vec::new() };
    for (at, glyph) in page.glyphs.iter().enumerate().filter(|(_, glyph)| is_sound(glyph)) {
        let direction = direction(glyph.angle);
        let was_in_column = at.checked_sub(1).and_then(|at| upright.get(at)).is_some_and(|size| *size > 0.0);
        let in_column = upright.get(at).is_some_and(|size| *size > 0.0);
        let vertical = glyph.vertical
            || in_column
            || (stacked && glyph.text.chars().all(is_wide) && !is_abreast(&page.glyphs, at))
            // Latin words lie on their side in vertical columns.
            || (any_vertical && direction == 90);
        let angle = if vertical { 90 } else { direction };
        let known = frames.iter().position(|frame| frame.angle == angle && frame.vertical == vertical);
        let at = known.unwrap_or_else(|| {
            frames.push(Frame { vertical, ..empty(page, angle) });
            frames.len() - 1
        });
        if let Some(frame) = frames.get_mut(at) {
            let mut glyph = glyph.clone();
            turn_glyph(&mut glyph, page, angle);
            if let Some(size) = upright.get(at).copied().filter(|size| *size > 0.0) {
                // An upright letter or digit gets the width of one character of the column.
                let middle = f32::midpoint(glyph.x0, glyph.x1);
                (glyph.x0, glyph.x1, glyph.size) = (middle - 0.65 * size, middle + 0.65 * size, size);
            }
            if vertical {
                glyph.baseline = f32::midpoint(glyph.y0, glyph.y1);
            }
            if (in_column || was_in_column)
                && let Some(last) = frame.glyphs.last()
            {
                // The gap before or after an upright letter or digit is no blank.
                let gap = glyph.x0 - last.x1;
                let same = (last.baseline - glyph.baseline).abs() < 0.5 * glyph.size;
                if same && (0.0..0.6 * glyph.size).contains(&gap) {
                    glyph.x0 = last.x1;
                }
            }
            match frame.glyphs.last_mut() {
                // Digits side by side are one character of the column.
                Some(last) if in_column && was_in_column && abreast(last, &glyph) => {
                    last.text.push_str(&glyph.text);
                    last.y0 = last.y0.min(glyph.y0);
                    last.y1 = last.y1.max(glyph.y1);
                    last.baseline = f32::midpoint(last.y0, last.y1);
                }
                _ => frame.glyphs.push(glyph),
            }
        }
    }
    if !frames.iter().any(|frame| frame.angle == 0) {
        frames.push(empty(page, 0));
    }
    frames.sort_by_key(|frame| std::cmp::Reverse(frame.glyphs.len()));
    frames
}

/// Whether most Chinese and Japanese characters stand below the one drawn before. The file then has vertical
/// writing without declaring it.
fn is_stacked(glyphs: &[Glyph]) -> bool {
    let (mut below, mut all) = (0, 0);
    for pair in glyphs.windows(2) {
        let [a, b] = pair else { continue };
        if !(a.text.chars().all(is_wide) && b.text.chars().all(is_wide)) {
            continue;
        }
        all += 1;
        let step = (b.y0 - a.y0) / a.size.max(1.0);
        below += usize::from((a.x0 - b.x0).abs() < 0.3 * a.size && (0.7..1.7).contains(&step));
    }
    all >= 8 && below * 10 > all * 7
}

/// Whether two glyphs, turned upright, stood side by side in a vertical column.
fn abreast(last: &Glyph, glyph: &Glyph) -> bool {
    (last.x1 - glyph.x1).abs() < 0.4 * last.size && last.text.chars().count() < MAX_ABREAST
}

/// Maximum number of upright Latin letters or digits side by side in a vertical column.
const MAX_ABREAST: usize = 4;

/// For each upright digit or Latin letter in a vertical column, the size of the column. Such glyphs stand
/// singly or side by side. Zero for other glyphs.
fn upright_in_columns(glyphs: &[Glyph], stacked: bool) -> Vec<f32> {
    let mut found = vec![0.0; glyphs.len()];
    let is_column = |glyph: &Glyph| glyph.vertical || stacked && glyph.text.chars().all(is_wide);
    let is_foreign =
        |glyph: &Glyph| !is_column(glyph) && direction(glyph.angle) == 0 && !glyph.text.trim().is_empty();
    let mut start = 0;
    while let Some(first) = glyphs.get(start) {
        if !is_foreign(first) {
            start += 1;
            continue;
        }
        let row = glyphs.get(start..).unwrap_or_default();
        let same = |glyph: &&Glyph| is_foreign(glyph) && (glyph.baseline - first.baseline).abs() < 0.5;
        let count = row.iter().take_while(same).count().max(1);
        let run = row.get(..count).unwrap_or_default();
        let x0 = run.iter().map(|glyph| glyph.x0).fold(first.x0, f32::min);
        let x1 = run.iter().map(|glyph| glyph.x1).fold(first.x1, f32::max);
        let holds = |column: &Glyph| {
            let size = column.size.max(1.0);
            let aside = f32::midpoint(column.x0, column.x1) - f32::midpoint(x0, x1);
            let gap = (first.y0 - column.y1).max(column.y0 - first.y1);
            is_column(column) && aside.abs() < 0.35 * size && gap < 0.9 * size && x1 - x0 < 1.4 * size
        };
        let before = start.checked_sub(1).and_then(|at| glyphs.get(at));
        // A single digit may follow another one in the column.
        let above = start.checked_sub(1).and_then(|at| found.get(at)).copied().unwrap_or_default();
        let follows = before.is_some_and(|before| {
            let aside = f32::midpoint(before.x0, before.x1) - f32::midpoint(x0, x1);
            above > 0.0 && aside.abs() < 0.5 * before.size && (first.y0 - before.y1).abs() < 0.9 * before.size
        });
        let after = glyphs.get(start + count);
        let beside = before.into_iter().chain(after).find(|glyph| holds(glyph)).map(|glyph| glyph.size);
        let size = beside.or(follows.then_some(above)).unwrap_or_default();
        if count <= MAX_ABREAST
            && let Some(run) = found.get_mut(start..start + count)
        {
            run.fill(size);
        }
        start += count;
    }
    found
}

/// Whether a character stands in a horizontal line, such as the title above vertical text: beside the one
/// drawn before or after it, and neither below nor above.
fn is_abreast(glyphs: &[Glyph], at: usize) -> bool {
    let Some(glyph) = glyphs.get(at) else { return false };
    let around = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten().filter_map(|at| glyphs.get(at));
    let (mut beside, mut stacked) = (false, false);
    for other in around.filter(|other| other.text.chars().all(is_wide)) {
        let (x, y) = ((glyph.x0 - other.x0).abs() / glyph.size, (glyph.y0 - other.y0).abs() / glyph.size);
        beside |= y < 0.2 && (0.7..1.4).contains(&x);
        stacked |= x < 0.3 && (0.7..1.7).contains(&y);
    }
    beside && !stacked
}

/// Whether the position of a glyph is finite. Damaged files have other positions.
fn is_sound(glyph: &Glyph) -> bool {
    let near = |value: f32| value.is_finite() && value.abs() < 1.0e5;
    [glyph.x0, glyph.y0, glyph.x1, glyph.y1, glyph.baseline].into_iter().all(near)
        && glyph.size.is_finite()
        && glyph.size > 0.2
        && !glyph.text.is_empty()
}

/// The right angle of a glyph. Other angles, such as those of watermarks, are kept in steps of 5 degrees.
fn direction(angle: u16) -> u16 {
    let angle = angle % 360;
    for right in [0, 90, 180, 270, 360] {
        if angle.abs_diff(right) <= SLANT {
            return right % 360;
        }
    }
    angle / 5 * 5
}

fn empty(page: &Page, angle: u16) -> Frame {
    let turn = |rect: &Rect| turn_rect(rect, page, angle);
    let (width, height) =
        if matches!(angle, 90 | 270) { (page.height, page.width) } else { (page.width, page.height) };
    let rules = page.rules.iter().map(|rule| {
        let rect = turn(&Rect { x0: rule.x0, y0: rule.y0, x1: rule.x1, y1: rule.y1 });
        Rule { x0: rect.x0, y0: rect.y0, x1: rect.x1, y1: rect.y1, width: rule.width }
    });
    Frame {
        angle,
        vertical: false,
        width,
        height,
        glyphs: Vec::new(),
        rules: rules.collect(),
        areas: page.boxes.iter().map(|area| Area { rect: turn(&area.rect), ..*area }).collect(),
        links: page.links.iter().map(|link| Link { rect: turn(&link.rect), url: link.url.clone() }).collect(),
    }
}

fn turn_glyph(glyph: &mut Glyph, page: &Page, angle: u16) {
    let rect = turn_rect(&Rect { x0: glyph.x0, y0: glyph.y0, x1: glyph.x1, y1: glyph.y1 }, page, angle);
    (glyph.x0, glyph.y0, glyph.x1, glyph.y1) = (rect.x0, rect.y0, rect.x1, rect.y1);
    glyph.baseline = match angle {
        90 => page.width - glyph.baseline,
        180 => page.height - glyph.baseline,
        _ => glyph.baseline,
    };
}

/// A rectangle of the page, turned so that text at `angle` is upright.
fn turn_rect(rect: &Rect, page: &Page, angle: u16) -> Rect {
    let (x0, y0, x1, y1) = match angle {
        90 => (rect.y0, page.width - rect.x1, rect.y1, page.width - rect.x0),
        180 => (page.width - rect.x1, page.height - rect.y1, page.width - rect.x0, page.height - rect.y0),
        270 => (page.height - rect.y1, rect.x0, page.height - rect.y0, rect.x1),
        _ => (rect.x0, rect.y0, rect.x1, rect.y1),
    };
    Rect { x0, y0, x1, y1 }
}

/// A rectangle of a turned frame, back on the page. The inverse of [`turn_rect`].
pub(super) fn turn_back(rect: &Rect, page: &Page, angle: u16) -> Rect {
    let (x0, y0, x1, y1) = match angle {
        90 => (page.width - rect.y1, rect.x0, page.width - rect.y0, rect.x1),
        270 => (rect.y0, page.height - rect.x1, rect.y1, page.height - rect.x0),
        _ => return turn_rect(rect, page, angle),
    };
    Rect { x0, y0, x1, y1 }
}

impl Frame {
    /// Whether the text lies along the edges of the page.
    pub(super) fn is_right_angled(&self) -> bool {
        self.angle.is_multiple_of(90)
    }
}
