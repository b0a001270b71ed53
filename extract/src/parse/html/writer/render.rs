//! Markdown text of blocks.

use super::Writer;
use super::block::{Block, Item, Table};
use super::line::longest_ticks;

/// Depth from which nested lists and quotations get no further indentation: it would multiply the text.
const MAX_INDENTS: usize = 8;

/// Output size at which writing stops, in bytes. It exceeds the maximum text size of a
/// document, so nothing is lost.
const MAX_OUTPUT: usize = crate::protocol::MAX_TEXT_BYTES + (1 << 20);

/// Prefix of each line: `> ` for quotations and the indentation of lists.
#[derive(Clone, Default)]
struct Prefix {
    text: String,
    depth: usize,
}

impl Prefix {
    fn with(&self, more: &str) -> Prefix {
        let text = if self.depth < MAX_INDENTS { format!("{}{more}", self.text) } else { self.text.clone() };
        Prefix { text, depth: self.depth + 1 }
    }
}

impl Writer<'_> {
    pub(super) fn render(&self, blocks: &[Block]) -> String {
        let mut out = String::new();
        self.write_blocks(blocks, &Prefix::default(), "\n\n", &mut out);
        out
    }

    /// Writes blocks. `lead` is the separator before the first one.
    fn write_blocks(&self, blocks: &[Block], prefix: &Prefix, lead: &str, out: &mut String) {
        let mut before: Option<&Block> = None;
        let mut gap = false;
        for block in blocks {
            if matches!(block, Block::Gap) {
                gap = true;
                continue;
            }
            if out.len() > MAX_OUTPUT {
                return;
            }
            let together = !gap
                && matches!(
                    (before, block),
                    (Some(Block::Line { paragraph: false, .. }), Block::Line { paragraph: false, .. })
                );
            if before.is_none() {
                separate(lead, prefix, out);
            } else if together {
                separate("\n", prefix, out);
            } else {
                separate("\n\n", prefix, out);
            }
            self.write_block(block, prefix, out);
            before = Some(block);
            gap = false;
        }
    }

    fn write_block(&self, block: &Block, prefix: &Prefix, out: &mut String) {
        match block {
            Block::Line { line, .. } => {
                let text = line.markdown(|number| self.address_of(number));
                let mut breaks = "";
                for part in text.split('\n').map(str::trim) {
                    if part.is_empty() {
                        breaks = if breaks.is_empty() { "" } else { "\n\n" };
                        continue;
                    }
                    if !breaks.is_empty() {
                        separate(breaks, prefix, out);
                    }
                    push_escaped(part, out);
                    breaks = "\n";
                }
            }
            Block::Heading { level, line } => {
                let text = line.markdown(|number| self.address_of(number));
                out.push_str(&"#".repeat(usize::from(*level)));
                for word in text.split_whitespace() {
                    out.push(' ');
                    out.push_str(word);
                }
            }
            Block::Code { language, code } => {
                let fence = "`".repeat(longest_ticks(code).max(2) + 1);
                out.push_str(&fence);
                out.push_str(language);
                for line in code.split('\n').chain([fence.as_str()]) {
                    // White space at line ends is kept.
                    out.push('\n');
                    out.push_str(&prefix.text);
                    out.push_str(line);
                }
            }
            Block::Table(table) => write_table(table, prefix, out),
            Block::List(items) => self.write_list(items, prefix, out),
            Block::Quote(blocks) => {
                // Code, tables and headings would lose their form inside a quotation.
                if blocks.iter().any(|block| {
                    matches!(block, Block::Code { .. } | Block::Table(_) | Block::Heading { .. })
                }) {
                    self.write_blocks(blocks, prefix, "", out);
                } else {
                    let inner = prefix.with("> ");
                    if inner.text.len() > prefix.text.len() {
                        out.push_str("> ");
                    }
                    self.write_blocks(blocks, &inner, "", out);
                }
            }
            Block::Rule => out.push_str("---"),
            Block::Gap => {}
        }
    }

    /// Writes a list. Items of a list with code are not indented, so that the code keeps its white space.
    fn write_list(&self, items: &[Item], prefix: &Prefix, out: &mut String) {
        let flat = items.iter().any(|item| holds_code(&item.blocks, 0));
        let loose = flat || items.iter().any(|item| is_loose(&item.blocks));
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                separate(if loose { "\n\n" } else { "\n" }, prefix, out);
            }
            let inner = if flat { prefix.clone() } else { prefix.with(&" ".repeat(item.marker.len() + 1)) };
            out.push_str(&item.marker);
            let mut blocks = item.blocks.as_slice();
            while let [Block::Gap, rest @ ..] = blocks {
                blocks = rest;
            }
            let Some((first, rest)) = blocks.split_first() else { continue };
            if matches!(first, Block::Code { .. } | Block::Table(_)) {
                separate("\n\n", &inner, out);
            } else {
                out.push(' ');
            }
            self.write_block(first, &inner, out);
            let mut before = first;
            let mut gap = false;
            for block in rest {
                if matches!(block, Block::Gap) {
                    gap = true;
                    continue;
                }
                let tight = match (before, block) {
                    (_, Block::List(_)) => !loose,
                    (Block::Line { paragraph: false, .. }, Block::Line { paragraph: false, .. }) => !gap,
                    _ => false,
                };
                separate(if tight { "\n" } else { "\n\n" }, &inner, out);
                self.write_block(block, &inner, out);
                before = block;
                gap = false;
            }
        }
    }
}

