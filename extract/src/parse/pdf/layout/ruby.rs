//! Readings of Chinese characters, printed in small kana above them or on their right (ruby).

use super::piece::Piece;

/// Maximum size of a reading, relative to the characters below it.
const SIZE: f32 = 0.62;

/// Maximum number of characters on one line that are compared with a reading.
const MAX_COMPARED: usize = 500;

/// Drops the readings, which would divide the sentences.
pub(super) fn drop_readings(pieces: &mut Vec<Piece>) {
    let kana = |c: char| matches!(c, '\u{3040}'..='\u{30ff}');
    let han =
        |c: char| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    let mut bases: Vec<(f32, f32, f32, f32)> = pieces
        .iter()
        .filter(|piece| piece.text.chars().any(han))
        .map(|piece| (piece.baseline, piece.rect.x0, piece.rect.x1, piece.size))
        .collect();
    bases.sort_by(|a, b| a.0.total_cmp(&b.0));
    pieces.retain(|piece| {
        if !piece.text.chars().all(kana) {
            return true;
        }
        let from = bases.partition_point(|base| base.0 <= piece.baseline + 0.5 * piece.size);
        let near = bases.iter().skip(from).take(MAX_COMPARED);
        let mut near = near.take_while(|base| base.0 - piece.baseline < 4.0 * piece.size);
        !near.any(|(baseline, x0, x1, size)| {
            let above = (0.5..1.7).contains(&((baseline - piece.baseline) / size));
            above && piece.size <= SIZE * size && *x0 - size < piece.rect.x0 && piece.rect.x1 < *x1 + size
        })
    });
}
