//! Removal of blocks inside the content that lead elsewhere: lists of links, related texts, comments.

use dom_query::NodeRef;

use super::kind::Kind;
use super::weights::{Weights, letters_of};

/// Beginnings of headings above what leads elsewhere.
const ELSEWHERE: &[&str] = &[
    "related",
    "read more",
    "read next",
    "read also",
    "see also:",
    "more from",
    "more stories",
    "more news",
    "more on this",
    "you may also",
    "you might also",
    "you may like",
    "you might like",
    "recommended",
    "recommendations",
    "popular posts",
    "most popular",
    "most read",
    "trending",
    "latest news",
    "latest posts",
    "latest articles",
    "recent posts",
    "recent articles",
    "up next",
    "similar",
    "customers also",
    "people also",
    "frequently bought",
    "recently viewed",
    "others also",
    "also viewed",
    "explore more",
    "share this",
    "share on",
    "share article",
    "follow us",
    "subscribe",
    "newsletter",
    "sign up",
    "leave a reply",
    "leave a comment",
    "post a comment",
    "add a comment",
    "join the conversation",
    "sponsored",
    "advertisement",
    "tags:",
    "filed under",
    "inspired by your",
    "based on your",
    "compare with similar",
    "das könnte",
    "mehr zum thema",
    "ähnliche",
    "weitere artikel",
    "lesen sie auch",
    "auch interessant",
    "verwandte",
    "kommentar schreiben",
    "à lire aussi",
    "lire aussi",
    "articles similaires",
    "sur le même",
    "vous aimerez",
    "produits similaires",
    "artículos relacionados",
    "relacionad",
    "te puede interesar",
    "también te",
    "leia também",
    "veja também",
    "leia mais",
    "artigos relacionados",
    "leggi anche",
    "articoli correlati",
    "potrebbe interessarti",
    "lees ook",
    "gerelateerd",
    "meer nieuws",
    "läs också",
    "les også",
    "læs også",
    "czytaj także",
    "zobacz też",
    "podobne",
    "čtěte také",
    "související",
    "читайте также",
    "похожие",
    "смотрите также",
    "関連記事",
    "関連商品",
    "おすすめ",
    "相关",
    "推荐",
    "相關",
    "관련",
];

/// Removes such blocks below the root of the content.
pub(super) fn prune(root: &NodeRef, kind: Kind) {
    headed_sections(root);
    let weights = Weights::of(root);
    let whole = weights.get(root);
    // A list of links may be the content itself.
    let text = whole.prose.saturating_mul(5) >= whole.letters.saturating_mul(3);
    if whole.link_density() > 0.5 || !(kind == Kind::Article || (kind == Kind::Other && text)) {
        return;
    }
    let mut stack = vec![*root];
    while let Some(node) = stack.pop() {
        for child in node.children() {
            let Some(name) = child.node_name() else { continue };
            let weight = weights.get(&child);
            let list = matches!(&*name, "ul" | "ol" | "div" | "section" | "table" | "dl");
            if list
                && weight.prose == 0
                && weight.links >= 3
                && weight.link_density() > 0.75
                && weight.letters.saturating_mul(3) < whole.letters
            {
                child.remove_from_parent();
            } else {
                stack.push(child);
            }
        }
    }
}

/// Removes what stands below a heading that announces other texts, up to the next heading of its level.
fn headed_sections(root: &NodeRef) {
    let weights = Weights::of(root);
    let whole = weights.get(root);
    let headings: Vec<NodeRef> = root.descendants_it().filter(is_heading).collect();
    for heading in headings {
        if !heading.ancestors_it(None).any(|node| node.id == root.id) || !announces(&heading) {
            continue;
        }
        let block = section(&heading, root, &weights, whole.prose);
        block.iter().for_each(NodeRef::remove_from_parent);
    }
}

fn is_heading(node: &NodeRef) -> bool {
    node.node_name().is_some_and(|name| matches!(&*name, "h2" | "h3" | "h4" | "h5" | "h6"))
}

fn announces(heading: &NodeRef) -> bool {
    if letters_of(heading) > 40 {
        return false;
    }
    let text = heading.text().trim().to_lowercase();
    ELSEWHERE.iter().any(|phrase| text.starts_with(phrase))
}

/// The heading and what belongs to it: its container if the heading begins it, or its following siblings.
fn section<'a>(heading: &NodeRef<'a>, root: &NodeRef<'a>, weights: &Weights, whole: u32) -> Vec<NodeRef<'a>> {
    let mut top = *heading;
    while let Some(parent) = top.parent() {
        let small = weights.get(&parent).prose.saturating_mul(4) <= whole;
        if parent.id == root.id || !small || !begins(&top) {
            break;
        }
        top = parent;
    }
    let mut block = vec![top];
    if top.id != heading.id {
        return block;
    }
    let level = heading.node_name();
    let mut next = top.next_sibling();
    let mut prose = 0;
    while let Some(node) = next {
        if is_heading(&node) && node.node_name() <= level {
            break;
        }
        prose += weights.get(&node).prose;
        if prose.saturating_mul(4) > whole {
            return Vec::new();
        }
        next = node.next_sibling();
        block.push(node);
    }
    block
}

/// Whether nothing with text stands before the node in its parent.
fn begins(node: &NodeRef) -> bool {
    let mut before = node.prev_sibling();
    while let Some(sibling) = before {
        if letters_of(&sibling) > 0 {
            return false;
        }
        before = sibling.prev_sibling();
    }
    true
}
