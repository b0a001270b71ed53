//! Selection of a page's content: the root of it, and what below the root is none.

mod root;
mod weights;

pub(in crate::parse::html) use weights::letters;

use dom_query::{Document as Tree, NodeRef};

/// The element that holds the content of the page.
pub(super) fn content(tree: &Tree) -> Option<NodeRef<'_>> {
    let body = tree.body()?;
    let weights = weights::Weights::of(&body);
    Some(root::find(body, &weights))
}
