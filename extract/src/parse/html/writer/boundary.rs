//! Elements whose boundaries separate words: flexbox rows, inline blocks, labelled values.

use dom_query::NodeRef;

use super::block::Flow;
use super::seam::{self, Edge, Seam};
use super::{Context, Writer, dom};

/// Layout of an element by its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    Block,
    Inline,
}

/// Class words of labels and values.
const UNITS: &[&str] = &[
    "value",
    "label",
    "price",
    "amount",
    "count",
    "counter",
    "badge",
    "tag",
    "chip",
    "pill",
    "date",
    "time",
    "author",
    "title",
    "key",
    "meta",
    "unit",
    "info",
    "name",
    "desc",
    "description",
    "subtitle",
    "caption",
    "category",
    "status",
    "term",
    "heading",
    "item",
    "cell",
    "col",
    "column",
    "text",
    "qty",
    "rating",
];

/// Classes of the parts of a signature in program documentation. Adjacent parts are one expression.
const SIGNATURES: &[&str] =
    &["sig-prename", "sig-name", "sig-paren", "descclassname", "descname", "pre", "sig-return-icon"];

/// Classes of style frameworks for a row of children.
const ROWS: &[&str] = &[
    "flex",
    "inline-flex",
    "d-flex",
    "d-inline-flex",
    "grid",
    "inline-grid",
    "d-grid",
    "row",
    "flex-row",
    "flexbox",
    "is-flex",
    "uk-flex",
    "columns",
    "btn-group",
    "button-group",
    "hstack",
];

/// Maximum length of a row of words and of each of its parts, in bytes.
const MAX_ROW: usize = 160;
const MAX_PART: usize = 60;

impl Writer<'_> {
    /// Appends text, separated from the previous text where the elements require it.
    pub(super) fn text(&mut self, text: &str, context: Context, flow: &mut Flow) {
        if text.is_empty() {
            return;
        }
        self.join(text, flow);
        flow.line.push(text, context.style, context.lines);
        if text.chars().any(|character| !character.is_whitespace()) {
            flow.seam = Seam::default();
        }
    }

    /// Separates the next text from the previous one where needed.
    pub(super) fn join(&self, text: &str, flow: &mut Flow) {
        if flow.line.last().is_some() && seam::separates(&flow.line.tail(24), text, flow.seam) {
            flow.line.space_word();
        }
    }

    /// The layout of an element by its inline style, or else by the style sheets.
    pub(super) fn display(&self, node: &NodeRef) -> Option<Display> {
        let stated = dom::style(node, "display").or_else(|| self.sheet.display(node))?;
        match stated.as_str() {
            "block" | "flex" | "grid" | "table" | "list-item" | "flow-root" | "table-row" | "-webkit-box" => {
                Some(Display::Block)
            }
            // A block element in a row stays a block, so only an inline style can make it inline.
            "inline" | "inline-block" | "inline-flex" if node.has_attr("style") => Some(Display::Inline),
            _ => None,
        }
    }

    /// Whether the styles separate the children of an element visually.
    pub(super) fn sets_children_apart(&self, node: &NodeRef) -> bool {
        let stated = dom::style(node, "display").or_else(|| self.sheet.display(node));
        match stated {
            Some(display) => display.contains("flex") || display.contains("grid"),
            None => dom::has_class(node, ROWS),
        }
    }

    /// Whether an element is a row of a few short texts, such as a label and its value.
    pub(super) fn is_row_of_words(&self, node: &NodeRef) -> bool {
        if !self.sets_children_apart(node) || is_column(node) {
            return false;
        }
        let (mut parts, mut size) = (0, 0);
        for child in node.children_it(false) {
            let Some(name) = child.node_name() else { continue };
            if !matches!(
                &*name,
                "div" | "span" | "p" | "label" | "strong" | "b" | "dt" | "dd" | "time" | "small"
            ) {
                return false;
            }
            let text = dom::text(&child, MAX_PART + 1);
            parts += 1;
            size += text.len();
            if text.len() > MAX_PART || size > MAX_ROW || parts > 6 || !is_leaf(&child) {
                return false;
            }
        }
        parts > 1
    }

    /// The kind of boundary at an inline element.
    pub(super) fn edge(&self, node: &NodeRef, name: &str) -> Edge {
        match name {
            _ if dom::has_class(node, SIGNATURES) => Edge::None,
            "b" | "strong" | "i" | "em" | "u" | "mark" | "font" | "cite" | "dfn" | "abbr" | "var"
            | "acronym" => Edge::Emphasis,
            "span" | "bdi" | "bdo" | "small" | "big" | "data" | "ins" | "del" | "s" | "strike" | "kbd"
            | "samp" => {
                let class = dom::class_words(node);
                let is_unit = UNITS.iter().any(|word| class.contains(*word)) || dom::for_screen_readers(node);
                let display = dom::style(node, "display").or_else(|| self.sheet.display(node));
                let is_box =
                    display.is_some_and(|display| display.starts_with("inline-") || display == "table-cell");
                if is_unit || is_box || dom::style(node, "float").is_some() { Edge::Unit } else { Edge::Span }
            }
            "rt" | "rb" | "rtc" | "ruby" => Edge::None,
            "code" | "tt" | "q" | "nobr" | "slot" => Edge::Span,
            // Block elements within a line, and custom elements.
            _ => Edge::Unit,
        }
    }
}

fn is_column(node: &NodeRef) -> bool {
    dom::style(node, "flex-direction").is_some_and(|value| value.starts_with("column"))
        || dom::has_class(node, &["flex-col", "flex-column", "flex-col-reverse", "is-flex-direction-column"])
}

/// Whether an element holds only text and inline elements.
fn is_leaf(node: &NodeRef) -> bool {
    !dom::holds(node, |name| {
        (dom::is_block_name(name) && !matches!(name, "div" | "p"))
            || matches!(name, "br" | "button" | "img" | "input")
    })
}
