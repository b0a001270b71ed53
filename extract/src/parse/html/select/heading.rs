//! The page's heading and the block around it, which often stand before the main content.

use dom_query::{Document as Tree, NodeRef};

use super::weights::{Weights, letters_of};
use crate::parse::text;

/// Longest block around a heading, in letters: a title, a promise, a price.
const MAX_HERO: u32 = 600;

/// Highest share of links in such a block.
const MAX_LINKED: f64 = 0.4;

/// Moves the block around the page's heading into the content, if it stands outside of it and says more.
pub(super) fn take_in_hero(tree: &Tree, root: &NodeRef) {
    if has_heading(root) {
        return;
    }
    let Some(heading) = outer_heading(tree, root) else { return };
    let Some(body) = tree.body() else { return };
    let weights = Weights::of(&body);
    let mut hero = heading;
    while let Some(parent) = hero.parent() {
        let weight = weights.get(&parent);
        if parent.id == body.id
            || weight.letters > MAX_HERO
            || weight.link_density() > MAX_LINKED
            || root.ancestors_it(None).any(|ancestor| ancestor.id == parent.id)
        {
            break;
        }
        hero = parent;
    }
    root.prepend_child(&hero);
}

/// The heading to put before the text, if the content has none: the page's own, or its title.
pub(in crate::parse::html) fn heading(tree: &Tree, root: &NodeRef, title: Option<&str>) -> Option<String> {
    if has_heading(root) {
        return None;
    }
    outer_heading(tree, root)
        .map(|heading| text::line(&heading.text()))
        .or_else(|| title.map(text::line))
        .filter(|heading| !heading.is_empty())
}

fn has_heading(root: &NodeRef) -> bool {
    let is = |node: &NodeRef| node.has_name("h1") && letters_of(node) > 0;
    is(root) || root.descendants_it().any(|node| is(&node))
}

/// The only first-level heading outside the content that is part of the title. A site's name may be one too.
fn outer_heading<'a>(tree: &'a Tree, root: &NodeRef) -> Option<NodeRef<'a>> {
    let _ = root;
    let headings: Vec<NodeRef> =
        tree.select("h1").nodes().iter().filter(|node| letters_of(node) > 0).copied().collect();
    match headings.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
