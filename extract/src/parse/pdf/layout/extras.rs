//! Text that is not in the content of the page: values of form fields and notes written on it.

use super::super::page::{Field, FieldKind, FreeText, Page, Rect};
use super::lines::lines;
use super::piece::Piece;
use super::region::{Node, Placed};

/// Maximum number of form fields of a page.
const MAX_FIELDS: usize = 2_000;

/// Width of a letter, in em.
const LETTER: f32 = 0.5;

/// Adds the values of the form fields to the pieces, each at its place.
pub(super) fn add_fields(page: &Page, pieces: &mut Vec<Piece>) {
    let printed = lines(pieces.clone());
    let mut sizes: Vec<f32> = printed.iter().map(|line| line.size).collect();
    sizes.sort_by(f32::total_cmp);
    let most = sizes.get(sizes.len() / 2).copied().unwrap_or(10.0);
    let mut order = pieces.iter().map(|piece| piece.order).max().unwrap_or_default();
    for field in page.fields.iter().take(MAX_FIELDS) {
        let value = field.value.trim();
        if value.is_empty() {
            continue;
        }
        let boxed = matches!(field.kind, FieldKind::CheckBox | FieldKind::Radio);
        let labelled = boxed
            || printed.iter().any(|line| {
                let beside = line.baseline > field.rect.y0 - 1.0
                    && line.baseline < field.rect.y1 + 3.0
                    && line.pieces.iter().any(|piece| {
                        piece.rect.x1 < field.rect.x0 + 6.0 && piece.rect.x1 > field.rect.x0 - 220.0
                    });
                let above = line.rect.y1 < field.rect.y0 + 4.0
                    && line.rect.y1 > field.rect.y0 - 16.0
                    && line.rect.x0 < field.rect.x1
                    && line.rect.x1 > field.rect.x0;
                beside || above
            });
        let label = field.label.trim();
        let text = if labelled || label.is_empty() {
            value.to_owned()
        } else {
            format!("{}: {value}", label.trim_end_matches(':'))
        };
        // A value already printed by the page is not repeated.
        if is_printed(pieces, &field.rect, value) {
            continue;
        }
        let baseline = matching_baseline(&printed, field);
        add(pieces, &text, field, most, baseline, &mut order);
    }
}

fn is_printed(pieces: &[Piece], rect: &Rect, value: &str) -> bool {
    let inside: String = pieces
        .iter()
        .filter(|piece| super::piece::contains(rect, piece.centre()))
        .flat_map(|piece| piece.text.chars())
        .filter(|c| !c.is_whitespace())
        .collect();
    let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    !inside.is_empty() && inside.contains(&value)
}

/// The baseline of the text beside the field, or one at the lower edge of the field.
fn matching_baseline(printed: &[super::lines::Line], field: &Field) -> f32 {
    let lowest = field.rect.y1 - 0.25 * (field.rect.y1 - field.rect.y0).min(16.0);
    let many = field.value.lines().count() > 1;
    let first = if many { field.rect.y0 + field.size.clamp(6.0, 14.0) } else { lowest };
    printed
        .iter()
        .map(|line| line.baseline)
        .filter(|baseline| {
            (baseline - first).abs() < 6.0 && field.rect.y0 < *baseline && *baseline < field.rect.y1 + 4.0
        })
        .min_by(|a, b| (a - first).abs().total_cmp(&(b - first).abs()))
        .unwrap_or(first)
}

fn add(pieces: &mut Vec<Piece>, text: &str, field: &Field, most: f32, baseline: f32, order: &mut u32) {
    // The size is limited, because a value is never a heading.
    let size = if field.size > 3.0 { field.size.min(most) } else { most.min(10.0) };
    let width = field.rect.x1 - field.rect.x0;
    for (at, line) in text.lines().enumerate() {
        let count = line.chars().count().max(1) as f32;
        // A value longer than the field is clipped on the page; it must not reach into the next column.
        let letter = (LETTER * size).min((width / count).max(0.5));
        let baseline = baseline + at as f32 * 1.2 * size;
        let mut x = field.rect.x0 + 1.0;
        for word in line.split_whitespace() {
            let end = x + letter * word.chars().count() as f32;
            *order = order.saturating_add(1);
            pieces.push(Piece {
                rect: Rect { x0: x, y0: baseline - 0.8 * size, x1: end, y1: baseline + 0.2 * size },
                baseline,
                size,
                text: word.to_owned(),
                order: *order,
                ..Piece::default()
            });
            x = end + letter;
        }
    }
}

/// The notes as parts of the page.
pub(super) fn notes(notes: &[FreeText]) -> Vec<Placed> {
    notes
        .iter()
        .filter(|note| !note.text.trim().is_empty())
        .map(|note| {
            let text = note.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
            Placed { rect: note.rect, node: Node::Block(text.join("\n")) }
        })
        .collect()
}
