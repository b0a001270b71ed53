//! Selection lists (`select`): the variants of a product or service are facts about it.

use dom_query::NodeRef;

use super::block::Flow;
use super::seam::Edge;
use super::{Context, Writer, dom};

/// Maximum number of choices that are written. Longer lists are countries, years and similar.
const MAX_CHOICES: usize = 20;

/// Maximum length of a choice, in bytes. A list with a longer choice is not written.
const MAX_CHOICE: usize = 100;

/// Words in the names of lists that control the page instead of describing its subject.
const TOOLS: &[&str] = &[
    "lang",
    "language",
    "languages",
    "locale",
    "currency",
    "country",
    "region",
    "state",
    "sort",
    "order",
    "orderby",
    "sortby",
    "filter",
    "limit",
    "per",
    "perpage",
    "show",
    "qty",
    "quantity",
    "theme",
    "version",
    "versions",
    "page",
    "nav",
    "navigation",
    "menu",
    "jump",
    "year",
    "month",
    "day",
    "archive",
    "archives",
    "title",
    "salutation",
    "sprache",
    "search",
];

impl Writer<'_> {
    /// Writes the choices of a list on one line. Placeholders without a value are left out.
    pub(super) fn choices(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let names = ["id", "name", "class", "aria-label"];
        let named = names
            .iter()
            .filter_map(|name| dom::attribute(node, name))
            .any(|name| TOOLS.iter().any(|tool| dom::words(&name).contains(*tool)));
        if named || context.heading || node.has_attr("hidden") {
            return;
        }
        let mut choices: Vec<String> = Vec::new();
        for option in node.descendants_it().filter(|inner| inner.has_name("option")) {
            let value = option.attr("value").map(|value| value.trim().to_owned());
            // Lists of addresses are menus.
            if value.as_ref().is_some_and(|value| value.starts_with(['/', '?']) || value.contains("://")) {
                return;
            }
            let text = dom::text(&option, MAX_CHOICE + 1);
            if text.is_empty() || value.is_some_and(|value| value.is_empty() || value == "-1") {
                continue;
            }
            if text.len() > MAX_CHOICE || choices.len() == MAX_CHOICES {
                return;
            }
            choices.push(text);
        }
        // Lists of numbers are quantities or page numbers.
        let numbers = choices.iter().all(|choice| {
            choice.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'+' | b'-'))
        });
        if choices.len() < 2 || numbers {
            return;
        }
        let separator = if choices.iter().any(|choice| choice.contains(',')) { "; " } else { ", " };
        if flow.line.last().is_some_and(char::is_alphanumeric) && is_labelled(node) {
            flow.line.push_word(":", flow.line.last_style());
            flow.line.space_word();
        }
        flow.seam.opened = Edge::Unit;
        self.text(&choices.join(separator), Context { lines: false, ..context }, flow);
        flow.seam.closed = Edge::Unit;
        flow.line.break_line();
    }
}

/// Whether the label of the list is its parent or its previous sibling.
fn is_labelled(node: &NodeRef) -> bool {
    node.prev_element_sibling().is_some_and(|before| before.has_name("label"))
        || node.parent().is_some_and(|outer| outer.has_name("label"))
}