/// Starts a new line, or a new block after a blank line, with the prefix. Does nothing at the start of
/// the text.
fn separate(breaks: &str, prefix: &Prefix, out: &mut String) {
    if out.is_empty() {
        return;
    }
    for _ in 0..breaks.len() {
        let end = out.trim_end_matches(' ').len();
        if out.get(end..).is_some_and(|blank| !blank.is_empty()) {
            out.truncate(end);
        }
        out.push('\n');
        out.push_str(&prefix.text);
    }
}

/// Whether a list with such an item needs blank lines between its items.
fn is_loose(blocks: &[Block]) -> bool {
    let mut lines = 0;
    for block in blocks {
        match block {
            Block::Line { paragraph, .. } => lines += 1 + usize::from(*paragraph),
            Block::Gap | Block::List(_) => {}
            _ => return true,
        }
    }
    lines > 2
}

fn holds_code(blocks: &[Block], depth: usize) -> bool {
    depth < 4
        && blocks.iter().any(|block| match block {
            Block::Code { .. } => true,
            Block::List(items) => items.iter().any(|item| holds_code(&item.blocks, depth + 1)),
            Block::Quote(blocks) => holds_code(blocks, depth + 1),
            _ => false,
        })
}

fn write_table(table: &Table, prefix: &Prefix, out: &mut String) {
    let width = table.head.as_ref().or_else(|| table.rows.first()).map_or(0, Vec::len);
    let empty = vec![String::new(); width];
    write_row(table.head.as_ref().unwrap_or(&empty), out);
    separate("\n", prefix, out);
    out.push('|');
    out.push_str(&" --- |".repeat(width));
    for row in &table.rows {
        separate("\n", prefix, out);
        write_row(row, out);
    }
}

fn write_row(row: &[String], out: &mut String) {
    out.push('|');
    for cell in row {
        out.push(' ');
        out.push_str(cell);
        if !cell.is_empty() {
            out.push(' ');
        }
        out.push('|');
    }
}

/// Appends a line of text, escaped where it would start a heading, a quotation, code, a table or a rule.
fn push_escaped(line: &str, out: &mut String) {
    let level = line.len() - line.trim_start_matches('#').len();
    let heading = (1..=6).contains(&level)
        && line.get(level..).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
    let fence = line.starts_with("```") && !line.trim_start_matches('`').contains('`');
    let rule =
        line.len() > 1 && (line.bytes().all(|byte| byte == b'=') || line.bytes().all(|byte| byte == b'-'));
    let tilde = line.starts_with("~~~");
    let table = line.starts_with('|') || is_delimiter(line);
    if heading || fence || rule || tilde || table || line.starts_with('>') {
        out.push('\\');
    }
    out.push_str(line);
}

/// Whether a line would turn the previous line into a table header.
fn is_delimiter(line: &str) -> bool {
    line.contains('|') && line.bytes().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' '))
}
