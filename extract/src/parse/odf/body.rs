//! Text of an OpenDocument file to Markdown.

use std::collections::HashMap;

use super::styles::Styles;
use crate::parse::blocks::Blocks;
use crate::parse::xml::{Child, Node};

/// Maximum number of times a cell or row is repeated.
const MAX_REPEATED: usize = 1_000;

/// Maximum number of spaces of one space element (`text:s`).
const MAX_SPACES: usize = 100;

/// Writer of the text of one document or slide.
pub(super) struct Body<'a> {
    styles: &'a Styles,
    pub(super) blocks: Blocks,
    /// Marks and texts of footnotes and endnotes.
    notes: Vec<(String, String)>,
    /// Frames anchored in the paragraph.
    frames: Vec<&'a Node>,
    /// Last number of each list, for a later list that continues it.
    numbers: HashMap<&'a str, usize>,
}

impl<'a> Body<'a> {
    pub(super) fn new(styles: &'a Styles) -> Self {
        Self {
            styles,
            blocks: Blocks::default(),
            notes: Vec::new(),
            frames: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    /// The Markdown, with the notes at the end.
    pub(super) fn finish(mut self) -> String {
        for (mark, note) in std::mem::take(&mut self.notes) {
            self.blocks.paragraph(&format!("[^{mark}]: {note}"));
        }
        self.blocks.finish()
    }

    /// Reads the blocks in an element. The depth of elements is bounded by the parser.
    pub(super) fn read(&mut self, parent: &'a Node) {
        for node in parent.elements() {
            self.block(node);
        }
    }

    fn block(&mut self, node: &'a Node) {
        match node.name.as_str() {
            "text:h" => {
                let text = self.inline(node);
                self.blocks.heading(node.number("text:outline-level"), &text);
                self.read_frames();
            }
            "text:p" => {
                let style = node.attribute("text:style-name");
                if self.styles.hides(style) {
                    return;
                }
                let text = self.inline(node);
                if self.styles.is_title(style) {
                    self.blocks.heading(1, &text);
                } else {
                    self.blocks.paragraph(&text);
                }
                self.read_frames();
            }
            "text:list" => self.list(node, None, 0),
            "table:table" => {
                let rows = self.rows(node);
                self.blocks.table(&rows);
                self.read_frames();
            }
            // Left out: indexes, which repeat other text; deleted text, forms and comments.
            "text:table-of-content"
            | "text:alphabetical-index"
            | "text:illustration-index"
            | "text:table-index"
            | "text:object-index"
            | "text:user-index"
            | "text:tracked-changes"
            | "office:forms"
            | "office:annotation"
            | "presentation:notes"
            | "svg:title"
            | "svg:desc" => {}
            "text:section" if node.attribute("text:display") == Some("none") => {}
            _ => self.read(node),
        }
    }

    fn read_frames(&mut self) {
        for frame in std::mem::take(&mut self.frames) {
            self.read(frame);
        }
    }

    fn list(&mut self, list: &'a Node, style: Option<&'a str>, depth: usize) {
        let style = list.attribute("text:style-name").or(style);
        let numbered = self.styles.is_numbered(style, depth + 1);
        let continued = list.attribute("text:continue-numbering") == Some("true")
            || list.attribute("text:continue-list").is_some();
        let mut number = match style.filter(|_| continued).and_then(|style| self.numbers.get(style)) {
            Some(last) => *last,
            None => 0,
        };
        for item in list.elements() {
            if item.name == "text:list-header" {
                self.read(item);
                continue;
            }
            if item.attribute("text:start-value").is_some() {
                number = item.number("text:start-value").saturating_sub(1);
            }
            let mut text = String::new();
            let mut numbers = Some(()).filter(|()| numbered);
            for part in item.elements() {
                match part.name.as_str() {
                    // Numbered headings are items of a list.
                    "text:h" => self.block(part),
                    "text:list" => {
                        self.item(depth, &mut numbers, &mut number, &mut text);
                        self.list(part, style, depth + 1);
                    }
                    "text:p" => {
                        let part = self.inline(part);
                        text.push_str(if text.is_empty() { "" } else { " " });
                        text.push_str(&part);
                    }
                    _ => {
                        self.item(depth, &mut numbers, &mut number, &mut text);
                        self.block(part);
                    }
                }
            }
            self.item(depth, &mut numbers, &mut number, &mut text);
            self.read_frames();
        }
        if let Some(style) = style.filter(|_| depth == 0) {
            self.numbers.insert(style, number);
        }
    }

    /// Writes the text of an item read so far. Only the first part of an item has a number.
    fn item(&mut self, depth: usize, numbers: &mut Option<()>, number: &mut usize, text: &mut String) {
        if !text.trim().is_empty() {
            let counted = numbers.take().map(|()| {
                *number = number.saturating_add(1);
                *number
            });
            self.blocks.item(depth, counted, text);
        }
        text.clear();
    }

    /// The cells of a table. A merged cell is repeated in each cell that it covers.
    fn rows(&mut self, table: &'a Node) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut sources: Vec<&'a Node> = Vec::new();
        let mut groups: Vec<&'a Node> = vec![table];
        while let Some(group) = groups.pop() {
            if group.name == "table:table-row" {
                sources.push(group);
                continue;
            }
            let from = groups.len();
            let nested = |node: &&Node| {
                matches!(
                    node.name.as_str(),
                    "table:table-row"
                        | "table:table-rows"
                        | "table:table-header-rows"
                        | "table:table-row-group"
                )
            };
            groups.extend(group.elements().filter(nested));
            if let Some(added) = groups.get_mut(from..) {
                added.reverse();
            }
        }
        for source in sources {
            let mut row: Vec<String> = Vec::new();
            let mut spanned = 0;
            for cell in source.elements() {
                let covered = match cell.name.as_str() {
                    "table:table-cell" => false,
                    "table:covered-table-cell" => true,
                    _ => continue,
                };
                let repeated = cell.number("table:number-columns-repeated").min(MAX_REPEATED);
                let text = if covered { String::new() } else { self.cell(cell) };
                for _ in 0..repeated {
                    if row.len() >= MAX_REPEATED {
                        break;
                    }
                    let value = match (covered, spanned) {
                        (false, _) => {
                            spanned = cell.number("table:number-columns-spanned");
                            text.clone()
                        }
                        (true, 2..) => row.last().cloned().unwrap_or_default(),
                        (true, _) => {
                            rows.last().and_then(|above| above.get(row.len())).cloned().unwrap_or_default()
                        }
                    };
                    spanned = if covered { spanned.saturating_sub(1) } else { spanned };
                    row.push(value);
                }
            }
            rows.push(row);
        }
        rows
    }

    /// The text of a cell, on one line.
    fn cell(&mut self, cell: &'a Node) -> String {
        let mut text = String::new();
        let mut stack: Vec<&'a Node> = vec![cell];
        while let Some(node) = stack.pop() {
            if matches!(node.name.as_str(), "text:p" | "text:h") {
                let part = self.inline(node);
                text.push_str(if text.is_empty() { "" } else { " " });
                text.push_str(&part);
                continue;
            }
            if node.name == "office:annotation" {
                continue;
            }
            let from = stack.len();
            stack.extend(node.elements());
            if let Some(added) = stack.get_mut(from..) {
                added.reverse();
            }
        }
        text
    }

    /// The text of a paragraph. White space collapses, as in HTML.
    pub(super) fn inline(&mut self, node: &'a Node) -> String {
        let mut out = String::new();
        self.inline_into(node, &mut out);
        out
    }

    fn inline_into(&mut self, node: &'a Node, out: &mut String) {
        for child in &node.children {
            match child {
                Child::Text(text) => {
                    for character in text.chars() {
                        let blank = matches!(character, ' ' | '\t' | '\n' | '\r');
                        if !blank {
                            out.push(character);
                        } else if !out.ends_with([' ', '\n']) && !out.is_empty() {
                            out.push(' ');
                        }
                    }
                }
                Child::Node(node) => self.inline_node(node, out),
            }
        }
    }

    fn inline_node(&mut self, node: &'a Node, out: &mut String) {
        match node.name.as_str() {
            "text:s" => out.push_str(&" ".repeat(node.number("text:c").min(MAX_SPACES))),
            "text:tab" => out.push(' '),
            "text:line-break" => out.push('\n'),
            "text:note" => self.note(node, out),
            "text:a" => {
                let text = self.inline(node);
                let address = node.attribute("xlink:href").unwrap_or_default();
                if address.starts_with("http") && !text.is_empty() && text.trim() != address {
                    out.push_str(&format!("[{text}]({address})"));
                } else {
                    out.push_str(&text);
                }
            }
            "text:ruby" => {
                let part = |name: &str| node.child(name);
                if let Some(base) = part("text:ruby-base") {
                    self.inline_into(base, out);
                }
                let reading = part("text:ruby-text").map(|reading| self.inline(reading)).unwrap_or_default();
                if !reading.is_empty() {
                    out.push_str(&format!("({reading})"));
                }
            }
            "text:span" if self.styles.hides(node.attribute("text:style-name")) => {}
            "office:annotation"
            | "office:annotation-end"
            | "text:hidden-text"
            | "text:hidden-paragraph"
            | "text:ruby-text"
            | "svg:title"
            | "svg:desc" => {}
            "draw:frame" | "draw:custom-shape" | "draw:g" | "draw:rect" | "draw:ellipse"
            | "draw:text-box" => {
                self.frames.push(node);
            }
            _ => self.inline_into(node, out),
        }
    }

    fn note(&mut self, node: &'a Node, out: &mut String) {
        let mark = node.child("text:note-citation").map(|mark| mark.text()).unwrap_or_default();
        let mark =
            if mark.trim().is_empty() { (self.notes.len() + 1).to_string() } else { mark.trim().to_owned() };
        let text = node.child("text:note-body").map(|body| self.cell(body)).unwrap_or_default();
        out.push_str(&format!("[^{mark}]"));
        self.notes.push((mark, text));
    }
}
