//! Tables: data or layout, header rows, text of cells.

use dom_query::NodeRef;

use super::block::{Block, Flow, Table};
use super::grid::{Cell, Grid, Row, Section};
use super::line::{Line, code_span};
use super::seam::Seam;
use super::{Context, Writer, code, dom};

/// Maximum number of bytes per page that cells with row or column spans may add by repetition.
pub(super) const MAX_REPEATED_BYTES: usize = 1 << 20;

/// Maximum number of header rows that are joined into one.
const MAX_HEAD_ROWS: usize = 4;

/// Length of a cell's text at which its table counts as layout, in bytes.
const LONG_CELL: usize = 600;

/// Rows of a table as nodes.
pub(super) struct Source<'a> {
    pub(super) rows: Vec<(Section, Vec<NodeRef<'a>>)>,
    captions: Vec<NodeRef<'a>>,
}

impl Writer<'_> {
    pub(super) fn table(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        self.flush(flow, false);
        let source = read(node);
        let rows: Vec<Vec<NodeRef>> = source.rows.iter().map(|(_, cells)| cells.clone()).collect();
        if let Some(code) = code::of_table(node, &rows) {
            self.code_block(&code, flow);
            return;
        }
        for caption in &source.captions {
            self.block(caption, "p", context, flow);
        }
        if source.rows.is_empty() {
            self.block(node, "div", context, flow);
        } else if is_layout(node, &source) {
            self.layout(&source, context, flow);
        } else {
            self.data(&source, context, flow);
        }
    }

    /// Writes a table used only for layout.
    fn layout(&mut self, source: &Source, context: Context, flow: &mut Flow) {
        for (_, cells) in &source.rows {
            let short = cells.len() > 1
                && cells.iter().all(|cell| dom::text(cell, 81).len() <= 80 && is_one_line(cell));
            flow.blocks.push(Block::Gap);
            for cell in cells {
                if short {
                    flow.seam = Seam { apart: true, ..Seam::default() };
                    flow.line.space_word();
                    self.children(cell, Context { flat: true, ..context }, flow);
                } else {
                    self.block(cell, "div", context, flow);
                }
            }
            self.flush(flow, false);
        }
        flow.blocks.push(Block::Gap);
    }

    fn data(&mut self, source: &Source, context: Context, flow: &mut Flow) {
        let mut rows = Vec::new();
        for (section, cells) in &source.rows {
            let cells = cells.iter().map(|cell| self.cell(cell, context)).collect();
            rows.push(Row { section: *section, cells });
        }
        let looks = looks_like_header(source);
        let mut grid = Grid::new(rows, &mut self.repeated);
        let title = grid.take_title();
        if !title.is_empty() {
            let mut line = Line::default();
            line.push(&title, super::Style::default(), false);
            flow.blocks.push(Block::Line { line, paragraph: true });
        }
        let head_rows = grid.head_rows(looks).min(MAX_HEAD_ROWS);
        let head = (head_rows > 0).then(|| grid.joined_head(head_rows));
        let rows = grid.body(head_rows);
        if rows.is_empty() && head.as_ref().is_none_or(|head| head.iter().all(String::is_empty)) {
            return;
        }
        flow.blocks.push(Block::Table(Table { head, rows }));
    }

    /// A cell with its text on one line.
    fn cell(&mut self, node: &NodeRef, context: Context) -> Cell {
        let role = dom::keyword(node, "role");
        let header = node.has_name("th") || matches!(role.as_str(), "columnheader" | "rowheader");
        let outer = self.icon.take();
        let style = super::Style { strong: false, em: false, ..context.style };
        let inner = self.styled(node, "td", Context { cell: true, item: false, style, ..context });
        let blocks = self.blocks(node, inner);
        let mut text = self.joined(&blocks, if header { " " } else { "; " });
        if text.is_empty() {
            if let Some(label) = dom::attribute(node, "aria-label").filter(|label| label.len() < 100) {
                text = label;
            } else if self.icon.is_none() {
                self.note_icon(&node.class().unwrap_or_default());
            }
            if let (true, Some(meaning)) = (text.is_empty(), self.icon) {
                text = meaning.word().to_owned();
            }
        } else if let Some(meaning) = self.icon {
            let sign = if meaning == super::icons::Meaning::Yes { "✓" } else { "✗" };
            text = format!("{sign} {text}");
        }
        self.icon = outer;
        let span = |html: &str, aria: &str| {
            let stated = dom::keyword(node, html).parse::<usize>().ok();
            stated.or_else(|| dom::keyword(node, aria).parse().ok()).unwrap_or(1)
        };
        Cell {
            text: text.replace('|', "\\|"),
            header,
            columns: span("colspan", "aria-colspan"),
            rows: span("rowspan", "aria-rowspan"),
        }
    }

    /// The text of blocks on one line, for a cell.
    fn joined(&self, blocks: &[Block], separator: &str) -> String {
        let mut out = String::new();
        for block in blocks {
            let text = match block {
                Block::Line { line, .. } | Block::Heading { line, .. } => {
                    let text = line.markdown(|number| self.address_of(number));
                    text.split('\n').fold(String::new(), |joined, part| join(joined, part, separator))
                }
                Block::Code { code, .. } => {
                    let lines = code.lines().filter(|line| !line.trim().is_empty());
                    lines.map(|line| code_span(line.trim())).collect::<Vec<_>>().join("; ")
                }
                Block::List(items) => items.iter().fold(String::new(), |joined, item| {
                    let text = self.joined(&item.blocks, separator);
                    let text = if item.marker == "-" { text } else { format!("{} {text}", item.marker) };
                    if joined.is_empty() { text } else { format!("{joined}; {text}") }
                }),
                Block::Quote(blocks) => self.joined(blocks, separator),
                Block::Table(table) => nested(table),
                Block::Rule | Block::Gap => continue,
            };
            out = join(out, &text, separator);
        }
        out
    }
}

