//! Blocks of a page, and the flow in which they are collected.

use super::line::Line;
use super::seam::Seam;
use super::{Context, Writer, dom};
use dom_query::NodeRef;

/// A block.
#[derive(Debug)]
pub(super) enum Block {
    /// Text. Adjacent lines that are not paragraphs stay together, without a blank line between them.
    Line { line: Line, paragraph: bool },
    /// A heading.
    Heading { level: u8, line: Line },
    /// Code with unchanged lines.
    Code { language: String, code: String },
    /// A table.
    Table(Table),
    /// A list.
    List(Vec<Item>),
    /// A quotation.
    Quote(Vec<Block>),
    /// A thematic break (`hr`).
    Rule,
    /// A boundary between groups of lines.
    Gap,
}

/// An item of a list, with its marker: `-`, `3.`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) marker: String,
    pub(super) blocks: Vec<Block>,
}

/// A table with expanded spans. All rows have the same number of cells. Without `head`, the header row is
/// empty.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) head: Option<Vec<String>>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Collected blocks, and the current line.
#[derive(Default)]
pub(super) struct Flow {
    pub(super) blocks: Vec<Block>,
    pub(super) line: Line,
    pub(super) seam: Seam,
}

impl Writer<'_> {
    /// Ends the current line.
    pub(super) fn flush(&mut self, flow: &mut Flow, paragraph: bool) {
        flow.seam = Seam::default();
        let mut line = std::mem::take(&mut flow.line);
        self.settle_buttons(&mut line);
        if !line.is_blank() {
            flow.blocks.push(Block::Line { line, paragraph });
        }
    }

    /// Ends the current line and appends a block.
    pub(super) fn push(&mut self, flow: &mut Flow, block: Block) {
        self.flush(flow, false);
        flow.blocks.push(block);
    }

    /// Writes a block element without a more specific form.
    pub(super) fn block(&mut self, node: &NodeRef, name: &str, context: Context, flow: &mut Flow) {
        if dom::has_class(node, &["mw-editsection", "katex-html"]) || super::inline::is_tool(node) {
            return;
        }
        if name == "div" && node.first_element_child().is_none_or(|child| !dom::has_text(&child)) {
            // A rating shown only by a width or a glyph.
            if self.is_icon(node, name, context, flow) {
                self.flush(flow, false);
                return;
            }
        }
        self.flush(flow, false);
        if !context.cell
            && matches!(name, "div" | "p" | "header" | "section")
            && super::buttons::is_question(node)
        {
            self.question(node, context, flow);
            return;
        }
        let at = flow.blocks.len();
        let mut context = self.styled(node, name, context);
        context.lines = context.lines || keeps_lines(node);
        if let Some(name) = self.tabs.name(node)
            && dom::text(node, 2 * name.len() + 80).find(&name).is_none_or(|at| at > 0)
        {
            let mut line = Line::default();
            line.push(&name, super::Style { strong: !context.cell, ..Default::default() }, false);
            flow.blocks.push(Block::Line { line, paragraph: true });
            let named = flow.blocks.len();
            self.children(node, context, flow);
            self.flush(flow, true);
            // A panel without text gets no name.
            if flow.blocks.len() == named {
                flow.blocks.pop();
            }
            return;
        }
        if self.is_row_of_words(node) {
            self.children(node, Context { flat: true, ..context }, flow);
        } else {
            self.children(node, context, flow);
        }
        self.flush(flow, matches!(name, "p" | "figcaption" | "address" | "legend" | "center"));
        // The lines of one element form a group, separate from the next element.
        if flow.blocks.len() > at + 1 {
            flow.blocks.insert(at, Block::Gap);
            flow.blocks.push(Block::Gap);
        }
    }
}

/// Whether the inline style preserves the line breaks of the text.
fn keeps_lines(node: &NodeRef) -> bool {
    dom::style(node, "white-space").is_some_and(|value| value.starts_with("pre") || value == "break-spaces")
}
