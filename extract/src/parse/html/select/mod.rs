//! Selection of a page's content: removal of its frame, then search for the root of the rest.

mod captions;
mod cards;
mod contact;
mod controls;
mod elsewhere;
mod forum;
mod frame;
mod heading;
mod kind;
mod pictures;
mod pointers;
mod prune;
mod repeats;
mod root;
mod weights;

use dom_query::{Document as Tree, NodeRef};
use url::Url;

use super::structured::Data;
pub(super) use heading::heading;
use kind::Kind;
use weights::Weights;
pub(in crate::parse::html) use weights::letters_of;

/// Whether the content is at most two links, without other text.
pub(super) fn is_bare(root: &NodeRef) -> bool {
    let weight = Weights::of(root).get(root);
    weight.plain() == 0 && weight.links <= 2
}

/// Removes everything but the content from the tree. Returns the element that holds the content.
pub(super) fn content<'a>(
    tree: &'a Tree,
    data: &Data,
    address: Option<&Url>,
    title: Option<&str>,
) -> Option<NodeRef<'a>> {
    let body = tree.body()?;
    tree.select(
        "script:not([type^='math/tex']), noscript, template, iframe, object, embed, canvas, audio, video",
    )
    .remove();
    let kind = kind::of(tree, data, address);
    let contacts = contact::take(tree);
    frame::strip(&body, kind);
    let root = root::find(tree, body, kind, &Weights::of(&body));
    heading::take_in_hero(tree, &root);
    prune::prune(&root, kind);
    if kind == Kind::Article {
        captions::remove(&root);
    }
    pictures::remove(&root, title.unwrap_or_default(), kind);
    controls::remove(&root);
    repeats::remove_link_pictures(&root);
    repeats::remove_copies(&root);
    for contact in contacts {
        root.append_child(&contact);
    }
    Some(root)
}
