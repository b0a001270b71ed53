//! Styles of a DOCX document: headings, lists, emphasis and hidden text.

use std::collections::HashMap;
use std::rc::Rc;

use super::xml::{Node, each};
use crate::parse::word::headings;

/// Maximum length of a chain of styles based on each other.
const MAX_CHAIN: usize = 24;

/// Maximum number of styles read.
const MAX_STYLES: usize = 20_000;

#[derive(Default)]
struct Style {
    name: String,
    based_on: Option<Rc<str>>,
    outline: Option<u8>,
    list: Option<(Option<u32>, Option<usize>)>,
    bold: Option<bool>,
    italic: Option<bool>,
    strike: Option<bool>,
    vanish: Option<bool>,
    font: Option<Rc<str>>,
}

/// Character properties that matter for the text. None: the property is not set.
#[derive(Clone, Debug, Default)]
pub(super) struct RunStyle {
    pub(super) bold: Option<bool>,
    pub(super) italic: Option<bool>,
    pub(super) strike: Option<bool>,
    pub(super) vanish: Option<bool>,
    pub(super) font: Option<Rc<str>>,
}

impl RunStyle {
    /// Reads run properties (`w:rPr`).
    pub(super) fn of(properties: Option<&Node>) -> Self {
        let Some(properties) = properties else { return Self::default() };
        let fonts = properties.child("rFonts");
        let font = fonts.and_then(|fonts| fonts.attr("ascii").or_else(|| fonts.attr("hAnsi")));
        Self {
            bold: properties.toggle("b"),
            italic: properties.toggle("i"),
            strike: properties.toggle("strike").or_else(|| properties.toggle("dstrike")),
            vanish: properties.toggle("vanish").or_else(|| properties.toggle("specVanish")),
            font: font.map(Rc::from),
        }
    }

    /// These properties. Unset ones are taken from `below`.
    fn over(self, below: Self) -> Self {
        Self {
            bold: self.bold.or(below.bold),
            italic: self.italic.or(below.italic),
            strike: self.strike.or(below.strike),
            vanish: self.vanish.or(below.vanish),
            font: self.font.or(below.font),
        }
    }
}

/// All styles, by identifier.
#[derive(Default)]
pub(super) struct Styles {
    styles: HashMap<Rc<str>, Style>,
    default_paragraph: Option<Rc<str>>,
}

impl Styles {
    pub(super) fn read(xml: &[u8]) -> Self {
        let mut styles = Self::default();
        each(xml, "styles", |node| {
            if &*node.name == "style" {
                styles.add(&node);
            }
            styles.styles.len() < MAX_STYLES
        });
        styles
    }

    fn add(&mut self, node: &Node) {
        let Some(id) = node.attr("styleId").map(Rc::<str>::from) else { return };
        let paragraph = node.child("pPr");
        let run = RunStyle::of(node.child("rPr"));
        if node.attr("type") == Some("paragraph") && matches!(node.attr("default"), Some("1" | "true" | "on"))
        {
            self.default_paragraph = Some(Rc::clone(&id));
        }
        let style = Style {
            name: node.child("name").and_then(Node::val).unwrap_or(&id).to_owned(),
            based_on: node.child("basedOn").and_then(Node::val).map(Rc::from),
            outline: paragraph.and_then(outline),
            list: paragraph.and_then(list),
            bold: run.bold,
            italic: run.italic,
            strike: run.strike,
            vanish: run.vanish,
            font: run.font,
        };
        self.styles.insert(id, style);
    }

    /// Identifier of the style of paragraphs without one.
    pub(super) fn default_paragraph(&self) -> Option<Rc<str>> {
        self.default_paragraph.clone()
    }

    /// A style and its base styles, the nearest first.
    fn chain<'a>(&'a self, id: &'a str) -> impl Iterator<Item = (&'a str, &'a Style)> {
        let first = self.styles.get_key_value(id);
        let next = |(_, style): &(&'a Rc<str>, &'a Style)| {
            style.based_on.as_ref().and_then(|base| self.styles.get_key_value(base))
        };
        std::iter::successors(first, next).take(MAX_CHAIN).map(|(id, style)| (&**id, style))
    }

    /// The heading level (1 to 6) of a paragraph style. None: ordinary text.
    pub(super) fn heading(&self, id: &str) -> Option<u8> {
        // The identifier of a style that the document does not define is a name of Word.
        if !self.styles.contains_key(id) {
            return headings::level(id);
        }
        for (position, (id, style)) in self.chain(id).enumerate() {
            if let Some(level) = style.outline {
                return (level < 9).then_some(level + 1).map(|level| level.min(6));
            }
            if let Some(level) = headings::level(&style.name).or_else(|| headings::level(id)) {
                // A style based on "Title", such as a subtitle, is no title.
                return (position == 0 || !headings::is_title(&style.name)).then_some(level);
            }
        }
        None
    }

    /// The style of the chain that sets the list, the list, and the level of a paragraph style.
    pub(super) fn list(&self, id: &str) -> Option<(Rc<str>, Option<u32>, Option<usize>)> {
        let (mut owner, mut number, mut level) = (None, None, None);
        for (id, style) in self.chain(id) {
            let Some((style_number, style_level)) = style.list else { continue };
            level = level.or(style_level);
            if style_number.is_some() {
                owner = Some(Rc::from(id));
                number = style_number;
                break;
            }
        }
        owner.map(|owner| (owner, number, level))
    }

    /// Character properties of a style, including those of its base styles.
    pub(super) fn run(&self, id: &str) -> RunStyle {
        self.chain(id).fold(RunStyle::default(), |run, (_, style)| {
            run.over(RunStyle {
                bold: style.bold,
                italic: style.italic,
                strike: style.strike,
                vanish: style.vanish,
                font: style.font.clone(),
            })
        })
    }

    /// Whether a character style is the style of placeholders.
    pub(super) fn is_placeholder(&self, id: &str) -> bool {
        let name = self.styles.get(id).map_or(id, |style| &style.name);
        name.replace(' ', "").eq_ignore_ascii_case("placeholdertext")
    }

    /// The list of a numbering style.
    pub(super) fn numbering_list(&self, id: &str) -> Option<u32> {
        self.chain(id).find_map(|(_, style)| style.list.and_then(|(number, _)| number))
    }
}

/// Outline level of paragraph properties, from 0; 9 is body text.
pub(super) fn outline(properties: &Node) -> Option<u8> {
    properties.child("outlineLvl")?.val()?.trim().parse().ok()
}

/// List and level of paragraph properties.
pub(super) fn list(properties: &Node) -> Option<(Option<u32>, Option<usize>)> {
    let number = properties.child("numPr")?;
    let value = |name: &str| number.child(name).and_then(Node::val).map(str::trim);
    Some((value("numId").and_then(|id| id.parse().ok()), value("ilvl").and_then(|level| level.parse().ok())))
}
