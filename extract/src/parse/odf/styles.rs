//! Styles of an OpenDocument file: titles, numbered lists, hidden sheets and slides.

use std::collections::{HashMap, HashSet};

use crate::parse::xml::Node;

/// Properties of styles that matter for the text.
#[derive(Debug, Default)]
pub(super) struct Styles {
    parents: HashMap<String, String>,
    /// Levels of list styles that are numbered, from 1.
    numbered: HashMap<String, HashSet<usize>>,
    hidden: HashSet<String>,
}

impl Styles {
    /// Reads the styles of the package and of the content.
    pub(super) fn new(shared: Option<&Node>, content: &Node) -> Self {
        let mut styles = Self::default();
        let groups = shared.into_iter().chain([content]).flat_map(Node::elements);
        for node in groups.filter(|group| group.name.ends_with("styles")).flat_map(Node::elements) {
            let Some(name) = node.attribute("style:name").map(str::to_owned) else { continue };
            match node.name.as_str() {
                "style:style" => {
                    if let Some(parent) = node.attribute("style:parent-style-name") {
                        styles.parents.insert(name.clone(), parent.to_owned());
                    }
                    let hides = |node: &Node| {
                        node.attribute("table:display") == Some("false")
                            || node.attribute("presentation:visibility") == Some("hidden")
                            || node.attribute("text:display") == Some("none")
                    };
                    if node.elements().any(hides) {
                        styles.hidden.insert(name);
                    }
                }
                "text:list-style" => {
                    let numbered = node.elements().filter(|level| {
                        level.name == "text:list-level-style-number"
                            && level.attribute("style:num-format").is_some_and(|format| !format.is_empty())
                    });
                    styles.numbered.insert(name, numbered.map(|level| level.number("text:level")).collect());
                }
                _ => {}
            }
        }
        styles
    }

    /// Whether a style is the style of a document's title or derived from it.
    pub(super) fn is_title(&self, style: Option<&str>) -> bool {
        let parent = style.and_then(|style| self.parents.get(style)).map(String::as_str);
        [style, parent].contains(&Some("Title"))
    }

    /// Whether a level of a list style is numbered.
    pub(super) fn is_numbered(&self, list: Option<&str>, level: usize) -> bool {
        list.and_then(|list| self.numbered.get(list)).is_some_and(|levels| levels.contains(&level))
    }

    /// Whether a style hides its sheet, slide or text.
    pub(super) fn hides(&self, style: Option<&str>) -> bool {
        style.is_some_and(|style| self.hidden.contains(style))
    }
}
