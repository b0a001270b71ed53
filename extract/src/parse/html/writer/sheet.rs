//! Display and strike-through styles of classes, from the page's own style sheets.
//!
//! Only rules whose selector ends in one class are read, and only their `display` and `text-decoration`.

use std::collections::{HashMap, HashSet};

use dom_query::NodeRef;

use super::dom;

/// Maximum size of the style sheets that are read, in bytes.
const MAX_BYTES: usize = 512 << 10;

/// Properties from the style sheets, by class in lower case.
#[derive(Default)]
pub(super) struct Sheet {
    display: HashMap<String, String>,
    strikes: HashSet<String>,
}

impl Sheet {
    pub(super) fn of(root: &NodeRef) -> Self {
        let mut sheet = Sheet::default();
        let mut budget = MAX_BYTES;
        for node in root.tree.root().descendants_it() {
            if node.has_name("style") {
                let mut css = String::new();
                node.children_it(false).for_each(|child| dom::push_text(&child, &mut css));
                if css.len() > budget {
                    break;
                }
                budget -= css.len();
                sheet.read(&css);
            }
        }
        sheet
    }

    fn read(&mut self, css: &str) {
        let mut rest = css;
        while let Some((selectors, from)) = rest.split_once('{') {
            let Some((body, after)) = from.split_once(['}', '{']) else { return };
            if from.as_bytes().get(body.len()) == Some(&b'{') {
                // A conditional group of rules, such as `@media`: its first selector follows.
                let inner = body.rfind([';', '}']).map_or(0, |at| at + 1);
                rest = from.get(inner..).unwrap_or_default();
                if selectors.contains("print") {
                    rest = after.split_once('}').map_or("", |(_, after)| after);
                }
                continue;
            }
            rest = after;
            let body = body.to_ascii_lowercase();
            let display = declared(&body, "display");
            let struck =
                declared(&body, "text-decoration").is_some_and(|value| value.contains("line-through"));
            if display.is_none() && !struck {
                continue;
            }
            for class in selectors.split(',').filter_map(subject) {
                if let Some(display) = display {
                    self.display.insert(class.clone(), display.to_owned());
                }
                if struck {
                    self.strikes.insert(class);
                }
            }
        }
    }

    /// The `display` value of an element, by its classes.
    pub(super) fn display(&self, node: &NodeRef) -> Option<String> {
        if self.display.is_empty() {
            return None;
        }
        dom::class(node).split_ascii_whitespace().find_map(|class| self.display.get(class).cloned())
    }

    /// Whether the classes of an element strike its text through.
    pub(super) fn strikes(&self, node: &NodeRef) -> bool {
        !self.strikes.is_empty()
            && dom::class(node).split_ascii_whitespace().any(|class| self.strikes.contains(class))
    }
}

/// The value of a property in the body of a rule.
fn declared<'a>(body: &'a str, property: &str) -> Option<&'a str> {
    body.split(';').rev().find_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        (name.trim() == property).then(|| value.trim().trim_end_matches("!important").trim())
    })
}

/// The class at the end of a selector: `price` for `div.card > .price`. Nothing for pseudo-classes and
/// pseudo-elements.
fn subject(selector: &str) -> Option<String> {
    let last = selector.rsplit([' ', '>', '+', '~', '\n', '\t']).find(|part| !part.is_empty())?;
    let (_, class) = last.split_once('.')?;
    let plain = class.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_'));
    plain.then(|| class.to_ascii_lowercase())
}
