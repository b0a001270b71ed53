//! XML as a tree, with limits on depth and size. Entities other than the predefined ones are dropped.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{office, too_large};
use crate::protocol::{Rejection, Verdict};

/// Maximum depth of elements.
const MAX_DEPTH: usize = 256;

/// Maximum number of elements and texts.
const MAX_NODES: usize = 3_000_000;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Name with its prefix: "text:p".
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Child>,
}

/// A part of an element.
#[derive(Debug)]
pub(super) enum Child {
    Node(Node),
    Text(String),
}

impl Node {
    /// The value of an attribute, named with its prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The number in an attribute; 1 without a valid number.
    pub(super) fn number(&self, name: &str) -> usize {
        self.attribute(name).and_then(|value| value.parse().ok()).unwrap_or(1)
    }

    /// The elements in this one.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Node> {
        self.children.iter().filter_map(|child| if let Child::Node(node) = child { Some(node) } else { None })
    }

    /// The first element of this name in this one.
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.elements().find(|node| node.name == name)
    }

    /// All elements below this one, in document order.
    pub(super) fn descendants(&self) -> impl Iterator<Item = &Node> {
        let mut stack: Vec<&Node> = vec![self];
        std::iter::from_fn(move || {
            let node = stack.pop()?;
            let from = stack.len();
            stack.extend(node.elements());
            if let Some(added) = stack.get_mut(from..) {
                added.reverse();
            }
            Some(node)
        })
        .skip(1)
    }

    /// All text in this element.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for node in std::iter::once(self).chain(self.descendants()) {
            for child in &node.children {
                if let Child::Text(part) = child {
                    text.push_str(part);
                }
            }
        }
        text
    }
}

/// A parsed document.
pub(super) struct Parsed {
    pub(super) root: Node,
    /// Whether an error ended the document early.
    pub(super) damaged: bool,
}

/// Parses a document up to the first error.
///
/// # Errors
/// `too_complex` or `too_large` beyond the limits, `corrupt` without an element.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, Rejection> {
    let text = super::text::decode(bytes);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut stack = vec![Node::default()];
    let mut nodes = 0;
    let mut damaged = false;
    loop {
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(too_large());
        }
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                if stack.len() > MAX_DEPTH {
                    return Err(too_deep());
                }
                stack.push(element(&start));
            }
            Ok(Event::End(_)) => close(&mut stack),
            Ok(Event::Text(part)) => push_text(&mut stack, &part),
            Ok(Event::CData(part)) => push_text(&mut stack, &part),
            Ok(Event::GeneralRef(entity)) => {
                let name: &str = &entity;
                let numeric = entity.resolve_char_ref().ok().flatten();
                let named = || quick_xml::escape::resolve_predefined_entity(name).map(str::to_owned);
                if let Some(text) = numeric.map(String::from).or_else(named) {
                    push_text(&mut stack, &text);
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => {
                damaged = true;
                break;
            }
        }
    }
    damaged |= stack.len() > 1;
    while stack.len() > 1 {
        close(&mut stack);
    }
    let mut top = stack.pop().unwrap_or_default();
    let at = top.children.iter().position(|child| matches!(child, Child::Node(_)));
    match at.map(|at| top.children.swap_remove(at)) {
        Some(Child::Node(root)) => Ok(Parsed { root, damaged }),
        _ => Err(office::damaged()),
    }
}

fn too_deep() -> Rejection {
    Rejection::new(
        Verdict::TooComplex,
        "The file nests deeper than can be read. Save it again from the program that made it.",
    )
}

fn element(start: &BytesStart<'_>) -> Node {
    let attribute = |attribute: quick_xml::events::attributes::Attribute<'_>| {
        let raw: &str = &attribute.value;
        let value =
            quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), std::borrow::Cow::into_owned);
        (attribute.key.as_ref().to_owned(), value)
    };
    Node {
        name: start.name().as_ref().to_owned(),
        attributes: start.attributes().with_checks(false).flatten().map(attribute).collect(),
        children: Vec::new(),
    }
}

fn close(stack: &mut Vec<Node>) {
    if let Some(node) = stack.pop() {
        match stack.last_mut() {
            Some(parent) => parent.children.push(Child::Node(node)),
            None => stack.push(node),
        }
    }
}

fn push_text(stack: &mut [Node], text: &str) {
    if let Some(node) = stack.last_mut() {
        match node.children.last_mut() {
            Some(Child::Text(before)) => before.push_str(text),
            _ => node.children.push(Child::Text(text.to_owned())),
        }
    }
}
