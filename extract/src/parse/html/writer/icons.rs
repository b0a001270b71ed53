//! Descriptions of images, drawings and icons.

use dom_query::NodeRef;

use super::block::Flow;
use super::seam::Edge;
use super::{Context, Writer, buttons, dom};

/// Meaning of an icon in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Yes,
    No,
}

impl Meaning {
    pub(super) fn word(self) -> &'static str {
        match self {
            Meaning::Yes => "yes",
            Meaning::No => "no",
        }
    }
}

/// Words in the names of icons for "yes".
const YES: &[&str] = &[
    "check",
    "checkmark",
    "tick",
    "yes",
    "checked",
    "success",
    "available",
    "included",
    "true",
    "done",
    "ok",
    "haken",
    "oui",
    "correct",
    "supported",
];
const NO: &[&str] = &[
    "cross",
    "times",
    "xmark",
    "x",
    "no",
    "close",
    "remove",
    "false",
    "unavailable",
    "minus",
    "dash",
    "nein",
    "non",
    "ban",
    "clear",
    "cancel",
    "unsupported",
    "excluded",
];

/// Class words of elements with a glyph of an icon font.
const ICONS: &[&str] = &[
    "icon",
    "icons",
    "fa",
    "fas",
    "far",
    "fab",
    "fal",
    "glyphicon",
    "bi",
    "mdi",
    "ti",
    "ion",
    "dashicons",
    "lucide",
    "feather",
    "svg",
    "symbol",
    "ico",
    "material",
    "star",
    "stars",
    "rating",
    "ratings",
];

/// Classes of icon fonts that use words as glyph names.
const LIGATURES: &[&str] = &[
    "material-icons",
    "material-icons-outlined",
    "material-icons-round",
    "material-icons-sharp",
    "material-symbols-outlined",
    "material-symbols-rounded",
    "material-symbols-sharp",
    "google-symbols",
];

/// Maximum length of an icon's label, in bytes.
const MAX_LABEL: usize = 100;

/// File extensions of images.
const FILES: &[&str] = &[".jpg", ".jpeg", ".png", ".gif", ".svg", ".webp", ".avif", ".bmp", ".ico"];

