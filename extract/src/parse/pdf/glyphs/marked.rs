//! Marked content: replacement text, artifacts and layers.

use std::collections::HashMap;

use hayro_syntax::object::{Dict, Name, Object, String as PdfString};

use super::super::page::{Glyph, Page};
use super::geometry::union;
use super::layers::Layers;
use super::strings;

/// Maximum depth of nested marked content that is tracked. Deeper content has the marks of this depth.
const MAX_DEPTH: usize = 256;

/// Maximum length of a replacement text. A longer one is the text of a paragraph, not of a ligature, word or
/// formula.
const MAX_REPLACEMENT: usize = 200;

/// The open sequences of marked content.
#[derive(Default)]
pub(super) struct Marks {
    open: Vec<Mark>,
    /// Number of open sequences beyond [`MAX_DEPTH`].
    deeper: usize,
    /// Replacement texts of the structure tree by identifier.
    replacements: HashMap<u32, String>,
}

#[derive(Clone, Default)]
struct Mark {
    artifact: bool,
    hidden: bool,
    /// Replacement text and the number of glyphs before it, for the outermost sequence that has one.
    replacement: Option<(String, usize)>,
}

impl Marks {
    pub(super) fn new(replacements: HashMap<u32, String>) -> Self {
        Self { replacements, ..Self::default() }
    }

    pub(super) fn take_replacements(&mut self) -> HashMap<u32, String> {
        std::mem::take(&mut self.replacements)
    }

    pub(super) fn put_replacements(&mut self, replacements: HashMap<u32, String>) {
        self.replacements = replacements;
    }

    pub(super) fn is_artifact(&self) -> bool {
        self.open.last().is_some_and(|mark| mark.artifact)
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.open.last().is_some_and(|mark| mark.hidden)
    }

    pub(super) fn is_replaced(&self) -> bool {
        self.open.iter().any(|mark| mark.replacement.is_some())
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len() + self.deeper
    }

    /// Opens a sequence. `properties` is the last operand, `named` are the property lists of the resources.
    pub(super) fn begin(
        &mut self,
        tag: &[u8],
        properties: Option<&Object<'_>>,
        named: &Dict<'_>,
        layers: &Layers,
        page: &Page,
    ) {
        if self.open.len() >= MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        let mut mark = self.open.last().cloned().unwrap_or_default();
        mark.replacement = None;
        mark.artifact |= tag == b"Artifact";
        let list = match properties {
            Some(Object::Dict(list)) => list.clone(),
            Some(Object::Name(name)) => {
                mark.hidden |= tag == b"OC" && layers.hide(named, name);
                named.get::<Dict<'_>>(name.as_ref() as &[u8]).unwrap_or_default()
            }
            _ => Dict::empty(),
        };
        if list.get::<Name<'_>>(b"Type").is_some_and(|kind| &*kind == b"Pagination") {
            mark.artifact = true;
        }
        if !self.is_replaced() {
            let text = list.get::<PdfString<'_>>(b"ActualText").map(|text| strings::decode(text.as_bytes()));
            let text = text.or_else(|| self.replacements.get(&list.get::<u32>(b"MCID")?).cloned());
            mark.replacement = text.map(|text| (text, page.glyphs.len()));
        }
        self.open.push(mark);
    }

    /// Closes the innermost sequence and applies its replacement text.
    pub(super) fn end(&mut self, page: &mut Page) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(Mark { replacement: Some((text, start)), .. }) = self.open.pop() {
            replace(page, &text, start);
        }
    }
}

/// Replaces the glyphs from `start` on by a text.
fn replace(page: &mut Page, text: &str, start: usize) {
    let text = strings::plain(text);
    let Some(drawn) = page.glyphs.get(start..) else { return };
    let (Some(first), Some(last)) = (drawn.first(), drawn.last()) else { return };
    let shown: String = drawn.iter().map(|glyph| glyph.text.as_str()).collect();
    let largest = drawn.iter().fold(first, |a, b| if b.size > a.size { b } else { a });
    // Glyphs of different sizes, such as the small digits of a fraction, become one text in the size of the
    // line.
    let level = drawn.iter().all(|glyph| (glyph.size - first.size).abs() < 0.1 * first.size);
    if level && letters(&shown) == letters(&text) && !text.contains('\u{ad}')
        || text.chars().count() > MAX_REPLACEMENT
    {
        return;
    }
    // An empty replacement of a hyphen marks a divided word, like a soft hyphen.
    let text = if text.is_empty() && ["-", "\u{2010}", "\u{ad}"].contains(&shown.trim()) {
        "\u{ad}".to_owned()
    } else {
        text
    };
    // If the glyphs are on several lines, the text belongs to the first line.
    let same_line = |glyph: &&Glyph| (glyph.baseline - first.baseline).abs() <= first.size / 2.0;
    let mut glyph = first.clone();
    if text.chars().count() > 1 && (largest.baseline - first.baseline).abs() <= first.size {
        (glyph.size, glyph.baseline) = (largest.size, largest.baseline);
    }
    let area = drawn.iter().filter(same_line).fold(
        super::super::page::Rect { x0: first.x0, y0: first.y0, x1: first.x1, y1: first.y1 },
        |area, glyph| {
            union(area, super::super::page::Rect { x0: glyph.x0, y0: glyph.y0, x1: glyph.x1, y1: glyph.y1 })
        },
    );
    (glyph.x0, glyph.y0, glyph.x1, glyph.y1) = (area.x0, area.y0, area.x1, area.y1);
    let ends_line = last.text.trim().is_empty() && !text.ends_with(' ');
    glyph.text = text;
    if ends_line && !glyph.text.is_empty() {
        glyph.text.push(' ');
    }
    page.glyphs.truncate(start);
    if !glyph.text.is_empty() {
        page.glyphs.push(glyph);
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}