/// Joins two lines of a cell. The continuation of a sentence needs only a space.
fn join(mut joined: String, part: &str, separator: &str) -> String {
    let part = part.trim();
    if part.is_empty() {
        return joined;
    }
    if !joined.is_empty() {
        let ended =
            joined.ends_with(['.', ':', ';', ',', '!', '?', '-', '–', '/', '(', '&', '+', '\u{3002}']);
        let goes_on = part.starts_with(|first: char| {
            first.is_lowercase() || matches!(first, '(' | '/' | '–' | '-' | '*' | '&')
        });
        joined.push_str(if ended || goes_on { " " } else { separator });
    }
    joined.push_str(part);
    joined
}

/// The text of a table within a cell: rows separated by semicolons.
fn nested(table: &Table) -> String {
    let rows = table.head.iter().chain(&table.rows);
    let rows = rows.map(|row| {
        let cells: Vec<&str> = row.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        cells.join(if row.len() == 2 { ": " } else { ", " })
    });
    rows.filter(|row| !row.is_empty()).collect::<Vec<_>>().join("; ").replace("\\|", "|")
}

/// The rows of a table in display order.
fn read<'a>(table: &NodeRef<'a>) -> Source<'a> {
    let mut source = Source { rows: Vec::new(), captions: Vec::new() };
    let mut foot = Vec::new();
    let mut head = Vec::new();
    collect(table, Section::Body(0), &mut source, &mut head, &mut foot, 0);
    head.append(&mut source.rows);
    head.append(&mut foot);
    source.rows = head;
    source
}

type Rows<'a> = Vec<(Section, Vec<NodeRef<'a>>)>;

fn collect<'a>(
    node: &NodeRef<'a>,
    section: Section,
    source: &mut Source<'a>,
    head: &mut Rows<'a>,
    foot: &mut Rows<'a>,
    depth: usize,
) {
    for child in node.children_it(false) {
        let Some(name) = child.node_name() else { continue };
        let role = dom::keyword(&child, "role");
        match (&*name, role.as_str()) {
            ("caption", _) => source.captions.push(child),
            ("thead", _) => collect(&child, Section::Head, source, head, foot, depth + 1),
            ("tfoot", _) => collect(&child, Section::Foot, source, head, foot, depth + 1),
            ("tbody", _) => {
                let group = source.rows.len();
                collect(&child, Section::Body(group), source, head, foot, depth + 1);
            }
            ("tr", _) | (_, "row") => {
                let mut cells = Vec::new();
                cells_of(&child, &mut cells, 0);
                if !cells.is_empty() {
                    let rows = match section {
                        Section::Head => &mut *head,
                        Section::Foot => &mut *foot,
                        Section::Body(_) => &mut source.rows,
                    };
                    rows.push((section, cells));
                }
            }
            (name, _) if dom::never_content(name) => {}
            // Tables of other elements have wrapper elements.
            _ if depth < 4 => collect(&child, section, source, head, foot, depth + 1),
            _ => {}
        }
    }
}

