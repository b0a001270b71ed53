//! Tables to records: one line `Header: value` per cell, records separated by a blank line.
//!
//! Shared by CSV files and spreadsheets. No row is split or lost. A cell beyond the header gets its column
//! number as the header, and a line end inside a cell becomes a space.

mod layout;

pub(super) use layout::Layout;

use super::{text, too_large};
use crate::protocol::{MAX_TEXT_BYTES, Rejection, Verdict};

/// Maximum header length. Headers repeat in every record, so long ones would multiply the text.
const MAX_HEADER_CHARS: usize = 120;

/// Maximum number of columns.
const MAX_COLUMNS: usize = 2_000;

/// Words of a lone first cell from which on it is a note below the table rather than a value.
const NOTE_WORDS: usize = 5;

/// Rows from the top of a table that decide its layout.
pub(super) const SAMPLE_ROWS: usize = 200;

/// Writer of the records of one table.
#[derive(Debug)]
pub(super) struct Records {
    written: String,
    layout: Layout,
    /// Rows read so far.
    row: usize,
    headers: Vec<String>,
}

impl Records {
    /// Starts a table of this layout.
    pub(super) fn new(layout: Layout) -> Self {
        Self { written: String::new(), layout, row: 0, headers: Vec::new() }
    }

    /// Adds a row: titles first, then the rows of the header, then records.
    ///
    /// # Errors
    /// `too_large` when the row or the text exceeds its limit.
    pub(super) fn push(&mut self, cells: &[&str]) -> Result<(), Rejection> {
        if cells.len() > MAX_COLUMNS {
            return Err(Rejection::new(
                Verdict::TooLarge,
                format!(
                    "A row of the file has {} cells; at most {MAX_COLUMNS} are read. Split the table.",
                    cells.len()
                ),
            ));
        }
        let row = self.row;
        self.row += 1;
        if row < self.layout.titles {
            self.write_title(cells);
        } else if row < self.layout.titles + self.layout.header_rows {
            self.add_header(cells);
        } else if !self.repeats_header(cells) {
            self.write_record(cells);
        }
        if self.written.len() > MAX_TEXT_BYTES { Err(too_large()) } else { Ok(()) }
    }

    /// The text of the table. That of a table with only a header is the header.
    pub(super) fn finish(self) -> String {
        let titles_only = self.row <= self.layout.titles + self.layout.header_rows;
        if !titles_only || self.headers.is_empty() {
            return self.written;
        }
        let separator = if self.written.is_empty() { "" } else { "\n\n" };
        format!("{}{separator}{}", self.written, self.headers.join("\n"))
    }

    /// Title and comment lines above the header form one record.
    fn write_title(&mut self, cells: &[&str]) {
        let line = title_line(cells);
        if !line.is_empty() {
            if !self.written.is_empty() {
                self.written.push('\n');
            }
            self.written.push_str(&line);
        }
    }

    /// A group heading applies to the columns on its right until the next one.
    fn add_header(&mut self, cells: &[&str]) {
        let first = self.row == self.layout.titles + 1;
        if first {
            let spans = self.layout.header_rows > 1;
            let mut group = "";
            for cell in cells {
                let cell = cell.trim();
                group = if spans && cell.is_empty() { group } else { cell };
                self.headers.push(header(group.trim_start_matches('#')));
            }
            return;
        }
        for (column, cell) in cells.iter().enumerate() {
            let cell = header(cell);
            match self.headers.get_mut(column) {
                Some(group) if group.is_empty() => *group = cell,
                // A name repeated in the next row is a cell merged over both.
                Some(group) if !cell.is_empty() && *group != cell => {
                    *group = text::shorten(format!("{group} {cell}"), MAX_HEADER_CHARS);
                }
                Some(_) => {}
                None => self.headers.push(cell),
            }
        }
    }

    /// Printed tables repeat their header on each page.
    fn repeats_header(&self, cells: &[&str]) -> bool {
        self.headers.len() > 1
            && cells.len() == self.headers.len()
            && cells.iter().zip(&self.headers).all(|(cell, header)| cell.trim() == header)
    }

    fn write_record(&mut self, cells: &[&str]) {
        let start = self.written.len();
        if self.is_note(cells) {
            let line = title_line(cells);
            self.written.push_str(if start > 0 { "\n\n" } else { "" });
            self.written.push_str(&line);
            return;
        }
        for (column, cell) in cells.iter().enumerate() {
            if cell.trim().is_empty() {
                continue;
            }
            if self.written.len() > start {
                self.written.push('\n');
            } else if start > 0 {
                self.written.push_str("\n\n");
            }
            match self.headers.get(column).filter(|header| !header.is_empty()) {
                Some(header) => self.written.push_str(header),
                None => {
                    self.written.push_str("Column ");
                    self.written.push_str(&(column + 1).to_string());
                }
            }
            self.written.push_str(": ");
            text::push_line(&mut self.written, cell);
        }
    }

    /// Whether a row is a comment or a note below the table rather than a record.
    fn is_note(&self, cells: &[&str]) -> bool {
        let Some((first, rest)) = cells.split_first() else { return false };
        let alone = self.headers.len() > 2 && rest.iter().all(|cell| cell.trim().is_empty());
        alone && (layout::is_comment(first) || first.split_whitespace().nth(NOTE_WORDS - 1).is_some())
    }
}

/// A line above or below a table: a label with its value, or the cells.
fn title_line(cells: &[&str]) -> String {
    // A blank after the delimiter is a comma of prose.
    let prose = cells.iter().skip(1).any(|cell| cell.starts_with(' '));
    let filled = cells.iter().map(|cell| text::line(cell)).filter(|cell| !cell.is_empty());
    let mut filled: Vec<String> = filled.collect();
    if let Some(first) = filled.first_mut()
        && layout::is_comment(first)
    {
        *first = first.trim_start_matches(['#', ' ']).to_owned();
    }
    match filled.as_slice() {
        [label, value] if !prose && !label.ends_with(':') => format!("{label}: {value}"),
        [_, _] if !prose => filled.join(" "),
        _ => filled.join(", "),
    }
}

fn header(cell: &str) -> String {
    text::shorten(text::line(cell), MAX_HEADER_CHARS)
}
