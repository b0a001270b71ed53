//! Removal of blocks inside the content that lead elsewhere: link lists, related texts, comments.

use std::collections::HashMap;

use dom_query::{NodeId, NodeRef};

use super::cards;
use super::elsewhere;
use super::kind::Kind;
use super::pointers;
use super::weights::{Weight, Weights, letters_of};

/// Beginnings of links that skip the menu.
const SKIPS: &[&str] = &[
    "skip",
    "jump to",
    "zum inhalt",
    "zum hauptinhalt",
    "direkt zum",
    "aller au contenu",
    "passer au",
    "ir al contenido",
    "saltar",
    "vai al contenuto",
    "salta al",
    "naar inhoud",
    "naar de inhoud",
    "hoppa till",
    "hopp til",
    "gå til",
    "przejdź do",
    "přejít",
    "перейти к",
    "ir para o conteúdo",
    "pular para",
];

/// Removes such blocks below the root of the content.
pub(super) fn prune(root: &NodeRef, kind: Kind) {
    skip_links(root);
    before_heading(root);
    headed_sections(root);
    pointers::remove(root, kind);
    machine_text(root);
    let weights = Weights::of(root);
    let whole = weights.get(root);
    let text = whole.prose.saturating_mul(5) >= whole.letters.saturating_mul(3);
    let single = kind == Kind::Article || kind == Kind::Product || (kind == Kind::Other && text);
    let mut stack = vec![*root];
    while let Some(node) = stack.pop() {
        for child in node.children() {
            let Some(name) = child.node_name() else { continue };
            let weight = weights.get(&child);
            let block = matches!(&*name, "ul" | "ol" | "div" | "section" | "table" | "dl");
            let small = weight.letters.saturating_mul(5) < whole.letters.saturating_mul(2);
            let links = weight.prose == 0
                && (is_menu(weight)
                    || (single
                        && whole.link_density() < 0.5
                        && weight.links >= 3
                        && weight.link_density() > 0.75));
            // Cards of other texts have an excerpt each.
            let excerpts = kind == Kind::Article && weight.prose.saturating_mul(4) <= whole.prose;
            let cards = single && (weight.prose == 0 || excerpts) && cards::is_list(&child, weight, &weights);
            // A product page may have less text about its product than about others.
            let small = small
                || (cards
                    && kind == Kind::Product
                    && weight.letters.saturating_mul(10) < whole.letters.saturating_mul(7));
            let elsewhere = block && small && (links || cards);
            if elsewhere {
                child.remove_from_parent();
            } else {
                stack.push(child);
            }
        }
    }
}

/// Whether an element is many links with short names and hardly any other text.
fn is_menu(weight: Weight) -> bool {
    weight.links >= 6 && weight.link_density() > 0.85 && weight.linked <= weight.links.saturating_mul(18)
}

/// Removes menus that stand before the page's heading.
fn before_heading(root: &NodeRef) {
    let Some(heading) = root.descendants_it().find(|node| node.has_name("h1") && letters_of(node) > 0) else {
        return;
    };
    let weights = Weights::of(root);
    let mut node = heading;
    while node.id != root.id {
        let mut before = node.prev_sibling();
        while let Some(sibling) = before {
            before = sibling.prev_sibling();
            let weight = weights.get(&sibling);
            if weight.prose == 0 && weight.links >= 2 && weight.link_density() > 0.4 {
                sibling.remove_from_parent();
            }
        }
        let Some(parent) = node.parent() else { return };
        node = parent;
    }
}

/// Minimum number of identifiers in a removed block.
const MIN_IDENTIFIERS: usize = 3;

/// Removes blocks of identifiers. Shops use them to hide the label of an advertisement from filters.
fn machine_text(root: &NodeRef) {
    let mut blocks: HashMap<NodeId, (NodeRef, usize)> = HashMap::new();
    for node in root.descendants_it().filter(|node| node.has_name("span")) {
        if let Some(parent) = node.parent().filter(|_| is_identifier(&node.text())) {
            blocks.entry(parent.id).or_insert((parent, 0)).1 += 1;
        }
    }
    for (block, count) in blocks.into_values() {
        if count >= MIN_IDENTIFIERS && block.id != root.id {
            block.remove_from_parent();
        }
    }
}

/// Whether a text has the form of a universally unique identifier.
fn is_identifier(text: &str) -> bool {
    let text = text.trim();
    text.len() == 36
        && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

fn skip_links(root: &NodeRef) {
    let links: Vec<NodeRef> = root.descendants_it().filter(|node| node.has_name("a")).take(20).collect();
    for link in links {
        let text = link.text().trim().to_lowercase();
        if link.attr_or("href", "").starts_with('#') && SKIPS.iter().any(|skip| text.starts_with(skip)) {
            link.remove_from_parent();
        }
    }
}

/// Removes the section below a heading that announces other texts, up to the next heading of its level.
fn headed_sections(root: &NodeRef) {
    let weights = Weights::of(root);
    let whole = weights.get(root);
    let headings: Vec<NodeRef> =
        root.descendants_it().filter(|node| is_heading(node) || is_title(node)).collect();
    for heading in headings {
        let letters = letters_of(&heading);
        if !announces(&heading, letters) || !heading.ancestors_it(None).any(|node| node.id == root.id) {
            continue;
        }
        let block = section(&heading, root, &weights, whole);
        // A line that is not a heading element counts only if at least three links follow.
        let links: u32 = block.iter().map(|node| weights.get(node).links).sum();
        if is_heading(&heading) || links >= 3 {
            block.iter().for_each(NodeRef::remove_from_parent);
        }
    }
}

fn is_heading(node: &NodeRef) -> bool {
    node.node_name().is_some_and(|name| matches!(&*name, "h2" | "h3" | "h4" | "h5" | "h6"))
}

/// Whether an element may be a heading by its content: one line of text. Its place is checked by the caller.
fn is_title(node: &NodeRef) -> bool {
    node.node_name().is_some_and(|name| matches!(&*name, "div" | "p" | "span" | "strong"))
        && node.children_it(false).all(|child| child.is_text() || is_inline(&child))
}

fn is_inline(node: &NodeRef) -> bool {
    node.node_name()
        .is_some_and(|name| matches!(&*name, "span" | "b" | "strong" | "em" | "i" | "br" | "a" | "svg"))
}

fn announces(heading: &NodeRef, letters: u32) -> bool {
    elsewhere::announces(&heading.text(), letters)
}

/// The section of a heading: its container if the heading begins it, else its following siblings.
fn section<'a>(
    heading: &NodeRef<'a>,
    root: &NodeRef<'a>,
    weights: &Weights,
    whole: Weight,
) -> Vec<NodeRef<'a>> {
    let mut top = *heading;
    while let Some(parent) = top.parent() {
        if parent.id == root.id || !is_minor(weights.get(&parent), whole) || !begins(&top) {
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
    let mut total = Weight::default();
    while let Some(node) = next {
        if is_heading(&node) && node.node_name() <= level {
            break;
        }
        total.add(weights.get(&node));
        next = node.next_sibling();
        block.push(node);
    }
    if is_minor(total, whole) { block } else { Vec::new() }
}

/// Whether a section may be removed: it has little running text, or many links.
fn is_minor(section: Weight, whole: Weight) -> bool {
    section.prose.saturating_mul(4) <= whole.prose
        || (section.link_density() >= 0.3
            && section.letters.saturating_mul(10) <= whole.letters.saturating_mul(7))
}

/// Whether no text precedes the node in its parent.
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
