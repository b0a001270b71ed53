//! Removal of controls repeated on a page: "Reply", "Share", "Add to cart", "Learn more".

use std::collections::{HashMap, HashSet};

use dom_query::{NodeId, NodeRef};

use super::weights::{Weights, letters};

/// Maximum length of a control's name, in letters.
const MAX_NAME: u32 = 20;

/// Minimum number of occurrences of a removed control.
const MIN_TIMES: usize = 3;

/// File extensions of downloads. Links to downloads stay, whatever their name.
const FILES: &[&str] = &[
    ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".csv", ".zip", ".txt", ".ics", ".odt", ".ods",
];

/// Removes links and buttons that are alone in their block and share their name with at least two others.
/// Links with fewer than three distinct targets stay.
pub(super) fn remove(root: &NodeRef) {
    let weights = Weights::of(root);
    let mut order: Vec<String> = Vec::new();
    let mut groups: HashMap<String, Vec<(NodeRef, String)>> = HashMap::new();
    for node in root.descendants_it() {
        let link = node.has_name("a") && node.has_attr("href");
        if !link && !node.has_name("button") {
            continue;
        }
        let Some(name) = name(&node) else { continue };
        if !stands_alone(&node, root.id, &weights) {
            continue;
        }
        let href = node.attr_or("href", "").to_string();
        let group = groups.entry(name.clone()).or_default();
        if group.is_empty() {
            order.push(name);
        }
        group.push((node, href));
    }
    for name in order {
        let Some(group) = groups.get(&name).filter(|group| group.len() >= MIN_TIMES) else { continue };
        let targets: HashSet<&str> = group.iter().map(|(_, href)| href.as_str()).collect();
        if targets.iter().any(|href| is_file(href)) {
            continue;
        }
        // Links with one name and few targets may name the target, such as the author of several posts.
        let one = targets.len() < MIN_TIMES && group.iter().all(|(node, _)| node.has_name("a"));
        if one {
            continue;
        }
        for (node, _) in group {
            node.remove_from_parent();
        }
    }
}

/// The name of a control, in lower case: a few words without digits.
fn name(node: &NodeRef) -> Option<String> {
    let text = node.text();
    let length = letters(&text);
    if length == 0 || length > MAX_NAME || text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
}

fn is_file(href: &str) -> bool {
    let path = href.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    FILES.iter().any(|ending| path.ends_with(ending))
}

/// Whether no text is beside the control in its line. In headings and table cells, links name things.
fn stands_alone(node: &NodeRef, root: NodeId, weights: &Weights) -> bool {
    let mut line = *node;
    let block = loop {
        let Some(parent) = line.parent() else { return false };
        let Some(name) = parent.node_name() else { return false };
        if beside(&line) {
            return false;
        }
        if parent.id == root || !matches!(&*name, "span" | "b" | "strong" | "em" | "i" | "label" | "small") {
            break parent;
        }
        line = parent;
    };
    let Some(name) = block.node_name() else { return false };
    if matches!(&*name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "td" | "th" | "dt" | "dd") {
        return false;
    }
    &*name != "p" || weights.get(&block).plain() == 0
}

/// Whether text is right before or after an element.
fn beside(node: &NodeRef) -> bool {
    let is_word = |sibling: Option<NodeRef>| {
        sibling.is_some_and(|sibling| {
            let inline = sibling.is_text()
                || sibling.node_name().is_some_and(|name| {
                    matches!(
                        &*name,
                        "span" | "b" | "strong" | "em" | "i" | "label" | "small" | "time" | "code"
                    )
                });
            inline && letters(&sibling.text()) > 0
        })
    };
    is_word(node.prev_sibling()) || is_word(node.next_sibling())
}
