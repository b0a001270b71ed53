//! Boxes around a text, such as notes and warnings. Their text is read separately.

use super::super::page::{Area, Rect};
use super::lines::lines;
use super::piece::{Piece, contains};
use super::region::{self, Node, Placed, Region};

/// Maximum number of boxes of a page. More boxes are the cells of a form or parts of a drawing.
const MAX_BOXES: usize = 16;

/// Takes the text inside boxes out of the pieces.
pub(super) fn take(areas: &[Area], pieces: &mut Vec<Piece>, em: f32, width: f32) -> Vec<Placed> {
    let mut rects: Vec<Rect> = areas
        .iter()
        .filter(|area| area.stroked || area.fill.is_some())
        .map(|area| area.rect)
        .filter(|rect| {
            rect.y1 - rect.y0 > 2.6 * em && rect.x1 - rect.x0 > 6.0 * em && rect.x1 - rect.x0 < 0.97 * width
        })
        .collect();
    rects.sort_by(|a, b| size(a).total_cmp(&size(b)));
    rects.dedup_by(|a, b| {
        (a.x0 - b.x0).abs() < 3.0
            && (a.y0 - b.y0).abs() < 3.0
            && (a.x1 - b.x1).abs() < 3.0
            && (a.y1 - b.y1).abs() < 3.0
    });
    if rects.len() > MAX_BOXES {
        return Vec::new();
    }
    let total = pieces.len();
    let mut placed: Vec<Placed> = Vec::new();
    for rect in rects {
        let inside: Vec<Piece> =
            pieces.iter().filter(|piece| contains(&rect, piece.centre())).cloned().collect();
        // The background of a page or of a single line is no box.
        if inside.len() < 3
            || inside.len() * 10 > total * 7
            || crossed(pieces, &rect)
            || lines(inside.clone()).len() < 2
        {
            continue;
        }
        pieces.retain(|piece| !contains(&rect, piece.centre()));
        let (within, outside): (Vec<Placed>, Vec<Placed>) =
            placed.into_iter().partition(|part| contains(&rect, super::piece::centre(&part.rect)));
        placed = outside;
        let nodes = region::read(Region { pieces: inside, placed: within, rules: Vec::new() }, em);
        placed.push(Placed { rect, node: Node::Apart(nodes) });
    }
    placed
}

fn size(rect: &Rect) -> f32 {
    (rect.x1 - rect.x0) * (rect.y1 - rect.y0)
}

/// Whether words cross the edge. Such a rectangle is no box around a text.
fn crossed(pieces: &[Piece], rect: &Rect) -> bool {
    pieces.iter().any(|piece| {
        let (_, y) = piece.centre();
        let across = |x: f32| piece.rect.x0 + 1.5 < x && x < piece.rect.x1 - 1.5;
        (rect.y0..=rect.y1).contains(&y) && (across(rect.x0) || across(rect.x1))
    })
}
