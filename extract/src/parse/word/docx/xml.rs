//! Parts of a package as small trees: one tree per child of a container element.
//!
//! Names are local names. Prefixes differ between programs, and the parent decides the meaning of `t` or `r`.

use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Maximum depth of elements, because the readers of the tree recurse. Valid files stay below 60.
const MAX_DEPTH: usize = 200;

/// An element.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Rc<str>,
    attributes: Vec<(Rc<str>, Box<str>)>,
    pub(super) children: Vec<Child>,
}

#[derive(Debug)]
pub(super) enum Child {
    Node(Node),
    Text(String),
}

impl Node {
    /// Value of an attribute, by local name.
    pub(super) fn attr(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value)
    }

    /// Value of the attribute `val`.
    pub(super) fn val(&self) -> Option<&str> {
        self.attr("val")
    }

    /// Child elements.
    pub(super) fn nodes(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.children.iter().filter_map(|child| match child {
            Child::Node(node) => Some(node),
            Child::Text(_) => None,
        })
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.nodes().find(|node| &*node.name == name)
    }

    /// The node at the end of a path of child names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, name| node.child(name))
    }

    /// The first descendant of this name, in document order.
    pub(super) fn find(&self, name: &str) -> Option<&Node> {
        self.nodes().find_map(|node| if &*node.name == name { Some(node) } else { node.find(name) })
    }

    /// Whether a toggle property is on: `<w:b/>`, `<w:b w:val="true"/>`. None if it is absent.
    pub(super) fn toggle(&self, name: &str) -> Option<bool> {
        self.child(name).map(|node| !matches!(node.val(), Some("0" | "false" | "off" | "none")))
    }

    /// Own text, without that of child elements.
    pub(super) fn text(&self) -> String {
        self.children
            .iter()
            .map(|child| match child {
                Child::Text(text) => text.as_str(),
                Child::Node(_) => "",
            })
            .collect()
    }
}

/// Damage of a part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Damage {
    /// Whether the part ends early or is not well-formed. The rest is missing.
    pub(super) broken: bool,
    /// Whether elements nested too deep were left out.
    pub(super) deep: bool,
}

/// Reads a part and visits each child of the elements named `container`. Reading ends when a visit returns
/// false.
pub(super) fn each(xml: &[u8], container: &str, mut visit: impl FnMut(Node) -> bool) -> Damage {
    let text = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_dangling_amp = true;
    let mut names = Names::default();
    let mut damage = Damage::default();
    // Elements open outside of the container, and in it, from the child inwards.
    let (mut outside, mut inside) = (0_usize, false);
    let mut open: Vec<Node> = Vec::new();
    let mut skipped = 0_usize;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) => {
                damage.broken = true;
                Event::Eof
            }
        };
        match event {
            Event::Start(start) if !inside => {
                inside = start.local_name().as_ref() == container;
                outside += 1;
            }
            Event::Start(_) if skipped > 0 || open.len() >= MAX_DEPTH => {
                skipped += 1;
                damage.deep = true;
            }
            Event::Start(start) => open.push(names.node(&start)),
            Event::Empty(start) if inside && skipped == 0 => {
                let node = names.node(&start);
                match open.last_mut() {
                    Some(parent) => parent.children.push(Child::Node(node)),
                    None if !visit(node) => return damage,
                    None => {}
                }
            }
            Event::End(_) if skipped > 0 => skipped -= 1,
            Event::End(_) => match open.pop() {
                Some(node) => match open.last_mut() {
                    Some(parent) => parent.children.push(Child::Node(node)),
                    None if !visit(node) => return damage,
                    None => {}
                },
                None => {
                    inside = false;
                    outside = outside.saturating_sub(1);
                }
            },
            Event::Text(text) if skipped == 0 => push_text(&mut open, &text),
            Event::CData(text) if skipped == 0 => push_text(&mut open, &text),
            Event::GeneralRef(reference) if skipped == 0 => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    _ => match &*reference {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "apos" => Some('\''),
                        "quot" => Some('"'),
                        _ => None,
                    },
                };
                if let Some(character) = resolved {
                    push_text(&mut open, character.encode_utf8(&mut [0; 4]));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    damage.broken |= outside > 0 || !open.is_empty();
    // The incomplete last child is visited too.
    while let Some(node) = open.pop() {
        match open.last_mut() {
            Some(parent) => parent.children.push(Child::Node(node)),
            None => {
                visit(node);
            }
        }
    }
    damage
}

fn push_text(open: &mut [Node], text: &str) {
    let Some(parent) = open.last_mut() else { return };
    match parent.children.last_mut() {
        Some(Child::Text(last)) => last.push_str(text),
        _ => parent.children.push(Child::Text(text.to_owned())),
    }
}

/// Names, each stored once, because they repeat.
#[derive(Default)]
struct Names(HashMap<Box<str>, Rc<str>>);

impl Names {
    fn get(&mut self, name: &str) -> Rc<str> {
        if let Some(known) = self.0.get(name) {
            return Rc::clone(known);
        }
        let shared: Rc<str> = Rc::from(name);
        self.0.insert(Box::from(name), Rc::clone(&shared));
        shared
    }

    fn node(&mut self, start: &BytesStart<'_>) -> Node {
        let name = self.get(start.local_name().as_ref());
        let mut attributes = Vec::new();
        for attribute in start.attributes().with_checks(false).flatten().take(64) {
            let key = attribute.key.local_name();
            let key = key.as_ref();
            // Identifiers of editing sessions.
            if key.starts_with("rsid") || matches!(key, "paraId" | "textId") {
                continue;
            }
            let value = match quick_xml::escape::unescape(&attribute.value) {
                Ok(value) => Box::from(&*value),
                Err(_) => Box::from(&*attribute.value),
            };
            attributes.push((self.get(key), value));
        }
        Node { name, attributes, children: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(xml: &str) -> (Vec<String>, Damage) {
        let mut texts = Vec::new();
        let damage = each(xml.as_bytes(), "body", |node| {
            texts.push(format!("{}={}", node.name, node.text()));
            true
        });
        (texts, damage)
    }

    #[test]
    fn the_children_of_a_container_are_read_one_by_one() {
        let (read, damage) = texts("<w:d><w:body><w:p>a &amp; &#98;</w:p><w:p/></w:body><w:x>no</w:x></w:d>");
        assert_eq!(read, ["p=a & b", "p="]);
        assert!(!damage.broken && !damage.deep);
    }

    #[test]
    fn a_part_that_ends_early_keeps_what_was_read() {
        let (read, damage) = texts("<w:d><w:body><w:p>one</w:p><w:p>tw");
        assert_eq!(read, ["p=one", "p=tw"]);
        assert!(damage.broken);
    }

    #[test]
    fn elements_nested_too_deep_are_left_out() {
        let xml = format!("<d><body>{}x{}<p>y</p></body></d>", "<a>".repeat(5000), "</a>".repeat(5000));
        let (read, damage) = texts(&xml);
        assert_eq!(read, ["a=", "p=y"]);
        assert!(damage.deep);
    }
}
