//! The layout of pages built from words at given places.

use super::super::page::{Glyph, Page, Rule};
use super::render;

mod order;
mod right_to_left;
mod series;
mod tables;
mod text;

/// Builder of a page of 600 by 800 points. Letters are half an em wide.
#[derive(Default)]
struct Sheet {
    page: Page,
    size: f32,
    bold: bool,
    mono: bool,
}

impl Sheet {
    fn new() -> Self {
        let page = Page { number: 1, width: 600.0, height: 800.0, ..Page::default() };
        Self { page, size: 10.0, ..Self::default() }
    }

    fn size(mut self, size: f32) -> Self {
        self.size = size;
        self
    }

    fn bold(mut self, bold: bool) -> Self {
        self.bold = bold;
        self
    }

    fn mono(mut self, mono: bool) -> Self {
        self.mono = mono;
        self
    }

    /// Writes a line with its baseline at `y`. Blanks are gaps without glyphs, as in the output of TeX.
    fn at(mut self, x: f32, y: f32, text: &str) -> Self {
        let wide = |c: char| if ('\u{2e80}'..'\u{fb00}').contains(&c) { 1.0 } else { 0.5 };
        let mut left = x;
        let run = self.page.glyphs.len() as u32;
        for character in text.chars() {
            let right = left + wide(character) * self.size;
            if character != ' ' {
                self.glyph(character, [left, y - 0.8 * self.size, right, y + 0.2 * self.size], y, 0, run);
            }
            left = right;
        }
        self
    }

    fn glyph(&mut self, character: char, [x0, y0, x1, y1]: [f32; 4], baseline: f32, angle: u16, run: u32) {
        let order = self.page.glyphs.len() as u32;
        let (size, bold, mono) = (self.size, self.bold, self.mono);
        let text = character.to_string();
        self.page.glyphs.push(Glyph {
            text,
            x0,
            y0,
            x1,
            y1,
            baseline,
            size,
            angle,
            bold,
            mono,
            order,
            run,
            ..Glyph::default()
        });
    }

    /// Writes lines one below the other, `leading` points apart.
    fn lines(mut self, x: f32, y: f32, leading: f32, lines: &[&str]) -> Self {
        for (at, line) in lines.iter().enumerate() {
            self = self.at(x, y + at as f32 * leading, line);
        }
        self
    }

    fn rule(mut self, x0: f32, y0: f32, x1: f32, y1: f32) -> Self {
        self.page.rules.push(Rule { x0, y0, x1, y1, width: 0.5 });
        self
    }

    fn text(self) -> String {
        render(&[self.page]).concat()
    }
}

/// Eight lines of running text, 50 letters wide, that begin with the mark.
fn prose(mark: &str) -> Vec<String> {
    (0..8).map(|line| format!("{mark}{line} the harbour board has read the letter of")).collect()
}

fn strs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

fn holds_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part);
        assert!(at.is_some(), "{part:?} is not in order in {text}");
        let at = at.unwrap_or_default();
        rest = &rest[at + part.len()..];
    }
}
