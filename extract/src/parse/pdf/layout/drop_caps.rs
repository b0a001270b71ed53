//! Initials: the large first letter of a text, as high as several of its lines.

use super::piece::Piece;

/// Minimum size of an initial, in em of the text beside it.
const SIZE: f32 = 1.8;

/// Maximum number of initials of a page; each is compared with all words.
const MAX_INITIALS: usize = 20;

/// Moves initials into the first line beside them. `em` is the size of the body text in points.
pub(super) fn lower(pieces: &mut [Piece], em: f32) {
    let initials: Vec<usize> = (0..pieces.len()).filter(|at| is_initial(pieces.get(*at), em)).collect();
    for at in initials.into_iter().take(MAX_INITIALS) {
        let Some(initial) = pieces.get(at).cloned() else { continue };
        let beside = |piece: &Piece| {
            let gap = piece.rect.x0 - initial.rect.x1;
            piece.size * SIZE < initial.size
                && (-0.3 * em..1.2 * em).contains(&gap)
                && piece.baseline > initial.baseline - initial.size
                && piece.baseline < initial.baseline + 0.3 * em
        };
        let found = (0..pieces.len()).filter(|other| pieces.get(*other).is_some_and(beside));
        let line = |at: &usize| pieces.get(*at).map_or(f32::INFINITY, |piece| piece.baseline);
        let mut lines: Vec<usize> = found.collect();
        lines.sort_by(|a, b| line(a).total_cmp(&line(b)));
        // A letter as high as one line is part of a heading.
        let (Some(&first), Some(last)) = (lines.first(), lines.last()) else { continue };
        if line(last) - line(&first) < 0.8 * em {
            continue;
        }
        let Some(word) = pieces.get_mut(first) else { continue };
        word.glued = word.text.starts_with(char::is_lowercase);
        word.blank = false;
        // Right before the word, as if it were set in the line.
        let word = word.clone();
        if let Some(initial) = pieces.get_mut(at) {
            (initial.rect.y0, initial.rect.y1) = (word.rect.y0, word.rect.y1);
            (initial.baseline, initial.size, initial.bold) = (word.baseline, word.size, word.bold);
            initial.rect.x1 = initial.rect.x1.min(word.rect.x0);
        }
    }
}

fn is_initial(piece: Option<&Piece>, em: f32) -> bool {
    piece.is_some_and(|piece| {
        let mut letters = piece.text.chars();
        piece.size > SIZE * em && letters.next().is_some_and(char::is_uppercase) && letters.next().is_none()
    })
}
