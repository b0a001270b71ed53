//! Removal of images whose descriptions repeat other text: copies, page title, long descriptions.

use std::collections::HashSet;

use dom_query::NodeRef;

use super::kind::Kind;
use super::weights::Weights;

/// Minimum number of words of a long description.
const MIN_DESCRIPTION: usize = 7;

/// Minimum running text, in letters, of a page on which long descriptions are removed. Pages with less
/// text may depend on their images.
const MIN_PROSE: u32 = 600;

/// Removes images with redundant descriptions (copies, the page title, long accessibility descriptions),
/// except where the description stands for text (`is_needed`).
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
        // Different views of one product.
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

/// Whether an image stands for text: in a table cell, a heading, a button, or a paragraph with text.
fn is_needed(picture: &NodeRef, weights: &Weights) -> bool {
    picture.ancestors_it(Some(8)).any(|node| {
        node.node_name().is_some_and(|name| {
            matches!(&*name, "td" | "th" | "h1" | "h2" | "h3" | "h4" | "button")
                || (&*name == "p" && weights.get(&node).letters > 0)
        })
    })
}
