//! The smallest element that holds nearly all of a page's content.

use dom_query::NodeRef;

use super::weights::{Weight, Weights};

/// Minimum share of the content that the chosen element holds.
const SHARE: f64 = 0.8;

/// Finds the root of the content below `body`.
pub(super) fn find<'a>(body: NodeRef<'a>, weights: &Weights) -> NodeRef<'a> {
    let whole = score(weights.get(&body));
    let mut root = body;
    loop {
        let best = root
            .children_it(false)
            .filter(NodeRef::is_element)
            .map(|child| (score(weights.get(&child)), child))
            .max_by(|one, other| one.0.total_cmp(&other.0));
        match best {
            Some((best, child)) if best >= SHARE * whole && best > 0.0 && is_container(&child) => {
                root = child
            }
            _ => return root,
        }
    }
}

fn is_container(node: &NodeRef) -> bool {
    node.node_name().is_some_and(|name| {
        !matches!(&*name, "p" | "ul" | "ol" | "dl" | "table" | "pre" | "blockquote" | "form" | "details")
    })
}

/// Running text counts whole, other text little, links least.
fn score(weight: Weight) -> f64 {
    f64::from(weight.prose)
        + 0.3 * f64::from(weight.plain().saturating_sub(weight.prose))
        + 0.05 * f64::from(weight.linked)
}
