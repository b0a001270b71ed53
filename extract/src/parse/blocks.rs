//! Writer of Markdown blocks: headings, paragraphs, list items and tables.

/// Maximum number of cells written for a row. Formats can declare millions of repeated cells.
const MAX_CELLS: usize = 1_000;

/// Markdown under construction. Blocks are separated by a blank line, items of a list by a line end.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    written: String,
    /// Whether the last block is a list item.
    in_list: bool,
}

impl Blocks {
    /// The length of the text so far, in bytes.
    pub(super) fn len(&self) -> usize {
        self.written.len()
    }

    pub(super) fn heading(&mut self, level: usize, text: &str) {
        let text = one_line(text);
        if !text.is_empty() {
            self.start(false);
            self.written.push_str("######".get(..level.clamp(1, 6)).unwrap_or("#"));
            self.written.push(' ');
            self.written.push_str(&text);
        }
    }

    /// A paragraph. Line breaks in the text are kept.
    pub(super) fn paragraph(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.start(false);
            // The first character must not start another kind of block.
            if text.starts_with(['#', '>']) || text.starts_with("- ") || text.starts_with("+ ") {
                self.written.push('\\');
            }
            self.written.push_str(text);
        }
    }

    /// A list item. `depth` counts from 0; an item without a number has a bullet.
    pub(super) fn item(&mut self, depth: usize, number: Option<usize>, text: &str) {
        let text = one_line(text);
        if text.is_empty() {
            return;
        }
        self.start(true);
        self.written.push_str(&"  ".repeat(depth.min(8)));
        match number {
            Some(number) => self.written.push_str(&format!("{number}. ")),
            None => self.written.push_str("- "),
        }
        self.written.push_str(&text);
    }

    /// A table whose first row is its header.
    pub(super) fn table(&mut self, rows: &[Vec<String>]) {
        let filled = |row: &&Vec<String>| row.iter().any(|cell| !cell.trim().is_empty());
        let rows: Vec<&Vec<String>> = rows.iter().filter(filled).collect();
        let last =
            |row: &&Vec<String>| row.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
        let width = rows.iter().map(last).max().unwrap_or_default().min(MAX_CELLS);
        if width < 2 {
            // A table of one column is a frame around text.
            for cell in rows.iter().filter_map(|row| row.first()) {
                self.paragraph(&cell.replace("<br>", "\n"));
            }
            return;
        }
        for (index, row) in rows.iter().enumerate() {
            if index == 0 {
                self.start(false);
            } else {
                self.written.push('\n');
            }
            for column in 0..width {
                let cell = row.get(column).map(|cell| one_line(cell)).unwrap_or_default();
                self.written.push_str("| ");
                self.written.push_str(&cell.replace('|', "\\|"));
                self.written.push_str(if cell.is_empty() { "" } else { " " });
            }
            self.written.push('|');
            if index == 0 {
                self.written.push('\n');
                self.written.push_str(&"|---".repeat(width));
                self.written.push('|');
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.written
    }

    fn start(&mut self, item: bool) {
        if !self.written.is_empty() {
            self.written.push_str(if item && self.in_list { "\n" } else { "\n\n" });
        }
        self.in_list = item;
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
