//! Removal of hidden text. Text that a visitor can open stays: tabs, accordions, panels.

use std::collections::HashSet;

use dom_query::{Document as Tree, NodeRef};

use super::select::letters_of;
use super::styles::{self, Sheet};
use super::words::Words;

/// Attributes of a control with the id of the element that it opens.
const CONTROLS: &[&str] =
    &["aria-controls", "data-target", "data-bs-target", "data-toggle-target", "data-tab"];

/// Words in the names of panels that visitors open.
const PANELS: &[&str] = &[
    "panel",
    "panels",
    "collapse",
    "collapsible",
    "collapsed",
    "accordion",
    "tab",
    "tabs",
    "tabpanel",
    "pane",
    "toggle",
    "expand",
    "expandable",
    "expander",
    "faq",
    "answer",
    "disclosure",
    "drawer",
    "spoiler",
    "details",
    "more",
    "readmore",
    "showmore",
    "fulltext",
    "truncated",
];

/// Words in the names of overlays and of drop-down menus.
const OVERLAYS: &[&str] = &[
    "modal",
    "popup",
    "dropdown",
    "submenu",
    "menu",
    "megamenu",
    "offcanvas",
    "overlay",
    "lightbox",
    "tooltip",
    "popover",
    "nav",
    "navigation",
    "navbar",
    "search",
    "cart",
    "minicart",
    "login",
    "cookie",
    "toast",
    "dialog",
];

/// Words in the names of controls that open the next element.
const TOGGLES: &[&str] =
    &["accordion", "toggle", "toggler", "question", "collapsible", "expander", "trigger", "collapse", "faq"];

/// Maximum share of the page's letters in a removed element. A larger one
/// is a page hidden until it has loaded.
const MAX_SHARE: f64 = 0.5;

/// Maximum number of siblings that are compared.
const MAX_SIBLINGS: usize = 200;

/// Removes hidden elements.
pub(super) fn remove(tree: &Tree) {
    let Some(body) = tree.body() else { return };
    let whole = letters_of(&body);
    let sheet = Sheet::of(tree);
    let controlled = controlled(tree);
    let mut stack = vec![body];
    while let Some(node) = stack.pop() {
        for child in node.children() {
            if !child.is_element() {
                continue;
            }
            let hidden = is_hidden(&child, &sheet) && !is_openable(&child, &controlled);
            if hidden && f64::from(letters_of(&child)) <= MAX_SHARE * f64::from(whole) {
                child.remove_from_parent();
            } else {
                stack.push(child);
            }
        }
    }
}

fn is_hidden(node: &NodeRef, sheet: &Sheet) -> bool {
    if node.has_attr("hidden") {
        return !node.attr_or("hidden", "").eq_ignore_ascii_case("until-found");
    }
    node.has_attr("inert")
        || node.attr("style").is_some_and(|style| styles::hides(&style))
        || sheet.hides(node)
        || is_spoken_twice(node)
}

/// Whether the element is an `aria-hidden` copy: of a sibling's text for screen readers, or of a slide.
fn is_spoken_twice(node: &NodeRef) -> bool {
    if !node.attr_or("aria-hidden", "").eq_ignore_ascii_case("true") {
        return false;
    }
    let spoken = |sibling: NodeRef| is_for_screen_readers(&sibling) && letters_of(&sibling) > 0;
    Words::of(node).any(&["clone", "cloned", "duplicate"])
        || node.next_element_sibling().is_some_and(spoken)
        || node.prev_element_sibling().is_some_and(spoken)
}

fn is_for_screen_readers(node: &NodeRef) -> bool {
    Words::of(node).contain(&[
        "sr-only",
        "visually-hidden",
        "visuallyhidden",
        "screen-reader",
        "screenreader",
        "a-offscreen",
        "u-hidden-visually",
    ])
}

