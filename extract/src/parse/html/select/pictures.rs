//! Names of pictures that say nothing new: copies, the page's own title, descriptions for those who cannot see.

use std::collections::HashSet;

use dom_query::NodeRef;

use super::kind::Kind;
use super::weights::Weights;

/// Minimum words of a description.
const MIN_DESCRIPTION: usize = 7;

/// Minimum running text of a page that does not live by its pictures, in letters.
const MIN_PROSE: u32 = 600;

/// Removes such pictures, except in tables and alone in links, where they stand for text.
pub(super) fn remove(root: &NodeRef, title: &str, kind: Kind) {
    let weights = Weights::of(root);
    let prose = weights.get(root).prose;
    let title: HashSet<String> = words(title).collect();
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    let pictures: Vec<NodeRef> = root.descendants_it().filter(|node| node.has_name("img")).collect();
    for picture in pictures {
        let alt = picture.attr_or("alt", "");
        let own: Vec<String> = words(&alt).collect();
        if own.is_empty() || is_needed(&picture, &weights) {
            continue;
        }
        let known = own.len() > 1 && own.iter().all(|word| title.contains(word));
        let described = prose >= MIN_PROSE
            && own.len() >= MIN_DESCRIPTION
            && !own
                .iter()
                .any(|word| word.starts_with(|c: char| c.is_ascii_digit()) && !title.contains(word));
        // The many views of one thing for sale.
        let views = kind == Kind::Product
            && own.iter().filter(|word| title.contains(*word)).count().saturating_mul(2) > own.len();
        if known || described || views || !seen.insert(own) {
            picture.remove_from_parent();
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether a picture stands for text: in a cell, a heading, or alone in a link.
fn is_needed(picture: &NodeRef, weights: &Weights) -> bool {
    picture.ancestors_it(Some(8)).any(|node| {
        node.node_name().is_some_and(|name| {
            matches!(&*name, "td" | "th" | "h1" | "h2" | "h3" | "h4" | "button")
                || (&*name == "p" && weights.get(&node).letters > 0)
        })
    })
}
