//! The lists of a DOCX document (`numbering.xml`).

use std::collections::HashMap;
use std::rc::Rc;

use super::styles::Styles;
use super::xml::{Node, each};
use crate::parse::word::model::Marker;
use crate::parse::word::number_formats::Format;
use crate::parse::word::number_names::by_name;
use crate::parse::word::numbering::{Counters, LEVELS, Level, List};

/// Maximum number of lists read.
const MAX_LISTS: usize = 30_000;

/// Levels of an abstract list, or the numbering style that provides them.
#[derive(Default)]
struct Abstract {
    levels: Rc<Vec<Level>>,
    style: Option<Box<str>>,
}

/// A list that refers to an abstract list.
#[derive(Default)]
struct Instance {
    of: u32,
    starts: HashMap<usize, i64>,
    levels: HashMap<usize, Level>,
}

/// All lists and their counters.
#[derive(Default)]
pub(super) struct Lists {
    abstracts: HashMap<u32, Abstract>,
    instances: HashMap<u32, Instance>,
    resolved: HashMap<u32, Option<Rc<List>>>,
    counters: Counters,
}

impl Lists {
    pub(super) fn read(xml: &[u8]) -> Self {
        let mut lists = Self::default();
        each(xml, "numbering", |node| {
            match &*node.name {
                "abstractNum" => lists.add_abstract(&node),
                "num" => lists.add_instance(&node),
                _ => {}
            }
            lists.abstracts.len() + lists.instances.len() < MAX_LISTS
        });
        lists
    }

    fn add_abstract(&mut self, node: &Node) {
        let Some(id) = node.attr("abstractNumId").and_then(|id| id.trim().parse().ok()) else { return };
        let mut levels = vec![Level::default(); LEVELS];
        for child in node.nodes().filter(|child| &*child.name == "lvl") {
            if let Some(place) = index(child).and_then(|index| levels.get_mut(index)) {
                *place = level(child);
            }
        }
        let style = node.child("numStyleLink").and_then(Node::val).map(Box::from);
        self.abstracts.insert(id, Abstract { levels: Rc::new(levels), style });
    }

    fn add_instance(&mut self, node: &Node) {
        let Some(id) = node.attr("numId").and_then(|id| id.trim().parse().ok()) else { return };
        let of = node.child("abstractNumId").and_then(Node::val).and_then(|id| id.trim().parse().ok());
        let mut instance = Instance { of: of.unwrap_or(u32::MAX), ..Instance::default() };
        for change in node.nodes().filter(|child| &*child.name == "lvlOverride") {
            let Some(index) = index(change).filter(|index| *index < LEVELS) else { continue };
            if let Some(start) = number(change, "startOverride") {
                instance.starts.insert(index, start);
            }
            if let Some(definition) = change.child("lvl") {
                instance.levels.insert(index, level(definition));
            }
        }
        self.instances.insert(id, instance);
    }

    /// The list of this identifier, with its overrides.
    fn list(&mut self, id: u32, styles: &Styles) -> Option<Rc<List>> {
        if let Some(known) = self.resolved.get(&id) {
            return known.clone();
        }
        let list = self.resolve(id, styles).map(Rc::new);
        self.resolved.insert(id, list.clone());
        list
    }

    fn resolve(&self, id: u32, styles: &Styles) -> Option<List> {
        let instance = self.instances.get(&id)?;
        let mut definition = self.abstracts.get(&instance.of)?;
        let mut counters = instance.of;
        // A list may have its levels from a numbering style, which refers to another list.
        if let Some(style) = &definition.style
            && let Some(linked) = styles.numbering_list(style).and_then(|id| self.instances.get(&id))
            && let Some(other) = self.abstracts.get(&linked.of)
        {
            definition = other;
            counters = linked.of;
        }
        let mut levels = definition.levels.as_ref().clone();
        for (index, changed) in &instance.levels {
            if let Some(level) = levels.get_mut(*index) {
                *level = changed.clone();
            }
        }
        Some(List { counters, levels, overrides: instance.starts.clone() })
    }

    /// The level of a list whose style is `style`.
    pub(super) fn level_of_style(&mut self, id: u32, style: Option<&str>, styles: &Styles) -> Option<usize> {
        let style = style?;
        self.list(id, styles)?.levels.iter().position(|level| level.style.as_deref() == Some(style))
    }

    /// Counts a paragraph and returns its level and marker.
    pub(super) fn next(
        &mut self,
        id: u32,
        level: Option<usize>,
        styles: &Styles,
    ) -> Option<(usize, Option<Marker>)> {
        let list = self.list(id, styles)?;
        let level = level.unwrap_or(0).min(LEVELS - 1);
        Some((level, self.counters.next(id, &list, level)))
    }
}

fn index(node: &Node) -> Option<usize> {
    node.attr("ilvl")?.trim().parse().ok()
}

fn number(node: &Node, name: &str) -> Option<i64> {
    node.child(name)?.val()?.trim().parse().ok()
}

fn level(node: &Node) -> Level {
    // Word writes some formats twice: as a custom format, and as a substitute for older programs.
    let format = node.child("numFmt").or_else(|| node.at(&["AlternateContent", "Choice", "numFmt"]));
    let fallback = || node.at(&["AlternateContent", "Fallback", "numFmt"]).and_then(Node::val);
    let format = match format.and_then(Node::val) {
        Some("custom") => {
            let pattern = format.and_then(|format| format.attr("format")).unwrap_or_default();
            let first = pattern.split(',').next().unwrap_or_default().trim();
            if first.len() > 1 && first.bytes().all(|byte| byte.is_ascii_digit()) {
                Format::Padded(first.len().min(9))
            } else {
                by_name(fallback().unwrap_or("decimal"))
            }
        }
        Some(name) => by_name(name),
        None => Format::Decimal,
    };
    let picture = node.child("lvlPicBulletId").is_some();
    Level {
        // Like Word, count from zero where the file states no start.
        start: number(node, "start").unwrap_or(0),
        format: if picture { Format::Bullet } else { format },
        text: node.child("lvlText").and_then(Node::val).unwrap_or_default().to_owned(),
        legal: node.toggle("isLgl") == Some(true),
        restart: number(node, "lvlRestart").and_then(|level| usize::try_from(level).ok()),
        style: node.child("pStyle").and_then(Node::val).map(Rc::from),
    }
}
