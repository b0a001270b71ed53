//! Text weights of elements: letters, and how many of them are links and running text.

use std::collections::{HashMap, HashSet};

use dom_query::{NodeId, NodeRef};

/// Elements whose text is ignored.
const SILENT: &[&str] = &[
    "script", "style", "noscript", "template", "select", "option", "textarea", "svg", "iframe", "head",
    "title", "object", "canvas", "audio", "video", "math",
];

/// Elements that do not interrupt a line of text.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "time", "tt", "u", "var", "wbr", "button", "img",
];

/// Minimum length of a line that is running text rather than a label, in letters.
const PROSE_LETTERS: u32 = 60;

/// Maximum letters of one block that count as running text: many paragraphs outweigh one long listing.
const MAX_PROSE: u32 = 600;

/// The amount of text in an element, in letters: alphanumeric characters, an ideograph counted as three.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weight {
    /// All letters.
    pub(super) letters: u32,
    /// Letters inside links and buttons.
    pub(super) linked: u32,
    /// Letters outside links in blocks of running text.
    pub(super) prose: u32,
    /// Number of links and buttons.
    pub(super) links: u32,
    /// Number of blocks of running text.
    pub(super) paragraphs: u32,
}

impl Weight {
    /// The share of linked letters.
    pub(super) fn link_density(&self) -> f64 {
        if self.letters == 0 { 0.0 } else { f64::from(self.linked) / f64::from(self.letters) }
    }

    /// Letters outside links.
    pub(super) fn plain(&self) -> u32 {
        self.letters.saturating_sub(self.linked)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.letters = self.letters.saturating_add(other.letters);
        self.linked = self.linked.saturating_add(other.linked);
        self.prose = self.prose.saturating_add(other.prose);
        self.links = self.links.saturating_add(other.links);
        self.paragraphs = self.paragraphs.saturating_add(other.paragraphs);
    }
}

/// The weights of all elements below a root.
pub(super) struct Weights(HashMap<NodeId, Weight>);

impl Weights {
    /// Computes the weights of a tree, in time linear in its nodes.
    pub(super) fn of(root: &NodeRef) -> Self {
        // In document order, so that parents precede their children.
        let mut order: Vec<NodeId> = Vec::new();
        let mut places: HashMap<NodeId, Place> = HashMap::new();
        let mut own: HashMap<NodeId, Weight> = HashMap::new();
        let mut parents: HashMap<NodeId, NodeId> = HashMap::new();
        let mut headings: HashSet<NodeId> = HashSet::new();
        places.insert(root.id, Place { block: root.id, linked: false, silent: false });
        order.push(root.id);
        for node in root.descendants_it() {
            let Some(parent) = node.parent() else { continue };
            let Some(&place) = places.get(&parent.id) else { continue };
            if place.silent {
                continue;
            }
            if node.is_text() {
                let letters = letters(&node.text());
                let weight = own.entry(place.block).or_default();
                weight.letters += letters;
                if place.linked {
                    weight.linked += letters;
                }
                continue;
            }
            if !node.is_element() {
                continue;
            }
            let Some(name) = node.node_name() else { continue };
            let name: &str = &name;
            let inline = INLINE.contains(&name);
            let link = (name == "a" && node.has_attr("href")) || name == "button";
            let block = if inline { place.block } else { node.id };
            if link {
                own.entry(block).or_default().links += 1;
            }
            places.insert(
                node.id,
                Place { block, linked: place.linked || link, silent: SILENT.contains(&name) },
            );
            order.push(node.id);
            parents.insert(node.id, parent.id);
            if matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6") {
                headings.insert(node.id);
            }
        }
        Self(sum(&order, &parents, own, &headings))
    }

    /// The weight of an element. Inline elements have no weight: their text belongs to their block.
    pub(super) fn get(&self, node: &NodeRef) -> Weight {
        self.0.get(&node.id).copied().unwrap_or_default()
    }
}

#[derive(Clone, Copy)]
struct Place {
    block: NodeId,
    linked: bool,
    silent: bool,
}

fn sum(
    order: &[NodeId],
    parents: &HashMap<NodeId, NodeId>,
    own: HashMap<NodeId, Weight>,
    headings: &HashSet<NodeId>,
) -> HashMap<NodeId, Weight> {
    let mut total = own;
    for (id, weight) in &mut total {
        // A long heading is not running text, but a title, often of another text.
        if !headings.contains(id) && weight.plain() >= PROSE_LETTERS && weight.link_density() < 0.5 {
            weight.prose = weight.plain().min(MAX_PROSE);
            weight.paragraphs = 1;
        }
    }
    for id in order.iter().rev() {
        let Some(parent) = parents.get(id) else { continue };
        let weight = total.get(id).copied().unwrap_or_default();
        total.entry(*parent).or_default().add(weight);
    }
    total
}

/// The number of letters in a text.
pub(in crate::parse::html) fn letters(text: &str) -> u32 {
    let count: usize = text
        .chars()
        .map(|character| match character {
            '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' => 3,
            character if character.is_alphanumeric() => 1,
            _ => 0,
        })
        .sum();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The number of letters below a node, without ignored elements.
pub(in crate::parse::html) fn letters_of(root: &NodeRef) -> u32 {
    let mut total = 0_u32;
    let mut stack = vec![*root];
    while let Some(node) = stack.pop() {
        if node.is_text() {
            total = total.saturating_add(letters(&node.text()));
        } else if node.id == root.id || !node.node_name().is_some_and(|name| SILENT.contains(&&*name)) {
            stack.extend(node.children_it(false));
        }
    }
    total
}