impl Writer<'_> {
    pub(super) fn image(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let name = ["alt", "aria-label", "title"].iter().find_map(|name| dom::attribute(node, name));
        if let Some(name) = name.filter(|name| !is_file_name(name)) {
            let is_emoji = dom::has_class(node, &["emoji", "wp-smiley"]);
            let in_formula = dom::class(node).contains("math-fallback-image");
            let said = self.caption.contains(name.as_str()) && !self.caption.is_empty();
            if !said && !in_formula && (is_emoji || !is_decoration(node)) {
                self.label_text(&name, context, flow);
            }
            return;
        }
        let file =
            dom::attribute(node, "src").or_else(|| dom::attribute(node, "data-src")).unwrap_or_default();
        if context.cell && !file.starts_with("data:") {
            let path = file.split(['?', '#']).next().unwrap_or_default();
            self.note_icon(path.rsplit('/').next().unwrap_or_default());
        }
    }

    pub(super) fn svg(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        if let Some(name) = svg_name(node, context) {
            if dom::keyword(node, "aria-hidden") != "true" && !context.heading {
                self.label_text(&name, context, flow);
            } else if context.cell {
                self.note_icon(&name);
            }
            return;
        }
        let uses = node.descendants_it().take(12).find_map(|inner| {
            if !inner.has_name("use") {
                return None;
            }
            let href = dom::attribute(&inner, "href").or_else(|| dom::attribute(&inner, "xlink:href"))?;
            href.rsplit(['#', '/']).next().map(str::to_owned)
        });
        for name in [
            uses,
            node.class().map(|class| class.to_string()),
            dom::attribute(node, "data-icon"),
            dom::attribute(node, "id"),
        ] {
            self.note_icon(&name.unwrap_or_default());
        }
    }

    /// Writes the label of an icon element. Returns whether the element is complete.
    pub(super) fn is_icon(&mut self, node: &NodeRef, name: &str, context: Context, flow: &mut Flow) -> bool {
        if !matches!(name, "i" | "span" | "em" | "b" | "div" | "ion-icon" | "mat-icon" | "iconify-icon")
            && !name.contains("icon")
        {
            return false;
        }
        let is_ligature = dom::has_class(node, LIGATURES) || name == "mat-icon";
        if !is_ligature
            && (node.first_child().is_some()
                && (dom::has_text(node)
                    || dom::holds(node, |inner| matches!(inner, "svg" | "img" | "input" | "math" | "br"))
                    || has_sign(node)))
        {
            return false;
        }
        let class = dom::class_words(node);
        let iconic = is_ligature
            || matches!(name, "i" | "ion-icon")
            || name.contains("icon")
            || ICONS.iter().any(|word| class.contains(*word))
            || dom::keyword(node, "role") == "img"
            || (context.cell && name != "div");
        let label = dom::attribute(node, "aria-label").or_else(|| dom::attribute(node, "title"));
        if let Some(label) = label.filter(|label| iconic && label.len() <= MAX_LABEL) {
            self.label_text(&label, context, flow);
            return true;
        }
        if is_ligature {
            self.note_icon(&dom::text(node, 40));
            return true;
        }
        if node.first_element_child().is_none() && (iconic || context.cell) {
            self.note_icon(&node.class().unwrap_or_default());
            let name = dom::attribute(node, "name").or_else(|| dom::attribute(node, "icon"));
            self.note_icon(&name.unwrap_or_default());
        }
        false
    }

    /// Stores the meaning of an icon, by its name, for the current cell or list item.
    pub(super) fn note_icon(&mut self, name: &str) {
        let words = dom::words(name);
        let has = |list: &[&str]| list.iter().any(|word| words.contains(*word));
        // The words for "no" take precedence: an icon may be named `check-none`.
        let meaning = if has(NO) {
            Meaning::No
        } else if has(YES) {
            Meaning::Yes
        } else {
            return;
        };
        self.icon = self.icon.or(Some(meaning));
    }

    /// Writes the name of a link that shows only an image or an icon.
    pub(super) fn name_of_icon_link(&mut self, node: &NodeRef, context: Context, flow: &mut Flow) {
        let is_tool = |name: &String| name.len() > MAX_LABEL || buttons::is_tool(name);
        if let Some(name) = dom::attribute(node, "aria-label") {
            if !is_tool(&name) {
                self.label_text(&name, context, flow);
            }
            return;
        }
        let before = flow.line.end();
        self.children(node, context, flow);
        if flow.line.end() == before
            && let Some(name) = dom::attribute(node, "title").filter(|name| !is_tool(name))
        {
            self.label_text(&name, context, flow);
        }
    }

    /// Writes a text from an attribute as a separate word.
    fn label_text(&mut self, text: &str, context: Context, flow: &mut Flow) {
        flow.seam.opened = Edge::Unit;
        self.text(text, Context { lines: false, ..context }, flow);
        flow.seam.closed = Edge::Unit;
    }
}

/// The name of a drawing. In links, titles of drawings are tool names and are ignored.
fn svg_name(node: &NodeRef, context: Context) -> Option<String> {
    dom::attribute(node, "aria-label").or_else(|| {
        if context.style.link > 0 && !context.cell {
            return None;
        }
        let title = node.element_children().into_iter().find(|child| child.has_name("title"))?;
        let mut text = String::new();
        for inner in title.descendants_it() {
            dom::push_text(&inner, &mut text);
        }
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    })
}

/// Whether an image is in a link with text. Its description would repeat that text.
fn is_decoration(node: &NodeRef) -> bool {
    node.ancestors_it(Some(6)).find(|node| node.has_name("a")).is_some_and(|link| dom::has_text(&link))
}

/// Whether a description is only a file name.
fn is_file_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    FILES.iter().any(|ending| lower.ends_with(ending)) && !name.trim().contains(' ')
}

/// Whether an element contains a visible sign as text: a tick, an arrow, a colon.
fn has_sign(node: &NodeRef) -> bool {
    let text = dom::text(node, 8);
    text.chars().any(|character| !matches!(character, '\u{e000}'..='\u{f8ff}'))
}