fn cells_of<'a>(row: &NodeRef<'a>, cells: &mut Vec<NodeRef<'a>>, depth: usize) {
    for child in row.children_it(false) {
        let Some(name) = child.node_name() else { continue };
        let role = dom::keyword(&child, "role");
        if matches!(&*name, "td" | "th")
            || matches!(role.as_str(), "cell" | "gridcell" | "columnheader" | "rowheader")
        {
            cells.push(child);
        } else if depth < 2 && !dom::never_content(&name) {
            cells_of(&child, cells, depth + 1);
        }
    }
}

/// Whether a table is used only for layout.
fn is_layout(table: &NodeRef, source: &Source) -> bool {
    if matches!(dom::keyword(table, "role").as_str(), "presentation" | "none") {
        return true;
    }
    let cells = || source.rows.iter().flat_map(|(_, cells)| cells);
    let headers =
        cells().filter(|cell| cell.has_name("th") || dom::keyword(cell, "role").ends_with("header")).count();
    if source.rows.iter().all(|(_, cells)| cells.len() == 1) {
        // A single column is data if some, but not all, of its cells are headers.
        return headers == 0 || headers == source.rows.len();
    }
    if headers > 0 || source.rows.iter().any(|(section, _)| *section == Section::Head) {
        return false;
    }
    let data = source.rows.len() > 2;
    cells().any(|cell| {
        let long = dom::text(cell, LONG_CELL).len() >= LONG_CELL;
        let big = dom::holds(cell, |name| {
            dom::heading_level(name).is_some()
                || matches!(name, "form" | "main" | "article")
                || (name == "pre" && !data)
        });
        let table = dom::holds(cell, |name| name == "table");
        big || (long && !data) || (table && (long || !data))
    })
}

/// Whether a cell holds only inline elements.
fn is_one_line(cell: &NodeRef) -> bool {
    !dom::holds(cell, |name| (dom::is_block_name(name) && !matches!(name, "div" | "p")) || name == "br")
}

/// Whether the first row is a header although it has no header cells.
fn looks_like_header(source: &Source) -> bool {
    let Some((_, first)) = source.rows.first() else { return false };
    if source.rows.len() < 2 || first.len() < 2 {
        return false;
    }
    let filled: Vec<&NodeRef> = first.iter().filter(|cell| dom::has_text(cell)).collect();
    if filled.len() < 2 {
        return false;
    }
    let row = first.first().and_then(row_of);
    let named = row.is_some_and(|row| {
        let words = dom::class_words(&row);
        ["head", "header", "heading", "thead", "headings", "headline", "kopf"]
            .iter()
            .any(|word| words.contains(*word))
    });
    let bold = |cell: &NodeRef| {
        let text = dom::text(cell, 200);
        let marked: usize = cell
            .descendants_it()
            .take(40)
            .filter(|inner| inner.node_name().is_some_and(|name| matches!(&*name, "b" | "strong")))
            .map(|inner| dom::text(&inner, 200).len())
            .sum();
        let styled =
            dom::style(cell, "font-weight").is_some_and(|value| value == "bold" || value.as_str() >= "600");
        styled
            || dom::has_class(cell, &["header", "head", "th", "heading", "tablehead"])
            || (marked > 0 && marked >= text.len())
    };
    if named || filled.iter().all(|cell| bold(cell)) {
        // If the next row is bold too, bold type is no evidence.
        let next_bold = source.rows.get(1).is_some_and(|(_, cells)| cells.iter().all(bold));
        return named || !next_bold;
    }
    // Text above numbers.
    let numeric = |cell: &NodeRef| dom::text(cell, 40).chars().any(|character| character.is_ascii_digit());
    let width = first.len();
    width > 2
        && source.rows.len() > 2
        && filled.len() == width
        && !first.iter().any(numeric)
        && (1..width).any(|column| {
            source
                .rows
                .iter()
                .skip(1)
                .all(|(_, cells)| cells.len() == width && cells.get(column).is_some_and(numeric))
        })
}

fn row_of<'a>(cell: &NodeRef<'a>) -> Option<NodeRef<'a>> {
    cell.ancestors_it(Some(3)).find(|node| node.has_name("tr") || dom::keyword(node, "role") == "row")
}
