//! Structured data for search engines (JSON-LD): facts that are missing from the page's text.

mod facts;
mod json;

use dom_query::Document as Tree;
use serde_json::Value;

use super::{guard, writer};

/// Maximum size of a page's structured data, in bytes.
const MAX_BYTES: usize = 2 << 20;

/// Maximum number of items that are read.
const MAX_ITEMS: usize = 500;

/// Maximum number of items whose facts are compared with the page.
const MAX_USED: usize = 40;

/// The structured data of a page.
#[derive(Debug, Default)]
pub(super) struct Data {
    items: Vec<Value>,
    types: Vec<String>,
}

impl Data {
    /// Whether an item has one of these types.
    pub(super) fn is_any(&self, types: &[&str]) -> bool {
        self.types.iter().any(|kind| types.contains(&kind.as_str()))
    }

    /// The number of items of a type.
    pub(super) fn count(&self, kind: &str) -> usize {
        self.types.iter().filter(|own| *own == kind).count()
    }
}

/// Reads the structured data of a page.
pub(super) fn of(tree: &Tree) -> Data {
    let mut data = Data::default();
    let mut size = 0;
    for script in tree.select("script[type]").nodes() {
        if !script.attr_or("type", "").trim().to_ascii_lowercase().starts_with("application/ld+json") {
            continue;
        }
        let text = script.text();
        size += text.len();
        if size > MAX_BYTES {
            break;
        }
        if let Some(value) = json::parse(&text) {
            collect(value, &mut data);
        }
    }
    data
}

/// Collects the top-level items: elements of arrays and of `@graph`, and main entities of pages.
fn collect(value: Value, data: &mut Data) {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        if data.items.len() == MAX_ITEMS {
            return;
        }
        match value {
            Value::Array(values) => stack.extend(values.into_iter().rev()),
            Value::Object(mut item) => {
                if let Some(graph) = item.remove("@graph") {
                    stack.push(graph);
                }
                let types = json::types(&item);
                if types.is_empty() {
                    continue;
                }
                // The main entity of a page is a top-level item too. FAQ pages are excluded: their main
                // entities are their questions.
                let page =
                    types.iter().any(|kind| kind.ends_with("Page") && !matches!(*kind, "FAQPage" | "QAPage"));
                if page && let Some(entity) = item.get("mainEntity") {
                    stack.push(entity.clone());
                }
                data.types.extend(types.into_iter().map(str::to_owned));
                data.items.push(Value::Object(item));
            }
            _ => {}
        }
    }
}

/// Appends missing facts to the text of a page. Returns whether there were any.
pub(super) fn complete(text: &mut String, data: &Data) -> bool {
    let mut page = facts::Page::of(text);
    let before = text.len();
    for item in data.items.iter().take(MAX_USED) {
        let Value::Object(item) = item else { continue };
        for addition in facts::missing(item, &mut page) {
            if !text.is_empty() {
                text.truncate(text.trim_end().len());
                text.push_str("\n\n");
            }
            text.push_str(&addition);
        }
    }
    text.len() > before
}

/// A string of structured data as Markdown. It may contain HTML or escaped characters.
fn markdown(value: &str) -> String {
    let value = value.trim();
    if !value.contains(['<', '&']) {
        return value.to_owned();
    }
    if guard::check(value).is_err() {
        return String::new();
    }
    // Escaped HTML is common: `&lt;p&gt;`.
    let tree = Tree::fragment(value);
    let text = tree.text();
    if !value.contains('<') && text.contains("</") && guard::check(&text).is_ok() {
        return writer::write(&Tree::fragment(text).root(), None).trim().to_owned();
    }
    writer::write(&tree.root(), None).trim().to_owned()
}
