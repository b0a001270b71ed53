//! Lines of code: text in a font with letters of equal width.

use super::line_text;
use super::lines::Line;
use super::styles::Styles;

/// Deepest indentation that is kept, in characters.
const MAX_INDENT: usize = 40;

/// Number of lines of code at the start. A single line in a font of equal width is text.
pub(super) fn extent(lines: &[Line], styles: &Styles) -> usize {
    if styles.mono() {
        return 0;
    }
    let mut count = 0;
    let mut above: Option<&Line> = None;
    for line in lines {
        let apart = above.is_some_and(|above| line.baseline - above.baseline > 3.5 * line.size);
        if !line.mono || apart {
            break;
        }
        above = Some(line);
        count += 1;
    }
    if count >= 2 { count } else { 0 }
}

/// The lines as a fenced block, with their indentation and the blanks between words.
pub(super) fn fenced(lines: &[Line]) -> String {
    let left = lines.iter().map(|line| line.rect.x0).fold(f32::INFINITY, f32::min);
    let mut code = String::from("```\n");
    let mut above: Option<&Line> = None;
    for line in lines {
        if above.is_some_and(|above| line.baseline - above.baseline > 1.8 * line.size) {
            code.push('\n');
        }
        let letters = line.pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>().max(1);
        let width =
            line.pieces.iter().map(|piece| piece.rect.x1 - piece.rect.x0).sum::<f32>() / letters as f32;
        let blanks = |gap: f32| (gap / width.max(1.0)).round().max(0.0) as usize;
        code.push_str(&" ".repeat(blanks(line.rect.x0 - left).min(MAX_INDENT)));
        let mut right = line.rect.x0;
        for piece in &line.pieces {
            if !piece.glued && piece.rect.x0 > line.rect.x0 {
                code.push_str(&" ".repeat(blanks(piece.rect.x0 - right).clamp(1, MAX_INDENT)));
            }
            code.push_str(&line_text::piece(piece));
            right = piece.rect.x1;
        }
        code.push('\n');
        above = Some(line);
    }
    code.push_str("```");
    code
}
