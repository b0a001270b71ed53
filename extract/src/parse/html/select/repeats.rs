//! Removal of repeated content: blocks for other screen sizes, copies of slides, images of links.

use std::collections::{HashMap, HashSet};

use dom_query::NodeRef;

use super::weights::letters;

/// Minimum length of a copy, in letters. Shorter blocks often repeat, such as prices and labels.
const MIN_COPY: u32 = 60;

/// Minimum length of a link's text that makes the images of links to the same target redundant, in letters.
const MIN_NAME: u32 = 6;

/// Removes blocks with exactly the text, element name and classes of an earlier block. Paragraphs stay: their
/// repetition is intended.
pub(super) fn remove_copies(root: &NodeRef) {
    let mut seen: HashMap<(u64, u64), u32> = HashMap::new();
    let mut prefix = Prefix::default();
    // Each node is visited twice: before its content and after it.
    let mut stack = vec![(*root, None)];
    let mut copies = Vec::new();
    while let Some((node, start)) = stack.pop() {
        if node.is_text() {
            prefix.push(&node.text());
        } else if let Some(start) = start {
            let (letters, hash) = prefix.since(start);
            if letters >= MIN_COPY && is_block(&node) {
                // A block inside this one may have the same text. It is not an earlier copy.
                let first = *seen.entry((hash, form(&node))).or_insert(start.letters);
                if first.saturating_add(letters) <= start.letters {
                    copies.push(node);
                }
            }
        } else if !node.node_name().is_some_and(|name| matches!(&*name, "style" | "svg")) {
            stack.push((node, Some(prefix.mark())));
            stack.extend(node.children_it(true).map(|child| (child, None)));
        }
    }
    for copy in copies {
        copy.remove_from_parent();
    }
}

/// Whether an element is a block with a class. Page builders repeat blocks with a class; authors
/// repeat blocks without one.
fn is_block(node: &NodeRef) -> bool {
    node.has_attr("class")
        && node.node_name().is_some_and(|name| {
            matches!(
                &*name,
                "div" | "section" | "article" | "ul" | "ol" | "dl" | "table" | "li" | "figure" | "details"
            )
        })
}

/// A hash of an element's name and classes.
fn form(node: &NodeRef) -> u64 {
    let mut form = Prefix::default();
    form.push(&node.node_name().unwrap_or_default());
    form.push(&node.attr_or("class", ""));
    form.hash
}

/// A hash of all text so far. The hashes of two prefixes give the hash of the text between them.
#[derive(Clone, Copy)]
struct Prefix {
    hash: u64,
    power: u64,
    letters: u32,
}

impl Default for Prefix {
    fn default() -> Self {
        Self { hash: 0, power: 1, letters: 0 }
    }
}

impl Prefix {
    /// An odd multiplier; arithmetic is modulo 2^64.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    fn push(&mut self, text: &str) {
        for character in text.chars().filter(|character| !character.is_whitespace()) {
            self.hash =
                self.hash.wrapping_mul(Self::FACTOR).wrapping_add(u64::from(u32::from(character)) + 1);
            self.power = self.power.wrapping_mul(Self::FACTOR);
        }
        self.letters = self.letters.saturating_add(letters(text));
    }

    fn mark(&self) -> Self {
        *self
    }

    /// Letters and hash of the text since a mark.
    fn since(&self, mark: Self) -> (u32, u64) {
        // The power of the part is a quotient of powers. Odd numbers have an inverse modulo 2^64.
        let part = self.power.wrapping_mul(inverse(mark.power));
        (self.letters - mark.letters, self.hash.wrapping_sub(mark.hash.wrapping_mul(part)))
    }
}

/// The inverse of an odd number modulo 2^64, by Newton's method: each step doubles the correct bits.
fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}

/// Removes images from links if a link with the same target has a text: the same link or another one.
pub(super) fn remove_link_pictures(root: &NodeRef) {
    let mut named: HashSet<String> = HashSet::new();
    let links: Vec<NodeRef> =
        root.descendants_it().filter(|node| node.has_name("a") && node.has_attr("href")).collect();
    for link in &links {
        if letters(&link.text()) >= MIN_NAME {
            named.insert(link.attr_or("href", "").to_string());
        }
    }
    for link in links {
        if named.contains(&*link.attr_or("href", "")) {
            let pictures: Vec<NodeRef> = link
                .descendants_it()
                .filter(|node| node.has_name("img") || node.has_name("picture"))
                .collect();
            pictures.iter().for_each(NodeRef::remove_from_parent);
        }
    }
}
