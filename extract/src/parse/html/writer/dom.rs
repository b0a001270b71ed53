//! Facts about DOM nodes: class words, inline styles, bounded text.

use std::collections::HashSet;

use dom_query::{NodeData, NodeRef};

/// Elements without text content of the page.
const NEVER_CONTENT: &[&str] = &[
    "script", "style", "noscript", "template", "iframe", "frame", "object", "embed", "video", "audio",
    "canvas", "select", "datalist", "textarea", "dialog", "link", "meta", "base", "head", "title", "param",
    "source", "track", "area", "progress", "meter", "noembed", "noframes", "rp", "colgroup", "col",
];

/// Elements that start and end a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "optgroup",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "xmp",
];

/// Class names of text for screen readers only.
const SCREEN_READER: &[&str] = &[
    "sr-only",
    "visually-hidden",
    "visuallyhidden",
    "screen-reader-text",
    "screenreader-text",
    "screen-reader",
    "screen-reader-only",
    "a-offscreen",
    "assistive-text",
    "show-for-sr",
    "element-invisible",
    "sr-text",
    "u-visually-hidden",
    "u-hiddenvisually",
    "visually-hidden-focusable",
    "cdk-visually-hidden",
    "vh",
    "sronly",
];

/// Maximum number of nodes examined to choose the form of one element. Nested elements examine the same nodes
/// again, so the limit keeps the time linear.
const MAX_NODES: usize = 2_000;

pub(super) fn never_content(name: &str) -> bool {
    NEVER_CONTENT.contains(&name)
}

pub(super) fn is_block_name(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// The level of a heading element, by its name.
pub(super) fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

/// An attribute without surrounding white space, or nothing if it is empty.
pub(super) fn attribute(node: &NodeRef, name: &str) -> Option<String> {
    let value = node.attr(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The value of a keyword attribute in lower case, or an empty string.
pub(super) fn keyword(node: &NodeRef, name: &str) -> String {
    node.attr(name).map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default()
}

/// The class attribute in lower case.
pub(super) fn class(node: &NodeRef) -> String {
    node.class().map(|class| class.to_ascii_lowercase()).unwrap_or_default()
}

/// The words of a name: `btn-copyCode` has `btn`, `copy` and `code`.
pub(super) fn words(name: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    let mut word = String::new();
    let mut lower = false;
    for character in name.chars() {
        if !character.is_alphanumeric() || (lower && character.is_uppercase()) {
            words.insert(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
        lower = character.is_lowercase();
    }
    words.insert(word);
    words.remove("");
    words
}

/// The words of an element's classes.
pub(super) fn class_words(node: &NodeRef) -> HashSet<String> {
    node.class().map(|class| words(&class)).unwrap_or_default()
}

/// Whether an element has one of these classes, in full.
pub(super) fn has_class(node: &NodeRef, names: &[&str]) -> bool {
    class(node).split_ascii_whitespace().any(|class| names.contains(&class))
}

/// Whether the element is for screen readers only.
pub(super) fn for_screen_readers(node: &NodeRef) -> bool {
    has_class(node, SCREEN_READER)
}

/// A property of the inline style, in lower case.
pub(super) fn style(node: &NodeRef, property: &str) -> Option<String> {
    let style = node.attr("style")?.to_ascii_lowercase();
    style.split(';').find_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        (name.trim() == property).then(|| value.trim().trim_end_matches("!important").trim().to_owned())
    })
}

/// The text of a node, normalised to one line, of up to about `max` bytes.
pub(super) fn text(node: &NodeRef, max: usize) -> String {
    let mut text = String::new();
    let mut budget = MAX_NODES;
    collect(node, max, &mut text, &mut budget, 0);
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|character| !invisible(*character)));
    }
    line
}

fn collect(node: &NodeRef, max: usize, text: &mut String, budget: &mut usize, depth: usize) {
    if depth > super::MAX_DEPTH {
        return;
    }
    for child in node.children_it(false) {
        if text.len() >= max || *budget == 0 {
            return;
        }
        *budget -= 1;
        if let Some(name) = child.node_name() {
            if !never_content(&name) && !matches!(&*name, "svg" | "math") {
                let block = is_block_name(&name) || &*name == "br";
                if block {
                    text.push(' ');
                }
                collect(&child, max, text, budget, depth + 1);
                if block {
                    text.push(' ');
                }
            }
        } else {
            push_text(&child, text);
        }
    }
}

/// Appends the content of a text node.
pub(super) fn push_text(node: &NodeRef, text: &mut String) {
    node.query(|node| {
        if let NodeData::Text { contents } = &node.data {
            text.push_str(contents);
        }
    });
}

/// Whether a node contains a letter or a digit.
pub(super) fn has_text(node: &NodeRef) -> bool {
    node.descendants_it().take(MAX_NODES).any(|inner| {
        inner.query_or(false, |inner| match &inner.data {
            NodeData::Text { contents } => contents.chars().any(char::is_alphanumeric),
            _ => false,
        }) && inner.parent().and_then(|parent| parent.node_name()).is_none_or(|name| !never_content(&name))
    })
}

/// Whether a node contains an element whose name passes the test.
pub(super) fn holds(node: &NodeRef, test: impl Fn(&str) -> bool) -> bool {
    node.descendants_it().take(MAX_NODES).any(|inner| inner.node_name().is_some_and(|name| test(&name)))
}

/// Invisible characters that split words in a search: soft hyphens, zero-width spaces, direction marks.
pub(super) fn invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}
