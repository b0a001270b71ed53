//! Inline elements: emphasis, struck text, code, quotes, ruby, decimals of prices.

use dom_query::NodeRef;

use super::block::Flow;
use super::line::Style;
use super::seam::{self, Edge, Seam};
use super::{Context, Writer, buttons, dom};

/// Classes of former prices.
const OLD_PRICES: &[&str] = &[
    "old-price",
    "price-old",
    "price--old",
    "oldprice",
    "was-price",
    "price-was",
    "price--was",
    "wasprice",
    "compare-at-price",
    "price--compare",
    "price-compare",
    "price__compare",
    "strikethrough",
    "strike-through",
    "line-through",
    "text-decoration-line-through",
    "crossed-out",
    "price-strike",
    "strike",
    "striked",
];

/// Class words of prices.
const PRICES: &[&str] = &["price", "prices", "amount", "cost", "preis", "prix", "precio", "money", "pricing"];

/// Class words of the decimals of a price.
const MINORS: &[&str] =
    &["cents", "cent", "dec", "decimal", "decimals", "fraction", "minor", "pence", "small"];

impl Writer<'_> {
    pub(super) fn inline(&mut self, node: &NodeRef, name: &str, context: Context, flow: &mut Flow) {
        if self.is_icon(node, name, context, flow) || is_second_copy(node, context) || is_tool(node) {
            return;
        }
        let edge = self.edge(node, name);
        let outer = context;
        let context = self.styled(node, name, context);
        self.decimals(node, Context { price: outer.price, ..context }, flow);
        flow.seam.opened = flow.seam.opened.max(edge);
        match name {
            "code" | "tt" => self.code_span(node, context, flow),
            "q" => {
                self.text("\"", context, flow);
                self.children(node, context, flow);
                flow.seam = Seam::default();
                flow.line.push_word("\"", context.style);
            }
            "rt" => {
                flow.seam = Seam::default();
                flow.line.push_word("(", context.style);
                self.children(node, context, flow);
                flow.seam = Seam::default();
                flow.line.push_word(")", context.style);
            }
            "kbd" => {
                // Keys pressed together, without a sign between them.
                if flow.seam.closed != Edge::None
                    && flow.line.last().is_some_and(char::is_alphanumeric)
                    && follows(node, "kbd")
                {
                    flow.line.push_word("+", context.style);
                    flow.seam = Seam::default();
                }
                self.children(node, context, flow);
            }
            _ => self.children(node, context, flow),
        }
        flow.seam.closed = flow.seam.closed.max(edge);
    }

    /// The context for the content of an element.
    pub(super) fn styled(&self, node: &NodeRef, name: &str, context: Context) -> Context {
        let mut inner = context;
        let style = &mut inner.style;
        match name {
            "b" | "strong" => style.strong = !context.cell && !context.heading,
            "i" | "em" | "cite" | "dfn" => style.em = !context.cell && !context.heading,
            "del" | "s" | "strike" => style.strike = true,
            "ins" => style.strike = false,
            _ => {}
        }
        let decoration =
            dom::style(node, "text-decoration").or_else(|| dom::style(node, "text-decoration-line"));
        if decoration.is_some_and(|value| value.contains("line-through"))
            || dom::has_class(node, OLD_PRICES)
            || self.sheet.strikes(node)
        {
            inner.style.strike = true;
        }
        if !inner.price && node.has_attr("class") {
            let class = dom::class_words(node);
            inner.price = PRICES.iter().any(|word| class.contains(*word));
        }
        inner.price |= dom::keyword(node, "itemprop") == "price";
        inner
    }

    /// Writes the decimal separator before the decimals of a price in a separate element: `€19<sup>99`.
    /// Returns whether it was written.
    pub(super) fn decimals(&self, node: &NodeRef, context: Context, flow: &mut Flow) -> bool {
        if !flow.line.last().is_some_and(|last| last.is_ascii_digit()) {
            return false;
        }
        let text = dom::text(node, 16);
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (_, unit) = text.split_at(digits);
        let is_plain = unit.is_empty() || unit == "*" || seam::starts_with_currency(unit);
        if digits != 2 || !is_plain {
            return false;
        }
        let tail = flow.line.tail(24);
        let (before, number) = seam::number_end(&tail);
        if number.is_empty() || has_decimals(number) {
            return false;
        }
        let class = dom::class_words(node);
        let has = |words: &[&str]| words.iter().any(|word| class.contains(*word));
        let minor = has(MINORS) || matches!(node.node_name().as_deref(), Some("sup" | "sub" | "small"));
        // Two adjacent prices are separate prices.
        if (!minor && has(PRICES)) || flow.line.last_style().strike != context.style.strike {
            return false;
        }
        let is_price = (context.price && (minor || flow.seam.closed == Edge::None))
            || seam::ends_with_currency(before)
            || seam::starts_with_currency(unit)
            || seam::starts_with_currency(&following(node))
            || has(&["cents", "decimals", "fraction", "pence"]);
        if is_price {
            flow.line.push_word(seam::decimal_separator(number, self.comma), flow.line.last_style());
            flow.seam = Seam::default();
        }
        is_price
    }

    /// Writes code within a line.
    fn code_span(&self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let mut text = String::new();
        for inner in node.descendants_it() {
            match inner.node_name() {
                Some(name) if &*name == "br" => text.push(' '),
                Some(_) => {}
                None => dom::push_text(&inner, &mut text),
            }
        }
        let starts_apart = text.starts_with(char::is_whitespace);
        let ends_apart = text.ends_with(char::is_whitespace);
        let words: Vec<&str> = text.split_whitespace().collect();
        let code: String = words.join(" ").chars().filter(|character| !dom::invisible(*character)).collect();
        if code.is_empty() {
            return;
        }
        if starts_apart {
            flow.line.space_word();
        }
        self.join(&code, flow);
        let style = Style { code: !context.heading, ..context.style };
        flow.line.push_word(&code, style);
        flow.seam = Seam::default();
        if ends_apart {
            flow.line.space_word();
        }
    }
}

