//! Buttons, labels and check boxes: names in sentences, expandable questions, tools.

use dom_query::NodeRef;

use super::block::Flow;
use super::line::{Line, Style};
use super::seam::Edge;
use super::{Context, Writer, dom, icons};

/// Class words of buttons that expand an answer.
const DISCLOSURES: &[&str] = &[
    "accordion",
    "collapse",
    "collapsed",
    "collapsible",
    "faq",
    "question",
    "disclosure",
    "expander",
    "akkordeon",
    "toggler",
];

/// Class words of expandable panels.
const PANELS: &[&str] =
    &["panel", "content", "answer", "collapse", "collapsible", "body", "accordion", "details", "region"];

/// Beginnings of the names of tools: they act on the page and add nothing about its subject.
const TOOLS: &[&str] = &[
    "copy",
    "copied",
    "share",
    "print",
    "subscribe",
    "close",
    "menu",
    "toggle",
    "open menu",
    "search",
    "submit",
    "show more",
    "read more",
    "load more",
    "next",
    "previous",
    "back",
    "expand",
    "collapse",
    "show all",
    "see more",
    "dismiss",
    "accept",
    "kopieren",
    "teilen",
    "drucken",
    "schließen",
    "menü",
    "suche",
    "mehr anzeigen",
    "weiterlesen",
    "copier",
    "partager",
    "imprimer",
    "fermer",
    "rechercher",
    "copiar",
    "compartir",
    "cerrar",
    "buscar",
    "log in",
    "login",
    "sign in",
    "sign up",
    "filter",
    "sort",
    "add to cart",
    "edit",
    "reply",
    "like",
    "save",
    "download",
    "play",
    "pause",
    "more",
];

/// Maximum length of a question or a button's name, in bytes.
const MAX_QUESTION: usize = 300;

impl Writer<'_> {
    pub(super) fn button(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let name = dom::text(node, MAX_QUESTION + 1);
        if self.tabs.is_tab(node) || is_copy_tool(node) || copies_code(node, &name) {
            return;
        }
        if !name.chars().any(char::is_alphanumeric) {
            // A sentence may refer to a button that shows only an icon.
            if !context.heading
                && let Some(label) =
                    dom::attribute(node, "aria-label").or_else(|| dom::attribute(node, "title"))
            {
                self.button_text(&label, context, flow);
            }
            return;
        }
        if context.heading || context.flat {
            flow.seam.opened = Edge::Unit;
            self.children(node, Context { style: Style { button: false, ..context.style }, ..context }, flow);
            flow.seam.closed = Edge::Unit;
            return;
        }
        if unfolds(node, &name) && flow.line.is_blank() {
            if !is_tool(&name) {
                self.question(node, context, flow);
            }
            return;
        }
        if dom::holds(node, dom::is_block_name) && name.len() > 60 {
            // A card in the form of a button.
            self.block(node, "button", context, flow);
            return;
        }
        self.button_text(&name, context, flow);
    }

    fn button_text(&mut self, name: &str, context: Context, flow: &mut Flow) {
        let style = Style { button: true, strong: !context.cell && !context.heading, ..context.style };
        flow.seam.opened = Edge::Unit;
        self.text(name, Context { style, lines: false, ..context }, flow);
        flow.seam.closed = Edge::Unit;
    }

    /// Decides about a line with only buttons: sizes and other values stay, tools are removed.
    pub(super) fn settle_buttons(&mut self, line: &mut Line) {
        let words = line.runs.iter().any(|run| run.text.contains(char::is_alphanumeric) && !run.style.button);
        let buttons = line.runs.iter().any(|run| run.style.button);
        if words || !buttons {
            return;
        }
        let texts = line.runs.iter().filter(|run| run.style.button).map(|run| run.text.as_str());
        if texts.flat_map(str::split_whitespace).all(is_value) {
            line.restyle(|style| style.strong = false);
        } else {
            line.runs.clear();
        }
    }

    /// Writes the label of a field. A label between a check box and a panel is the title of the panel.
    pub(super) fn label(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let before = node.prev_element_sibling();
        let box_before = before.is_some_and(|before| {
            before.has_name("input") && matches!(dom::keyword(&before, "type").as_str(), "checkbox" | "radio")
        });
        let panel = node.next_element_sibling().is_some_and(|next| {
            next.node_name().is_some_and(|name| dom::is_block_name(&name)) && dom::has_text(&next)
        });
        if box_before && panel && !context.flat && !is_tool(&dom::text(node, MAX_QUESTION)) {
            self.question(node, context, flow);
            return;
        }
        flow.seam.opened = Edge::Unit;
        self.children(node, context, flow);
        flow.seam.closed = Edge::Unit;
    }

    /// Writes a check box in a list item or a table cell, and the name of a button field.
    pub(super) fn field(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let kind = dom::keyword(node, "type");
        if matches!(kind.as_str(), "button" | "submit" | "reset")
            && let Some(name) = dom::attribute(node, "value").filter(|name| name.len() <= MAX_QUESTION)
        {
            self.button_text(&name, context, flow);
        }
        if kind != "checkbox" {
            return;
        }
        let checked = node.has_attr("checked");
        if context.cell {
            self.icon = self.icon.or(Some(if checked { icons::Meaning::Yes } else { icons::Meaning::No }));
            return;
        }
        let of_task = node.has_attr("disabled")
            || dom::class(node).contains("task")
            || node.ancestors_it(Some(3)).any(|outer| dom::class(&outer).contains("task"));
        if context.item && (of_task || checked) && flow.line.is_blank() && flow.blocks.is_empty() {
            flow.line.push_word(if checked { "[x]" } else { "[ ]" }, Style::default());
            flow.line.space_word();
        }
    }
}

