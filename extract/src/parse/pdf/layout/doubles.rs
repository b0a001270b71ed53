//! Text that is drawn twice: for a bold look, or as a shadow.

use std::collections::HashMap;

use super::super::page::Glyph;

/// Maximum distance of the copy, in em.
const OFFSET: f32 = 0.12;

/// Maximum number of glyphs compared with one; more equal ones at one place are a drawing.
const MAX_COMPARED: usize = 64;

/// Drops the copies.
pub(super) fn remove(glyphs: &mut Vec<Glyph>) {
    glyphs.sort_by_key(|glyph| glyph.order);
    let mut places: HashMap<(i32, i32), Vec<(f32, f32, f32, String, u32)>> = HashMap::new();
    glyphs.retain(|glyph| {
        if glyph.text.trim().is_empty() {
            return true;
        }
        let cell = |value: f32| (value / 4.0).floor() as i32;
        let (column, row) = (cell(glyph.x0), cell(glyph.baseline));
        let reach = (OFFSET * glyph.size).max(0.4);
        let mut copied = false;
        let mut bold = false;
        for x in column - 1..=column + 1 {
            for y in row - 1..=row + 1 {
                let known = places.get(&(x, y)).map(Vec::as_slice).unwrap_or_default();
                for (left, baseline, size, text, order) in known.iter().rev().take(MAX_COMPARED) {
                    let near = (left - glyph.x0).abs() <= reach && (baseline - glyph.baseline).abs() <= reach;
                    let alike = (size - glyph.size).abs() <= 0.08 * size && *text == glyph.text;
                    // Neighbours in a word are drawn one after the other and do not overlap.
                    let narrow = order + 1 == glyph.order && (left - glyph.x0).abs() > 0.5 * (glyph.x1 - glyph.x0);
                    copied |= near && alike && !narrow;
                }
            }
        }
        bold |= copied;
        if !bold {
            let entry = (glyph.x0, glyph.baseline, glyph.size, glyph.text.clone(), glyph.order);
            places.entry((column, row)).or_default().push(entry);
        }
        !copied
    });
}
