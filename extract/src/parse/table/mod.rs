//! Tables to records: one line `Header: value` per cell, records separated by a blank line.
//!
//! Shared by CSV files and spreadsheets. No row is split or lost. A cell beyond the header gets its column
//! number as the header, and a line end inside a cell becomes a space.

mod layout;
mod sheet;

pub(super) use layout::Layout;
pub(super) use sheet::{Row, Sheet, write_sheets};

use super::{text, too_large};
use crate::protocol::{MAX_TEXT_BYTES, Rejection, Verdict};

/// Maximum header length. Headers repeat in every record, so long ones would multiply the text.
const MAX_HEADER_CHARS: usize = 120;

/// Maximum number of columns.
const MAX_COLUMNS: usize = 2_000;

/// Minimum number of words of a note below the table. A lone first cell with fewer words is a value.
const NOTE_WORDS: usize = 5;

/// Number of rows at the top of a table that decide its layout.
pub(super) const SAMPLE_ROWS: usize = 200;

/// Writer of the records of tables.
#[derive(Debug, Default)]
pub(super) struct Records {
    written: String,
    /// First line of each record.
    prefix: Option<String>,
    layout: Layout,
    /// Rows of this table read so far.
    row: usize,
    /// Whether this table has a title.
    titled: bool,
    headers: Vec<String>,
    /// Name of the last group of columns.
    last_group: String,
    /// The last row, if only its first cell is filled. It names a section if the header is repeated below it.
    lone: Option<String>,
}

impl Records {
    /// Starts a table of this layout, whose records start with `prefix`.
    pub(super) fn begin(&mut self, layout: Layout, prefix: Option<String>) {
        self.end();
        *self = Self { written: std::mem::take(&mut self.written), prefix, layout, ..Self::default() };
    }

    /// Adds lines as a record.
    pub(super) fn push_lines(&mut self, lines: &str) {
        self.start_record();
        self.written.push_str(lines);
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
        } else if self.repeats_header(cells) {
            if let Some(section) = self.lone.take() {
                self.push_lines(&text::line(&section));
            }
        } else {
            self.write_lone();
            if self.is_lone(cells) && !self.is_note(cells) {
                self.lone = cells.first().map(|cell| (*cell).to_owned());
            } else {
                self.write_record(cells);
            }
        }
        if self.written.len() > MAX_TEXT_BYTES { Err(too_large()) } else { Ok(()) }
    }

    /// The text of all tables.
    pub(super) fn finish(mut self) -> String {
        self.end();
        self.written
    }

    /// Ends the table. Without records, the header is the text of the table.
    fn end(&mut self) {
        self.write_lone();
        let headers = std::mem::take(&mut self.headers);
        if !headers.is_empty() && self.row <= self.layout.titles + self.layout.header_rows {
            self.start_record();
            self.written.push_str(&headers.join("\n"));
        }
    }

    fn start_record(&mut self) {
        if !self.written.is_empty() {
            self.written.push_str("\n\n");
        }
        if let Some(prefix) = &self.prefix {
            self.written.push_str(prefix);
            self.written.push('\n');
        }
    }

    /// Title and comment lines above the header form one record.
    fn write_title(&mut self, cells: &[&str]) {
        let line = title_line(cells);
        if line.is_empty() {
            return;
        }
        if std::mem::replace(&mut self.titled, true) {
            self.written.push('\n');
        } else {
            self.start_record();
        }
        self.written.push_str(&line);
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
            self.last_group = header(group);
            return;
        }
        for (column, cell) in cells.iter().enumerate() {
            let cell = header(cell);
            match self.headers.get_mut(column) {
                Some(group) if group.is_empty() => *group = cell,
                // A name that occurs in both rows is a cell merged over both.
                Some(group) if !cell.is_empty() && *group != cell => {
                    *group = text::shorten(format!("{group} {cell}"), MAX_HEADER_CHARS);
                }
                Some(_) => {}
                // Blank cells at the end of the first row belong to its last group.
                None => {
                    self.headers.push(text::shorten(format!("{} {cell}", self.last_group), MAX_HEADER_CHARS))
                }
            }
        }
    }

    /// Printed tables repeat their header on each page.
    fn repeats_header(&self, cells: &[&str]) -> bool {
        self.headers.len() > 1
            && cells.len() == self.headers.len()
            && cells.iter().zip(&self.headers).all(|(cell, header)| cell.trim() == header)
    }

    fn write_lone(&mut self) {
        if let Some(cell) = self.lone.take() {
            self.write_record(&[&cell]);
        }
    }

    fn write_record(&mut self, cells: &[&str]) {
        if self.is_note(cells) {
            self.push_lines(&title_line(cells));
            return;
        }
        let mut empty = true;
        for (column, cell) in cells.iter().enumerate() {
            if cell.trim().is_empty() {
                continue;
            }
            if std::mem::take(&mut empty) {
                self.start_record();
            } else {
                self.written.push('\n');
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
        let Some(first) = cells.first() else { return false };
        let words = first.split_whitespace().take(NOTE_WORDS).count();
        let sentence = words > 2 && first.trim_end().ends_with(['.', '!']);
        self.is_lone(cells) && (layout::is_comment(first) || words == NOTE_WORDS || sentence)
    }

    /// Whether only the first of three or more columns has a value.
    fn is_lone(&self, cells: &[&str]) -> bool {
        let Some((first, rest)) = cells.split_first() else { return false };
        self.headers.len() > 2 && !first.trim().is_empty() && rest.iter().all(|cell| cell.trim().is_empty())
    }
}

/// A line above or below a table: a label with its value, or the cells.
fn title_line(cells: &[&str]) -> String {
    // A blank after a comma indicates prose.
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