/// Whether an element other than a button is the title of an expandable panel.
pub(super) fn is_question(node: &NodeRef) -> bool {
    let stated = dom::keyword(node, "role") == "button" || node.has_attr("aria-expanded");
    let toggles = ["data-toggle", "data-bs-toggle"].iter().any(|name| dom::keyword(node, name) == "collapse");
    let named = node.has_attr("class") && {
        let class = dom::class_words(node);
        let has = |words: &[&str]| words.iter().any(|word| class.contains(*word));
        has(&["question"]) && !has(&["questions", "list", "wrapper", "item", "container", "answer"])
            || (has(&["accordion", "faq", "collapsible", "toggle"])
                && has(&["title", "header", "heading", "trigger", "head", "button", "summary"]))
    };
    if !(stated || toggles || named) {
        return false;
    }
    let text = dom::text(node, MAX_QUESTION + 1);
    let leaf = !dom::holds(node, |name| {
        dom::heading_level(name).is_some()
            || matches!(name, "p" | "ul" | "ol" | "table" | "button" | "details" | "dl")
    });
    let fits =
        leaf && text.len() <= MAX_QUESTION && text.chars().any(char::is_alphanumeric) && !is_tool(&text);
    fits && (named || toggles || text.ends_with(['?', '？', '؟']) || unfolds(node, &text))
}

/// Whether a button expands the panel that it names.
fn unfolds(node: &NodeRef, name: &str) -> bool {
    if name.len() > MAX_QUESTION {
        return false;
    }
    let class = dom::class_words(node);
    node.has_attr("aria-expanded")
        || (node.has_attr("aria-controls") && dom::keyword(node, "role") != "tab")
        || ["data-toggle", "data-bs-toggle"].iter().any(|name| dom::keyword(node, name) == "collapse")
        || DISCLOSURES.iter().any(|word| class.contains(*word))
        || name.ends_with(['?', '？', '؟'])
        || node.next_element_sibling().is_some_and(|next| {
            let class = dom::class_words(&next);
            PANELS.iter().any(|word| class.contains(*word)) && dom::has_text(&next)
        })
}

pub(super) fn is_tool(name: &str) -> bool {
    let name = name.to_lowercase();
    TOOLS.iter().any(|tool| {
        name.strip_prefix(tool)
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric) && rest.len() <= 20)
    })
}

/// Whether an element is a tool that copies the adjacent code.
pub(super) fn is_copy_tool(node: &NodeRef) -> bool {
    let class = dom::class_words(node);
    let classed = ["copy", "clipboard", "copybtn", "copybutton", "clipboardjs"]
        .iter()
        .any(|word| class.contains(*word))
        || node.has_attr("data-clipboard-text")
        || node.has_attr("data-clipboard-target")
        || node.has_name("clipboard-copy");
    let name = dom::text(node, 60).to_lowercase();
    classed && (name.is_empty() || COPIES.contains(&name.trim_end_matches(['!', '.', '…'])))
}

/// Names of buttons that copy code.
const COPIES: &[&str] = &[
    "copy",
    "copied",
    "copy code",
    "copy to clipboard",
    "kopieren",
    "code kopieren",
    "copier",
    "copier le code",
    "copiar",
    "copia",
    "kopiëren",
    "kopiuj",
    "копировать",
    "скопировать",
    "复制",
    "複製",
    "コピー",
    "복사",
    "copy snippet",
    "copy command",
    "copied!",
    "wrap",
    "toggle word wrap",
    "run",
    "try it",
    "open in playground",
    "expand",
    "download",
];

/// Whether a button with this name is beside code and copies it.
pub(super) fn copies_code(node: &NodeRef, name: &str) -> bool {
    let name = name.trim_end_matches(['!', '.', '…']).to_lowercase();
    COPIES.contains(&name.as_str())
        && node.ancestors_it(Some(3)).any(|outer| {
            let mut inner = outer.descendants_it().take(60);
            !outer.has_name("body") && !outer.has_name("main") && inner.any(|inner| inner.has_name("pre"))
        })
}

/// Whether a word on a button is a selectable value: a size, a number with its unit.
fn is_value(word: &str) -> bool {
    let word = word.trim_matches(['(', ')', ',', '/', '-', '–', '.']);
    word.is_empty()
        || word.starts_with(|character: char| character.is_ascii_digit())
        || matches!(
            word.to_ascii_uppercase().as_str(),
            "XXS"
                | "XS"
                | "S"
                | "M"
                | "L"
                | "XL"
                | "XXL"
                | "XXXL"
                | "G"
                | "KG"
                | "ML"
                | "CM"
                | "MM"
                | "EU"
                | "US"
                | "UK"
                | "X"
                | "GB"
                | "TB"
        )
}
