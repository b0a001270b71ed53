//! Fractions in a line of text: numerator, line and denominator become `a/b`.

use super::super::page::Rule;
use super::piece::{Piece, union};

/// Maximum length of the line of a fraction, in points, and maximum number of lines examined.
const MAX_LENGTH: f32 = 160.0;
const MAX_RULES: usize = 400;

/// Tolerance at the ends of the line, in points.
const ENDS: f32 = 3.0;

/// Replaces the fractions of a page.
pub(super) fn flatten(rules: &[Rule], pieces: &mut Vec<Piece>) {
    let flat = rules
        .iter()
        .filter(|rule| (rule.y1 - rule.y0).abs() < 0.6 && (4.0..MAX_LENGTH).contains(&(rule.x1 - rule.x0)));
    for rule in flat.take(MAX_RULES) {
        if let Some((taken, fraction)) = fraction(rule, pieces) {
            let mut at = 0;
            pieces.retain(|_| {
                at += 1;
                !taken.contains(&(at - 1))
            });
            pieces.push(fraction);
        }
    }
}

/// The indexes of the pieces above and below a line, and the fraction of both.
fn fraction(rule: &Rule, pieces: &[Piece]) -> Option<(Vec<usize>, Piece)> {
    let above = side(rule, pieces, |piece| (-1.1 * piece.size..0.5).contains(&(piece.baseline - rule.y0)))?;
    let below = side(rule, pieces, |piece| {
        (0.5 * piece.size..1.5 * piece.size).contains(&(piece.baseline - rule.y0))
    })?;
    let first = pieces.get(*above.first()?)?;
    // A fraction needs text beside it. A line without such text underlines a heading or ends a column.
    let beside = pieces.iter().enumerate().find(|(at, piece)| {
        let level = piece.baseline - rule.y0;
        let gap = (rule.x0 - piece.rect.x1).max(piece.rect.x0 - rule.x1);
        !above.contains(at)
            && !below.contains(at)
            && (0.05 * piece.size..0.55 * piece.size).contains(&level)
            && (-ENDS..1.5 * piece.size).contains(&gap)
    });
    let (_, beside) = beside?;
    let text = |side: &[usize]| {
        let words: Vec<&str> = side.iter().filter_map(|at| Some(pieces.get(*at)?.text.as_str())).collect();
        if words.len() > 1 { format!("({})", words.join(" ")) } else { words.concat() }
    };
    let rect = above
        .iter()
        .chain(&below)
        .filter_map(|at| Some(pieces.get(*at)?.rect))
        .reduce(|a, b| union(&a, &b))?;
    let fraction = Piece {
        text: format!("{}/{}", text(&above), text(&below)),
        rect: super::super::page::Rect { y0: beside.rect.y0, y1: beside.rect.y1, ..rect },
        baseline: beside.baseline,
        size: beside.size,
        glued: false,
        ..first.clone()
    };
    Some((above.into_iter().chain(below).collect(), fraction))
}

/// The pieces on one side of a line, from left to right. `None` if text extends beyond the ends of the line.
fn side(rule: &Rule, pieces: &[Piece], level: impl Fn(&Piece) -> bool) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        if !level(piece) {
            continue;
        }
        let gap = (rule.x0 - piece.rect.x1).max(piece.rect.x0 - rule.x1);
        let within = piece.rect.x0 >= rule.x0 - ENDS && piece.rect.x1 <= rule.x1 + ENDS;
        if within {
            found.push(at);
        } else if gap < 0.5 * piece.size {
            return None;
        }
    }
    found.sort_by(|a, b| {
        let left = |at: &usize| pieces.get(*at).map_or(0.0, |piece| piece.rect.x0);
        left(a).total_cmp(&left(b))
    });
    (1..=12).contains(&found.len()).then_some(found)
}
