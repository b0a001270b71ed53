//! Tables as rows of cells, and their Markdown.

use super::characters::is_rtl;
use super::joining::{Vocabulary, join};
use super::line_text;
use super::lines::lines;
use super::piece::Piece;

/// Rows of cells. Every row has the same number of cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cells {
    pub rows: Vec<Vec<String>>,
}

impl Cells {
    /// Drops rows and columns without text.
    pub(super) fn trim(&mut self) {
        self.rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let width = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let used: Vec<bool> = (0..width)
            .map(|at| self.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty())))
            .collect();
        for row in &mut self.rows {
            row.resize(width, String::new());
            let mut used = used.iter();
            row.retain(|_| used.next().copied().unwrap_or_default());
        }
    }

    /// The first column of a right-to-left table is the rightmost one.
    pub(super) fn turn_rtl(&mut self) {
        let letters =
            || self.rows.iter().flatten().flat_map(|cell| cell.chars()).filter(|c| c.is_alphabetic());
        if letters().filter(|c| is_rtl(*c)).count() * 2 > letters().count() {
            self.rows.iter_mut().for_each(|row| row.reverse());
        }
    }

    pub(super) fn width(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// Share of cells that hold text.
    pub(super) fn filled(&self) -> f32 {
        let filled = self.rows.iter().flatten().filter(|cell| !cell.is_empty()).count();
        filled as f32 / (self.width() * self.rows.len()).max(1) as f32
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        for (at, row) in self.rows.iter().enumerate() {
            text.push('|');
            for cell in row {
                text.push(' ');
                text.push_str(&cell.replace('|', "\\|"));
                text.push_str(" |");
            }
            text.push('\n');
            if at == 0 {
                text.push('|');
                text.push_str(&" --- |".repeat(row.len()));
                text.push('\n');
            }
        }
        text.trim_end().to_owned()
    }
}

/// The text of the pieces of a cell. Words that are divided at a line end are left as they are.
pub(super) fn text(pieces: Vec<Piece>) -> String {
    let words = Vocabulary::default();
    let mut cell = String::new();
    for line in lines(pieces) {
        let line = line_text::text(&line);
        if cell.ends_with('-') && line.starts_with(char::is_lowercase) {
            // In narrow cells, a hyphen at a line end may belong to the word or divide it. The text stays as
            // printed.
            cell.push_str(&line);
        } else {
            join(&mut cell, &line, &words);
        }
    }
    cell
}

/// Whether a text is a number, an amount, a percentage or a date, or a placeholder of one.
pub(super) fn is_numeric(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    (digits > 0 && letters <= 3 && letters <= digits) || matches!(text, "-" | "–" | "—" | "n/a" | "N/A" | "*")
}
