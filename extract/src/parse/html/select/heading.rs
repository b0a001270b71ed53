//! The page's heading and the block around it, which are often outside the main content.

use dom_query::{Document as Tree, NodeRef};

use super::weights::{Weights, letters_of};
use crate::parse::text;

/// Maximum length of the block around a heading, in letters: a title, a slogan, a price.
const MAX_HERO: u32 = 600;

/// Maximum share of linked letters in such a block.
const MAX_LINKED: f64 = 0.4;

/// Moves the block around the page's heading into the content if it is outside.
pub(super) fn take_in_hero(tree: &Tree, root: &NodeRef) {
    if has_heading(root) {
        return;
    }
    let Some(heading) = outer_heading(tree) else { return };
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

/// The heading to put before the text if the content has none: the page's own one, or its title. If a lower
/// heading of the content has the same words, it becomes the first-level heading, and nothing is returned.
pub(in crate::parse::html) fn heading(tree: &Tree, root: &NodeRef, title: Option<&str>) -> Option<String> {
    if has_heading(root) {
        return None;
    }
    let own = outer_heading(tree)
        .map(|heading| text::line(&heading.text()))
        .filter(|heading| title.is_none_or(|title| is_part(heading, title)));
    let heading = own.or_else(|| title.map(text::line)).filter(|heading| !heading.is_empty())?;
    let first = root.descendants_it().find(|node| {
        node.node_name().is_some_and(|name| matches!(&*name, "h2" | "h3" | "h4")) && letters_of(node) > 0
    });
    match first {
        Some(first) if is_start(&first.text(), &heading) => {
            first.rename("h1");
            None
        }
        _ => Some(heading),
    }
}

/// Whether a title begins with the words of a heading. Titles often end with the site's name.
fn is_start(heading: &str, title: &str) -> bool {
    let (heading, title) = (words(heading), words(title));
    !heading.is_empty() && title.starts_with(&heading)
}

/// Whether a heading shares half of its words with the title and is not the site's name at the title's end.
fn is_part(heading: &str, title: &str) -> bool {
    let (heading, title) = (words(heading), words(title));
    let shared = heading.iter().filter(|word| title.contains(word)).count();
    heading == title || (shared * 2 >= heading.len() && !title.ends_with(&heading))
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn has_heading(root: &NodeRef) -> bool {
    let is = |node: &NodeRef| node.has_name("h1") && letters_of(node) > 0;
    is(root) || root.descendants_it().any(|node| is(&node))
}

/// The page's only first-level heading with text, or nothing if there are several.
fn outer_heading(tree: &Tree) -> Option<NodeRef<'_>> {
    let headings: Vec<NodeRef> =
        tree.select("h1").nodes().iter().filter(|node| letters_of(node) > 0).copied().collect();
    match headings.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
