//! Paragraphs, list items, tables and notes of RTF to Markdown.

use crate::parse::blocks::Blocks;
use crate::parse::word::scripts::{self, Script};

/// Maximum number of cells of a row.
const MAX_CELLS: usize = 1_000;

/// Writer of the text of an RTF file.
#[derive(Debug, Default)]
pub(super) struct Writer {
    blocks: Blocks,
    /// Text of the paragraph.
    text: String,
    heading: usize,
    /// Number or bullet of the list item.
    marker: String,
    depth: usize,
    /// Whether the current paragraph is in a table.
    table: bool,
    cell: String,
    row: Vec<String>,
    rows: Vec<Vec<String>>,
    /// For each cell of the row, whether it repeats the one before.
    merged: Vec<bool>,
    merging: bool,
    /// Start and address of the link.
    link: Option<(usize, String)>,
    notes: Vec<String>,
    /// Texts around the notes and markers being read.
    outer: Vec<String>,
}

impl Writer {
    /// Adds raised or lowered text.
    pub(super) fn push_script(&mut self, script: Script, text: &str) {
        let text = scripts::write(script, text, self.text.chars().next_back());
        self.text.push_str(&text);
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn reset(&mut self) {
        self.heading = 0;
        self.depth = 0;
        self.table = false;
    }

    pub(super) fn set_heading(&mut self, level: usize) {
        self.heading = level;
    }

    pub(super) fn set_depth(&mut self, depth: usize) {
        self.depth = depth;
    }

    pub(super) fn in_table(&mut self) {
        self.table = true;
    }

    pub(super) fn end_paragraph(&mut self) {
        if !self.outer.is_empty() {
            self.text.push(' ');
            return;
        }
        let text = std::mem::take(&mut self.text);
        let text = text.replace('\t', " ");
        self.link = None;
        // Word writes the number before the properties of its paragraph. It applies to this paragraph only.
        let marker = std::mem::take(&mut self.marker);
        if self.table {
            let line = marked(&marker, &text);
            if !line.trim().is_empty() {
                self.cell.push_str(if self.cell.is_empty() { "" } else { "<br>" });
                self.cell.push_str(line.trim());
            }
            return;
        }
        self.end_table();
        let number = marker.trim_end_matches(['.', ')', ' ']).parse::<usize>().ok();
        if self.heading > 0 {
            self.blocks.heading(self.heading, &marked(&marker, &text));
        } else if marker.is_empty() {
            self.blocks.paragraph(&text);
        } else if number.is_some() || is_bullet(&marker) {
            self.blocks.item(self.depth, number, &text);
        } else {
            self.blocks.item(self.depth, None, &marked(&marker, &text));
        }
    }

    pub(super) fn begin_row(&mut self) {
        self.merged.clear();
        self.merging = false;
    }

    /// Marks the next cell as the first (`false`) or a further cell of merged ones.
    pub(super) fn merge(&mut self, further: bool) {
        self.merging = further;
    }

    pub(super) fn define_cell(&mut self) {
        if self.merged.len() < MAX_CELLS {
            self.merged.push(std::mem::take(&mut self.merging));
        }
    }

    pub(super) fn end_cell(&mut self, nested: bool) {
        self.table = true;
        self.end_paragraph();
        if !nested && self.row.len() < MAX_CELLS {
            self.row.push(std::mem::take(&mut self.cell));
        }
    }

    pub(super) fn end_row(&mut self, nested: bool) {
        if nested {
            return;
        }
        let mut row = std::mem::take(&mut self.row);
        for at in 1..row.len() {
            if self.merged.get(at) == Some(&true) && row.get(at).is_some_and(String::is_empty) {
                let before = row.get(at - 1).cloned().unwrap_or_default();
                if let Some(cell) = row.get_mut(at) {
                    *cell = before;
                }
            }
        }
        self.rows.push(row);
        self.cell.clear();
    }

    fn end_table(&mut self) {
        if !self.rows.is_empty() {
            let rows = std::mem::take(&mut self.rows);
            self.blocks.table(&rows);
        }
    }

    pub(super) fn begin_marker(&mut self) {
        self.outer.push(std::mem::take(&mut self.text));
    }

    pub(super) fn end_marker(&mut self) {
        if let Some(outer) = self.outer.pop() {
            self.marker = std::mem::replace(&mut self.text, outer).trim().to_owned();
        }
    }

    pub(super) fn begin_note(&mut self) {
        self.text.push_str(&format!("[^{}]", self.notes.len() + 1));
        self.notes.push(String::new());
        self.outer.push(std::mem::take(&mut self.text));
    }

    pub(super) fn end_note(&mut self) {
        if let Some(outer) = self.outer.pop() {
            let note = std::mem::replace(&mut self.text, outer);
            if let Some(place) = self.notes.iter_mut().rev().find(|note| note.is_empty()) {
                *place = note.split_whitespace().collect::<Vec<_>>().join(" ");
            }
        }
    }

    /// Sets the instruction of a field. An instruction with an address makes the result a link.
    pub(super) fn set_link(&mut self, instruction: &str) {
        let address =
            instruction.trim().strip_prefix("HYPERLINK").map(|rest| rest.trim().trim_start_matches('"'));
        let address = address.and_then(|rest| rest.split(['"', ' ']).next()).unwrap_or_default();
        self.link = ["http", "mailto:"]
            .iter()
            .any(|scheme| address.starts_with(scheme))
            .then(|| (self.text.len(), address.to_owned()));
    }

    /// Ends the result of a field.
    pub(super) fn end_link(&mut self) {
        let Some((start, address)) = self.link.take() else { return };
        let Some(label) = self.text.get(start..).map(str::trim).map(str::to_owned) else { return };
        if !label.is_empty() && label != address && !label.contains('\n') {
            self.text.truncate(start);
            self.text.push_str(&format!("[{label}]({address})"));
        }
    }

    pub(super) fn finish(&mut self) -> String {
        self.outer.clear();
        self.end_paragraph();
        if !self.row.is_empty() || !self.cell.is_empty() {
            self.row.push(std::mem::take(&mut self.cell));
            self.end_row(false);
        }
        self.end_table();
        for (index, note) in std::mem::take(&mut self.notes).iter().enumerate() {
            self.blocks.paragraph(&format!("[^{}]: {note}", index + 1));
        }
        std::mem::take(&mut self.blocks).finish()
    }
}

fn marked(marker: &str, text: &str) -> String {
    if marker.is_empty() || is_bullet(marker) { text.to_owned() } else { format!("{marker} {text}") }
}

/// Whether a marker is a bullet. Symbol fonts write bullets as letters.
fn is_bullet(marker: &str) -> bool {
    let mut characters = marker.chars();
    matches!((characters.next(), characters.next()), (Some(mark), None) if !mark.is_alphanumeric() || matches!(mark, 'o' | '·'))
}
