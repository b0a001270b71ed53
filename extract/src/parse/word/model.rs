//! The content of a Word document, common to DOCX and DOC.

use std::rc::Rc;

/// Direct emphasis of a piece of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Emphasis {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strike: bool,
}

/// A piece of a paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The text. A line feed is a line break inside the paragraph.
    pub(super) text: String,
    pub(super) emphasis: Emphasis,
    /// Absolute address of the link around the text.
    pub(super) link: Option<Rc<str>>,
}

impl Span {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), emphasis: Emphasis::default(), link: None }
    }
}

/// Number or bullet of a list item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet,
    /// The number as displayed, with its punctuation: `1.`, `(a)`, `§ 3`.
    Number(String),
}

/// A block of the document, in reading order.
#[derive(Clone, Debug)]
pub(super) enum Block {
    /// A heading of level 1 to 6.
    Heading {
        level: u8,
        number: Option<String>,
        text: Vec<Span>,
    },
    Paragraph(Vec<Span>),
    /// A list item. Level 0 is the outermost.
    Item {
        level: usize,
        marker: Marker,
        text: Vec<Span>,
    },
    Table(Table),
    /// A footnote or endnote with the label of its mark.
    Note {
        label: String,
        blocks: Vec<Block>,
    },
    /// Text that is Markdown already.
    Markdown(String),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// Whether the author marked the row as a header that repeats on every page.
    pub(super) header: bool,
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) blocks: Vec<Block>,
    /// Number of columns that the cell covers, at least 1.
    pub(super) columns: usize,
    /// Whether the cell continues the merged cell above.
    pub(super) continues: bool,
}

/// Longest text that is repeated for a merged cell, in bytes.
pub(super) const MAX_REPEATED_CELL: usize = 512;

/// Maximum number of columns of a table. The maximum of Word is 63.
pub(super) const MAX_COLUMNS: usize = 256;

/// Removes numbered lines without text from a cell with other content. A cell of a number alone keeps it.
pub(super) fn remove_bare_numbers(cell: &mut Vec<Block>) {
    let is_bare = |block: &Block| matches!(block, Block::Item { text, .. } if text.iter().all(|span| span.text.trim().is_empty()));
    if cell.iter().any(|block| !is_bare(block)) {
        cell.retain(|block| !is_bare(block));
    }
}
