//! Captions of pictures and lines that name an article's author: they stand beside its text.

use dom_query::NodeRef;

use super::weights::{Weights, letters_of};
use crate::parse::html::words::Words;

/// Longest caption, in letters.
const MAX_CAPTION: u32 = 300;

/// Longest line about an author, in letters.
const MAX_BYLINE: u32 = 80;

/// Removes them from an article. Captions that are a large part of a page are its content: steps with a picture each.
pub(super) fn remove(root: &NodeRef) {
    let weights = Weights::of(root);
    let whole = weights.get(root);
    let mut captions = Vec::new();
    let mut total = 0_u32;
    let mut started = false;
    let mut bylines: Vec<NodeRef> = Vec::new();
    for node in root.descendants_it().filter(NodeRef::is_element) {
        let weight = weights.get(&node);
        if is_caption(&node) {
            let letters = letters_of(&node);
            if letters <= MAX_CAPTION {
                total = total.saturating_add(letters);
                captions.push(node);
            }
        } else if weight.paragraphs == 1 && node.has_name("p") {
            started = true;
        } else if !started && is_byline(&node) && letters_of(&node) <= MAX_BYLINE {
            bylines.push(node);
        }
    }
    if total.saturating_mul(7) <= whole.letters {
        captions.iter().for_each(NodeRef::remove_from_parent);
    }
    bylines.iter().for_each(NodeRef::remove_from_parent);
}

/// Parts of the names of captions.
const CAPTIONS: &[&str] = &[
    "wp-caption-text",
    "image-caption",
    "image__caption",
    "img-caption",
    "photo-caption",
    "media-caption",
    "media__caption",
    "picture-caption",
    "photo-credit",
    "photocredit",
    "image-credit",
    "image__credit",
    "imagecredit",
    "media-credit",
];

/// Whether a node is the caption of a picture. Captions of tables and listings say what those are.
fn is_caption(node: &NodeRef) -> bool {
    let named = node.has_name("figcaption") || Words::of(node).contain(CAPTIONS);
    let has = |figure: &NodeRef, names: &[&str]| {
        figure
            .descendants_it()
            .take(200)
            .any(|inner| inner.node_name().is_some_and(|name| names.contains(&&*name)))
    };
    // The picture of a figure may be one that only a script loads.
    named
        && (node.has_name("figcaption")
            || node.ancestors_it(Some(2)).any(|figure| has(&figure, &["img", "picture", "svg"])))
        && node.parent().is_some_and(|figure| !has(&figure, &["table", "pre", "code", "blockquote"]))
}

/// Whether an element before the text says who wrote it.
fn is_byline(node: &NodeRef) -> bool {
    let name = node.node_name();
    let line =
        name.as_deref().is_some_and(|name| matches!(name, "div" | "p" | "span" | "a" | "li" | "address"));
    line && (node.attr_or("rel", "").eq_ignore_ascii_case("author")
        || Words::of(node).any(&["byline", "bylines", "author", "authors"]))
}
