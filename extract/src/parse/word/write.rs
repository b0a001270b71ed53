//! Blocks to Markdown.

use super::emphasis::{Breaks, inline};
use super::model::{Block, Cell, MAX_COLUMNS, MAX_REPEATED_CELL, Marker, Row, Table};

/// Maximum size that repeated cells may add to a document, in bytes.
const MAX_REPEATED: usize = 4 << 20;

/// Maximum number of cells that covered columns may add to a document.
const MAX_ADDED_CELLS: usize = 1 << 20;

/// Maximum number of header rows that are joined into one.
const MAX_HEADER_ROWS: usize = 3;

/// Writes blocks one after another.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
    /// The first heading, without its number.
    heading: Option<String>,
    /// Level of the outermost item of the list being written.
    list: Option<usize>,
    /// Notes of the list being written, to be written after it.
    notes: Vec<String>,
    /// Bytes added by repeated cells.
    repeated: usize,
    /// Cells added by covered columns.
    added: usize,
}

impl Writer {
    /// The Markdown of all blocks, and the first heading.
    pub(super) fn finish(mut self) -> (String, Option<String>) {
        self.end_list();
        (self.out, self.heading)
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn block(&mut self, block: Block) {
        match block {
            Block::Item { level, marker, text } => {
                self.item(level, &marker, inline(text, Breaks::Lines, true))
            }
            Block::Note { label, blocks } => {
                let note = format!("[^{label}]: {}", flat(blocks, " "));
                if self.list.is_some() { self.notes.push(note) } else { self.paragraph(&note) }
            }
            Block::Heading { level, number, text } => {
                let text = inline(text, Breaks::Spaces, false);
                if text.is_empty() {
                    return;
                }
                self.heading.get_or_insert_with(|| text.clone());
                let marks = "#".repeat(usize::from(level.clamp(1, 6)));
                let number = number.map(|number| number + " ").unwrap_or_default();
                self.paragraph(&format!("{marks} {number}{text}"));
            }
            Block::Paragraph(text) => {
                let text = inline(text, Breaks::Lines, true);
                self.paragraph(&escape(text));
            }
            Block::Markdown(text) => self.paragraph(text.trim()),
            Block::Table(table) => self.table(table),
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.end_list();
        self.push_paragraph(text);
    }

    fn push_paragraph(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.out.push_str("\n\n");
        }
        self.out.push_str(text);
    }

    fn end_list(&mut self) {
        self.list = None;
        for note in std::mem::take(&mut self.notes) {
            self.push_paragraph(&note);
        }
    }

    fn item(&mut self, level: usize, marker: &Marker, text: String) {
        if text.is_empty() {
            return;
        }
        let marker = match marker {
            Marker::Bullet => "-",
            Marker::Number(number) => number,
        };
        let depth = match self.list {
            Some(outermost) => level.saturating_sub(outermost),
            None => 0,
        };
        let indent = "  ".repeat(depth.min(8));
        let text = text.replace('\n', &format!("\n{indent}  "));
        let line = format!("{indent}{marker} {text}");
        if self.list.is_some() {
            self.out.push('\n');
            self.out.push_str(&line);
        } else {
            self.push_paragraph(&line);
        }
        self.list = Some(self.list.map_or(level, |outermost| outermost.min(level)));
    }

    fn table(&mut self, table: Table) {
        if is_layout(&table) {
            for row in table.rows {
                for cell in row.cells {
                    cell.blocks.into_iter().for_each(|block| self.block(block));
                }
            }
            return;
        }
        let (mut rows, headers) = self.grid(table);
        // Rows of one cell over the full width are titles of the table.
        let last = rows.len().saturating_sub(2);
        let titles: Vec<String> = rows.iter().take(last).map_while(|row| title_row(row)).collect();
        rows.drain(..titles.len());
        titles.iter().for_each(|title| self.paragraph(title));
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        if width == 0 || rows.iter().all(|row| row.iter().all(|cell| cell.text.is_empty())) {
            return;
        }
        let header = join_header(rows.drain(..headers.clamp(1, rows.len())), width);
        let mut text = String::new();
        push_row(&mut text, header.iter().map(String::as_str), width);
        text.push_str("\n|");
        text.push_str(&" --- |".repeat(width));
        for row in &rows {
            text.push('\n');
            push_row(&mut text, row.iter().map(|cell| cell.text.as_str()), width);
        }
        self.paragraph(&text);
    }

    /// The texts of the cells, with merged ones repeated, and the number of header rows.
    fn grid(&mut self, table: Table) -> (Vec<Vec<Written>>, usize) {
        let headers = header_rows(&table);
        let mut rows: Vec<Vec<Written>> = Vec::with_capacity(table.rows.len());
        let width = table.rows.iter().map(row_width).max().unwrap_or(0).min(MAX_COLUMNS);
        for row in table.rows {
            let mut written: Vec<Written> = Vec::with_capacity(row.cells.len());
            for cell in row.cells {
                let at = written.len();
                let mut columns = cell.columns.clamp(1, MAX_COLUMNS.saturating_sub(at).max(1));
                if self.added >= MAX_ADDED_CELLS {
                    columns = 1;
                }
                self.added += columns - 1;
                let mut text = flat(cell.blocks, "<br>");
                if cell.continues && text.is_empty() {
                    let above = rows.last().and_then(|row| row.get(at));
                    text = above
                        .map(|above| above.text.clone())
                        .filter(|text| self.may_repeat(text))
                        .unwrap_or_default();
                }
                let whole = columns >= width && width > 1;
                for column in 0..columns {
                    let repeat = column > 0 && (whole || !self.may_repeat(&text));
                    let text = if repeat { String::new() } else { text.clone() };
                    written.push(Written { text, whole });
                }
            }
            rows.push(written);
        }
        (rows, headers)
    }

    fn may_repeat(&mut self, text: &str) -> bool {
        let may = text.len() <= MAX_REPEATED_CELL && self.repeated < MAX_REPEATED;
        if may {
            self.repeated += text.len();
        }
        may
    }
}

/// A cell as written.
struct Written {
    text: String,
    /// Whether the cell belongs to a cell over the full width of the table.
    whole: bool,
}

fn row_width(row: &Row) -> usize {
    row.cells.iter().map(|cell| cell.columns.clamp(1, MAX_COLUMNS)).sum()
}

/// Whether the table only serves page layout: one row with a table in a cell, or a single cell with a list or
/// heading.
fn is_layout(table: &Table) -> bool {
    let [row] = table.rows.as_slice() else { return false };
    let holds = |cell: &Cell| {
        let blocks = cell.blocks.iter().filter(|block| !is_blank(block));
        let structured = |block: &Block| !matches!(block, Block::Paragraph(_) | Block::Note { .. });
        let (blocks, tables) = blocks.fold((0, false), |(count, tables), block| {
            (count + usize::from(structured(block)), tables || matches!(block, Block::Table(_)))
        });
        tables || (row.cells.len() == 1 && blocks > 0)
    };
    row.cells.iter().any(holds)
}

fn is_blank(block: &Block) -> bool {
    match block {
        Block::Paragraph(text) | Block::Heading { text, .. } | Block::Item { text, .. } => {
            text.iter().all(|span| span.text.trim().is_empty())
        }
        Block::Table(table) => table.rows.iter().all(|row| row.cells.is_empty()),
        Block::Note { .. } => false,
        Block::Markdown(text) => text.trim().is_empty(),
    }
}

/// Number of header rows below the titles: the marked ones. Two without marks, if the first row has a group
/// of columns and a cell that extends into the second row.
fn header_rows(table: &Table) -> usize {
    let width = table.rows.iter().map(row_width).max().unwrap_or(0);
    let titles = table
        .rows
        .iter()
        .take_while(|row| row.cells.len() == 1 && row_width(row) == width && width > 1)
        .count();
    let rows = table.rows.get(titles..).unwrap_or_default();
    let marked = rows.iter().take_while(|row| row.header).count();
    if marked > 1 && marked < rows.len() {
        return marked.min(MAX_HEADER_ROWS);
    }
    let (Some(first), Some(second)) = (rows.first(), rows.get(1)) else { return 1 };
    let grouped = first.cells.iter().any(|cell| cell.columns > 1);
    let reaches_down = second.cells.iter().any(|cell| cell.continues);
    let all = second.cells.iter().all(|cell| cell.continues);
    if grouped && reaches_down && !all && rows.len() > 2 { 2 } else { 1 }
}

/// The text of a row if it is one cell over the full width.
fn title_row(row: &[Written]) -> Option<String> {
    let title = row.first()?;
    (title.whole && row.len() > 1 && !title.text.is_empty()).then(|| title.text.replace("<br>", "\n"))
}

/// Joins the header rows column by column.
fn join_header(rows: impl Iterator<Item = Vec<Written>>, width: usize) -> Vec<String> {
    let mut header = vec![String::new(); width];
    for row in rows {
        for (joined, cell) in header.iter_mut().zip(row) {
            if joined.is_empty() {
                *joined = cell.text;
            } else if *joined != cell.text && !cell.text.is_empty() {
                joined.push(' ');
                joined.push_str(&cell.text);
            }
        }
    }
    header
}

fn push_row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>, width: usize) {
    out.push('|');
    let mut written = 0;
    for cell in cells {
        out.push(' ');
        out.push_str(cell);
        out.push_str(" |");
        written += 1;
    }
    for _ in written..width {
        out.push_str("  |");
    }
}

