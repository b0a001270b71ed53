//! Lists of cards: links to other things of the same kind, such as products or articles.

use std::collections::HashSet;

use dom_query::NodeRef;

use super::weights::{Weight, Weights};

/// Minimum number of cards in a list.
const MIN_CARDS: usize = 3;

/// Maximum average length of a card, in letters.
const MAX_CARD: u32 = 300;

/// Whether an element is a list of cards: children of the same form, each with a link to a different address.
pub(super) fn is_list(node: &NodeRef, weight: Weight, weights: &Weights) -> bool {
    if weight.links < 3 {
        return false;
    }
    let children: Vec<NodeRef> = node
        .children_it(false)
        .filter(|child| child.is_element() && weights.get(child).letters > 0)
        .collect();
    if children.len() < MIN_CARDS
        || weight.letters > MAX_CARD.saturating_mul(u32::try_from(children.len()).unwrap_or(u32::MAX))
    {
        return false;
    }
    let mut targets = HashSet::new();
    let mut cards = 0;
    let mut titles = 0;
    let first = children.first().and_then(|child| child.node_name());
    for child in &children {
        let link = if child.has_name("a") && child.has_attr("href") {
            Some(*child)
        } else {
            child.descendants_it().find(|inner| inner.has_name("a") && inner.has_attr("href"))
        };
        let Some(link) = link else { continue };
        let href = link.attr_or("href", "");
        if child.node_name() == first && !href.starts_with('#') && targets.insert(href.to_string()) {
            cards += 1;
            titles += usize::from(has_linked_title(child));
        }
    }
    // With few links or with running text, only linked titles show that cards mean other pages. Lists of
    // references have no such titles.
    if (weight.link_density() < 0.25 || weight.prose > 0) && titles * 5 < cards * 4 {
        return false;
    }
    cards >= MIN_CARDS && cards * 5 >= children.len() * 4
}

/// Whether the heading of a card is a link, or a link of the card has the heading as its label.
fn has_linked_title(card: &NodeRef) -> bool {
    let is_heading = |node: &NodeRef| {
        node.node_name().is_some_and(|name| matches!(&*name, "h2" | "h3" | "h4" | "h5" | "h6"))
    };
    let Some(heading) = card.descendants_it().find(is_heading) else { return false };
    let is_link = |node: &NodeRef| node.has_name("a") && node.has_attr("href");
    let title = heading.text();
    heading.descendants_it().any(|node| is_link(&node))
        || heading.ancestors_it(Some(4)).any(|node| is_link(&node))
        || card
            .descendants_it()
            .any(|node| is_link(&node) && node.attr_or("aria-label", "").trim() == title.trim())
}