/// Ids of the elements that controls on the page open, overlays excluded.
fn controlled(tree: &Tree) -> HashSet<String> {
    let mut ids = HashSet::new();
    for control in tree
        .select(
            "[aria-controls], [data-target], [data-bs-target], [data-toggle-target], [data-tab], \
        a[role='tab'], [role='tablist'] a, a[data-toggle], a[data-bs-toggle], label[for]",
        )
        .nodes()
    {
        let kind = control.attr_or("data-toggle", "");
        let kind = if kind.is_empty() { control.attr_or("data-bs-toggle", "") } else { kind };
        let overlay = matches!(&*kind, "modal" | "dropdown" | "offcanvas")
            || control.attr("aria-haspopup").is_some_and(|value| &*value != "false")
            || Words::of(control).any(OVERLAYS);
        if overlay {
            continue;
        }
        for name in CONTROLS {
            if let Some(value) = control.attr(name) {
                ids.extend(value.split_ascii_whitespace().map(|id| id.trim_start_matches('#').to_owned()));
            }
        }
        if let Some(id) = control.attr_or("href", "").strip_prefix('#') {
            ids.insert(id.to_owned());
        }
    }
    ids
}

/// Whether a visitor can open the element in place, not as an overlay.
fn is_openable(node: &NodeRef, controlled: &HashSet<String>) -> bool {
    let words = Words::of(node);
    if words.any(OVERLAYS) || node.has_attr("popover") || node.has_name("dialog") {
        return false;
    }
    let role = node.attr_or("role", "");
    matches!(&*role, "tabpanel" | "region")
        || node.attr("id").is_some_and(|id| controlled.contains(id.trim()))
        || node.has_attr("aria-labelledby")
        || words.any(PANELS)
        || node.has_name("dd")
        || follows_toggle(node)
        || is_one_of_a_set(node)
}

/// Whether the element is one of three or more siblings of its class, one of them visible: slides, pages.
fn is_one_of_a_set(node: &NodeRef) -> bool {
    let (Some(class), Some(parent)) = (node.attr("class"), node.parent()) else { return false };
    let first = |class: &str| class.split_ascii_whitespace().next().map(str::to_owned);
    let name = first(&class);
    let mut alike = 0;
    let mut shown = false;
    for sibling in parent.children_it(false).filter(NodeRef::is_element).take(MAX_SIBLINGS) {
        if sibling.node_name() == node.node_name() && first(&sibling.attr_or("class", "")) == name {
            alike += 1;
            shown |= !sibling.has_attr("hidden")
                && !sibling.attr("style").is_some_and(|style| styles::hides(&style))
                && sibling.attr("class") != Some(class.clone());
        }
    }
    alike >= 3 && shown && name.is_some()
}

/// Whether the previous sibling is a control for the element: a button, a label, a question.
fn follows_toggle(node: &NodeRef) -> bool {
    let Some(before) = node.prev_element_sibling() else { return false };
    is_toggle(&before)
        || before.element_children().iter().take(3).any(is_toggle)
        || (is_heading(&before) && repeats(node))
}

fn is_toggle(node: &NodeRef) -> bool {
    let named = node.node_name().is_some_and(|name| matches!(&*name, "button" | "summary" | "label"));
    named
        || node.has_attr("aria-expanded")
        || node.attr_or("role", "").eq_ignore_ascii_case("button")
        || node.has_attr("onclick")
        || (!node.has_name("a") && Words::of(node).any(TOGGLES))
}

fn is_heading(node: &NodeRef) -> bool {
    node.node_name().is_some_and(|name| matches!(&*name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dt"))
}

/// Whether another sibling, hidden in the same way, follows a heading too: an accordion without attributes.
fn repeats(node: &NodeRef) -> bool {
    let Some(parent) = node.parent() else { return false };
    let style = node.attr("style");
    let hidden = node.has_attr("hidden");
    let mut pairs = 0;
    let mut heading = false;
    for child in parent.children_it(false).filter(NodeRef::is_element).take(MAX_SIBLINGS) {
        if heading && child.has_attr("hidden") == hidden && child.attr("style") == style {
            pairs += 1;
        }
        heading = is_heading(&child);
    }
    pairs >= 2
}
