//! Text-showing operators: codes to glyphs on the page.

use std::rc::Rc;

use super::super::page::Glyph;
use super::content::Interpreter;
use super::fonts::Font;
use super::geometry::{Matrix, contains};
use super::state::{FILL_AND_STROKE, INVISIBLE};

/// Maximum number of glyphs of a page. A dense page has 20,000.
const MAX_GLYPHS: usize = 1_000_000;

/// Height of the box of a glyph above and below the baseline, in shares of the font size. The values in font
/// descriptors are too often wrong.
const ASCENT: f64 = 0.75;
const DESCENT: f64 = -0.22;

/// Maximum distance of the centre of a visible glyph from the clip, in shares of its size. Some clips are
/// drawn tightly around the letters.
const CLIP_MARGIN: f32 = 0.25;

/// Number of unreadable glyphs in a row that count as a word. Fewer are a bullet or sign.
const WORD: usize = 3;

/// Tolerance of a right angle, in degrees.
const MAX_SLANT: f64 = 1.5;

impl Interpreter<'_, '_> {
    /// Shows a string.
    pub(super) fn show(&mut self, bytes: &[u8]) {
        let substitute =
            || self.shared.fonts.substitute().filter(|_| bytes.iter().all(|byte| is_latin(*byte)));
        let Some(font) = self.state.font.clone().or_else(substitute) else {
            bytes.iter().for_each(|_| self.suppress());
            return;
        };
        let mut offset = 0;
        while offset < bytes.len() {
            let (code, length) = font.next_code(bytes, offset);
            offset += length;
            let (x, y) = font.advance(code);
            self.show_code(&font, code, x, y);
            let word = if code == 32 && length == 1 { self.state.word_spacing } else { 0.0 };
            let spacing = self.state.character_spacing + word;
            self.text.current = if font.vertical {
                Matrix::translation(0.0, y / 1000.0 * self.state.size + spacing)
            } else {
                Matrix::translation((x / 1000.0 * self.state.size + spacing) * self.state.scaling, 0.0)
            }
            .then(self.text.current);
        }
    }

    /// Moves the next glyph back by a number of thousandths of the font size.
    pub(super) fn adjust(&mut self, thousandths: f64) {
        let distance = -thousandths / 1000.0 * self.state.size;
        let vertical = self.state.font.as_ref().is_some_and(|font| font.vertical);
        self.text.current = if vertical {
            Matrix::translation(0.0, distance)
        } else {
            Matrix::translation(distance * self.state.scaling, 0.0)
        }
        .then(self.text.current);
    }

    fn show_code(&mut self, font: &Rc<Font<'_>>, code: u32, x: f64, y: f64) {
        if self.marks.is_hidden() || self.page.glyphs.len() >= MAX_GLYPHS {
            return;
        }
        let state = &self.state;
        // Glyph space of one em to the page.
        let matrix = Matrix::new([state.size * state.scaling, 0.0, 0.0, state.size, 0.0, state.rise])
            .then(self.text.current)
            .then(state.matrix);
        let em = f64::from(font.em);
        let area = if font.vertical {
            matrix.bounds(-0.5, (y / 1000.0).min(-0.1), 0.5, 0.0)
        } else {
            matrix.bounds(0.0, DESCENT * em, x / 1000.0, ASCENT * em)
        };
        let size = (matrix.scale_y() * em) as f32;
        let sides = [area.x0, area.y0, area.x1, area.y1, size];
        if !sides.iter().all(|side| side.is_finite()) || size <= 0.0 {
            return;
        }
        let (centre_x, centre_y) = ((area.x0 + area.x1) / 2.0, (area.y0 + area.y1) / 2.0);
        if state.clip.is_some_and(|clip| !contains(clip, centre_x, centre_y, size * CLIP_MARGIN))
            || !contains(self.page.area(), centre_x, centre_y, 0.0)
        {
            return;
        }
        let Some(text) = font.text(code) else {
            if self.marks.is_replaced() {
                // The replacement text needs the position of the glyph.
                self.push(font, "\u{fffd}", matrix, area, size);
            } else if x != 0.0 {
                self.suppress();
            }
            return;
        };
        self.unread = 0;
        if !text.is_empty() {
            self.push(font, &text, matrix, area, size);
        }
    }

    /// Counts a glyph without a text, and each word of such glyphs.
    fn suppress(&mut self) {
        self.page.suppressed += 1;
        self.unread += 1;
        if self.unread == WORD {
            self.page.suppressed_words += 1;
        }
    }

    fn push(
        &mut self,
        font: &Font<'_>,
        text: &str,
        matrix: Matrix,
        area: super::super::page::Rect,
        size: f32,
    ) {
        let (origin_x, origin_y) = matrix.apply(0.0, 0.0);
        // Mirrored text reads from its other end only if it is turned upside down too.
        let angle = if font.vertical { 0 } else { degrees(matrix.a, matrix.b) };
        let state = &self.state;
        self.page.glyphs.push(Glyph {
            text: text.to_owned(),
            x0: area.x0,
            y0: area.y0,
            x1: area.x1,
            y1: area.y1,
            baseline: if font.vertical || angle == 90 || angle == 270 { origin_x } else { origin_y } as f32,
            size,
            angle,
            vertical: font.vertical,
            bold: font.bold
                || (state.mode == FILL_AND_STROKE && state.line_width > 0.0 && state.fill == state.stroke),
            mono: font.mono,
            order: u32::try_from(self.page.glyphs.len()).unwrap_or(u32::MAX),
            run: self.run,
            artifact: self.artifact || self.marks.is_artifact(),
            hidden: state.mode == INVISIBLE,
        });
    }
}

/// Whether a byte of a string whose font is unknown is likely a Latin character.
fn is_latin(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Direction of writing, clockwise on a page whose `y` grows downwards.
fn degrees(x: f64, y: f64) -> u16 {
    let angle = y.atan2(x).to_degrees().rem_euclid(360.0);
    let right = (angle / 90.0).round() * 90.0;
    let angle = if (angle - right).abs() <= MAX_SLANT { right } else { angle };
    // An angle is below 360.
    angle.round() as u16 % 360
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_count_clockwise_and_snap_to_right_ones() {
        assert_eq!(degrees(1.0, 0.0), 0);
        assert_eq!(degrees(0.0, 1.0), 90);
        assert_eq!(degrees(0.0, -1.0), 270);
        assert_eq!(degrees(-1.0, 0.01), 180);
        assert_eq!(degrees(1.0, -0.01), 0);
        assert_eq!(degrees(1.0, 1.0), 45);
    }
}