/// The blocks as one line, for a cell or a note.
fn flat(blocks: Vec<Block>, separator: &str) -> String {
    let mut out = String::new();
    flatten(blocks, separator, &mut out);
    out
}

fn flatten(blocks: Vec<Block>, separator: &str, out: &mut String) {
    let breaks = if separator == " " { Breaks::Spaces } else { Breaks::Tags };
    for block in blocks {
        let line = match block {
            Block::Paragraph(text) => inline(text, breaks, true),
            Block::Heading { number, text, .. } => {
                let number = number.map(|number| number + " ").unwrap_or_default();
                let text = inline(text, breaks, true);
                if text.is_empty() { text } else { number + &text }
            }
            Block::Item { marker, text, .. } => {
                let text = inline(text, breaks, true);
                let marker = match &marker {
                    Marker::Bullet => "-",
                    Marker::Number(number) => number,
                };
                match (&text, &marker) {
                    (text, &"-") if text.is_empty() => String::new(),
                    (text, marker) => format!("{marker} {text}").trim_end().to_owned(),
                }
            }
            Block::Note { label, blocks } => format!("[^{label}]: {}", flat(blocks, separator)),
            Block::Markdown(text) => text.replace('|', "\\|").replace('\n', separator),
            Block::Table(table) => {
                let rows = table.rows.into_iter().map(|row| {
                    let cells = row.cells.into_iter().map(|cell| flat(cell.blocks, " "));
                    cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("; ")
                });
                rows.filter(|row| !row.is_empty()).collect::<Vec<_>>().join(separator)
            }
        };
        if line.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push_str(separator);
        }
        out.push_str(&line);
    }
}

/// Escapes a first character that would make the paragraph a heading or a quote.
fn escape(text: String) -> String {
    let marks = text.len() - text.trim_start_matches('#').len();
    let heading = (1..=6).contains(&marks) && text.get(marks..).is_some_and(|rest| rest.starts_with(' '));
    if heading || text.starts_with("> ") { format!("\\{text}") } else { text }
}
