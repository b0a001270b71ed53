//! The smallest element that holds nearly all of a page's content.

use dom_query::{Document as Tree, NodeRef};

use super::kind::Kind;
use super::weights::{Weight, Weights};

/// Minimum share of the content in the chosen element.
const SHARE: f64 = 0.9;

/// Same for articles: text around an article seldom belongs to it.
const TEXT_SHARE: f64 = 0.8;

/// Same for pages of several equal texts, such as the posts of a discussion.
const FORUM_SHARE: f64 = 0.97;

/// Minimum share of the page's content in an element marked as the main one.
const MARKED_SHARE: f64 = 0.3;

/// Finds the root of the content below `body`.
pub(super) fn find<'a>(tree: &'a Tree, body: NodeRef<'a>, kind: Kind, weights: &Weights) -> NodeRef<'a> {
    let score = if kind == Kind::Article { score_of_text } else { score_of_parts };
    let all = score(weights.get(&body));
    let marked = |selector: &str| match tree.select(selector).nodes() {
        [only] if score(weights.get(only)) >= MARKED_SHARE * all => Some(*only),
        _ => None,
    };
    if kind != Kind::Forum
        && let Some(article) = marked("[itemprop~='articleBody']")
    {
        return article;
    }
    let main = marked("main").or_else(|| marked("[role='main']"));
    let share = match kind {
        Kind::Forum => FORUM_SHARE,
        Kind::Article => TEXT_SHARE,
        Kind::Product | Kind::Other => SHARE,
    };
    descend(main.unwrap_or(body), share, weights, score)
}

/// Descends to the child with nearly all of the content, as long as there is one.
fn descend<'a>(from: NodeRef<'a>, share: f64, weights: &Weights, score: fn(Weight) -> f64) -> NodeRef<'a> {
    let whole = score(weights.get(&from));
    let mut root = from;
    loop {
        let best = root
            .children_it(false)
            .filter(NodeRef::is_element)
            .map(|child| (score(weights.get(&child)), child))
            .max_by(|one, other| one.0.total_cmp(&other.0));
        match best {
            Some((best, child)) if best > 0.0 && best >= share * whole && is_container(&child) => {
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

/// Score of an article: running text counts fully, other text little, links least.
fn score_of_text(weight: Weight) -> f64 {
    f64::from(weight.prose)
        + 0.3 * f64::from(weight.plain().saturating_sub(weight.prose))
        + 0.05 * f64::from(weight.linked)
}

/// Score of a page without one main text: labels, prices and links count more.
fn score_of_parts(weight: Weight) -> f64 {
    f64::from(weight.prose)
        + 0.5 * f64::from(weight.plain().saturating_sub(weight.prose))
        + 0.2 * f64::from(weight.linked)
}
