//! Removal of image captions and bylines from articles.

use dom_query::NodeRef;

use super::weights::{Weights, letters_of};
use crate::parse::html::words::Words;

/// Maximum length of a caption, in letters.
const MAX_CAPTION: u32 = 300;

/// Maximum length of a byline, in letters.
const MAX_BYLINE: u32 = 80;

/// Removes captions and bylines. Captions that exceed a seventh of the page's letters stay: they are content,
/// such as steps with an image each.
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

/// Whether a node is an image caption. Captions of tables and listings stay: they describe their content.
fn is_caption(node: &NodeRef) -> bool {
    let named = node.has_name("figcaption") || Words::of(node).contain(CAPTIONS);
    let has = |figure: &NodeRef, names: &[&str]| {
        figure
            .descendants_it()
            .take(200)
            .any(|inner| inner.node_name().is_some_and(|name| names.contains(&&*name)))
    };
    // A figure without an image is accepted: a script may load the image.
    named
        && (node.has_name("figcaption")
            || node.ancestors_it(Some(2)).any(|figure| has(&figure, &["img", "picture", "svg"])))
        && node.parent().is_some_and(|figure| !has(&figure, &["table", "pre", "code", "blockquote"]))
}

/// Whether an element before the text is a byline.
fn is_byline(node: &NodeRef) -> bool {
    let name = node.node_name();
    let line =
        name.as_deref().is_some_and(|name| matches!(name, "div" | "p" | "span" | "a" | "li" | "address"));
    line && (node.attr_or("rel", "").eq_ignore_ascii_case("author")
        || Words::of(node).any(&["byline", "bylines", "author", "authors"]))
}