/// Whether a number already has decimals: `19.99`, but not `1.299`.
fn has_decimals(number: &str) -> bool {
    let at = number.rfind(['.', ',']);
    at.is_some_and(|at| number.len() - at != 4)
}

/// The first eight characters after an element.
fn following(node: &NodeRef) -> String {
    let Some(next) = node.next_sibling() else { return String::new() };
    if next.is_element() {
        return dom::text(&next, 8);
    }
    let mut text = String::new();
    dom::push_text(&next, &mut text);
    text.trim_start().chars().take(8).collect()
}

/// Whether the previous sibling has this name.
fn follows(node: &NodeRef, name: &str) -> bool {
    node.prev_sibling().is_some_and(|before| before.has_name(name))
}

/// Whether an element is hidden from screen readers and repeats an adjacent text for them.
fn is_second_copy(node: &NodeRef, context: Context) -> bool {
    if dom::has_class(node, &["katex-html", "mw-editsection"]) {
        return true;
    }
    if dom::has_class(node, &["mathjax_preview", "mathjax", "mathjax_display", "mathjax_svg"]) {
        // MathJax 2: the source follows in a script.
        let mut beside =
            std::iter::successors(node.next_element_sibling(), NodeRef::next_element_sibling).take(3);
        return beside.any(|beside| dom::keyword(&beside, "type").starts_with("math/tex"));
    }
    if dom::keyword(node, "aria-hidden") != "true" {
        return false;
    }
    let beside = [node.prev_element_sibling(), node.next_element_sibling()];
    beside.into_iter().flatten().any(|beside| {
        dom::for_screen_readers(&beside)
            && dom::has_text(&beside)
            && (context.price || !dom::has_text(node) || shares_words(node, &beside))
    })
}

/// Whether an element is a tool beside code, such as a copy button.
pub(super) fn is_tool(node: &NodeRef) -> bool {
    (node.has_attr("class") && buttons::is_copy_tool(node))
        || (dom::keyword(node, "role") == "button" && buttons::copies_code(node, &dom::text(node, 60)))
}

/// Whether the letters and digits of one element contain those of the other.
fn shares_words(one: &NodeRef, other: &NodeRef) -> bool {
    let digits = |node: &NodeRef| -> String {
        dom::text(node, 200)
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .flat_map(char::to_lowercase)
            .collect()
    };
    let (one, other) = (digits(one), digits(other));
    other.contains(&one) || one.contains(&other)
}
