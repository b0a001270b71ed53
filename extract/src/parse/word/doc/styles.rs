//! The style sheet (\[MS-DOC\] 2.9.271) and the names of the fonts.

use super::bytes::{slice, u8_at, u16_at, utf16};
use super::properties::{Character, Paragraph};
use crate::parse::word::headings;

/// Maximum length of a chain of styles based on each other.
const MAX_CHAIN: usize = 24;

/// A style of the document.
#[derive(Default)]
struct Style {
    name: String,
    /// Number of a built-in style: 1 to 9 are headings, 62 is the title.
    built_in: u16,
    base: Option<u16>,
    paragraph: Vec<u8>,
    character: Vec<u8>,
}

pub(super) struct Styles {
    styles: Vec<Style>,
}

impl Styles {
    pub(super) fn read(sheet: &[u8]) -> Self {
        let mut styles = Vec::new();
        let header = usize::from(u16_at(sheet, 0).unwrap_or(0));
        let count = usize::from(u16_at(sheet, 2).unwrap_or(0));
        let base = usize::from(u16_at(sheet, 4).unwrap_or(0));
        let mut at = 2 + header;
        for _ in 0..count {
            let Some(length) = u16_at(sheet, at) else { break };
            let length = usize::from(length);
            styles.push(read_style(slice(sheet, at + 2, length), base).unwrap_or_default());
            at += 2 + length + length % 2;
        }
        Self { styles }
    }

    /// A style and its base styles, the nearest first.
    fn chain(&self, id: u16) -> impl Iterator<Item = &Style> {
        let first = self.styles.get(usize::from(id));
        let next = |style: &&Style| style.base.and_then(|base| self.styles.get(usize::from(base)));
        std::iter::successors(first, next).take(MAX_CHAIN)
    }

    /// The properties that a style gives to a paragraph.
    pub(super) fn paragraph(&self, id: u16) -> Paragraph {
        let chain: Vec<&Style> = self.chain(id).collect();
        let mut paragraph = Paragraph::default();
        for style in chain.iter().rev() {
            paragraph.apply(&style.paragraph);
        }
        paragraph.style = id;
        paragraph
    }

    /// Applies a character style.
    pub(super) fn apply_character(&self, id: u16, character: &mut Character) {
        let chain: Vec<&Style> = self.chain(id).collect();
        for style in chain.iter().rev() {
            character.apply(&style.character);
        }
    }

    /// The heading level (1 to 6) of a paragraph style, by its number or name.
    pub(super) fn heading(&self, id: u16) -> Option<u8> {
        const TITLE: u16 = 62;

        for (position, style) in self.chain(id).enumerate() {
            let level = match style.built_in {
                built_in @ 1..=9 => Some(built_in.min(6) as u8),
                TITLE => (position == 0).then_some(1),
                _ => headings::level(&style.name),
            };
            if level.is_some() {
                return level.filter(|_| position == 0 || !headings::is_title(&style.name));
            }
        }
        None
    }
}

fn read_style(style: &[u8], base: usize) -> Option<Style> {
    const NO_BASE: u16 = 0x0fff;
    const PARAGRAPH: u16 = 1;
    const CHARACTER: u16 = 2;

    let built_in = u16_at(style, 0)? & 0x0fff;
    let second = u16_at(style, 2)?;
    let parts = u16_at(style, 4)? & 0x0f;
    let length = usize::from(u16_at(style, base)?);
    let name = utf16(slice(style, base + 2, length * 2));
    let mut read = Style {
        // Aliases follow the name.
        name: name.split(',').next().unwrap_or_default().to_owned(),
        built_in,
        base: Some(second >> 4).filter(|base| *base != NO_BASE),
        ..Style::default()
    };
    let mut at = base + 2 + length * 2 + 2;
    for part in 0..parts {
        at += at % 2;
        let Some(length) = u16_at(style, at) else { break };
        let content = slice(style, at + 2, usize::from(length));
        match (second & 0x0f, part) {
            (PARAGRAPH, 0) => read.paragraph = content.get(2..).unwrap_or_default().to_vec(),
            (PARAGRAPH, 1) | (CHARACTER, 0) => read.character = content.to_vec(),
            _ => {}
        }
        at += 2 + usize::from(length);
    }
    Some(read)
}

/// Names of the fonts by index (\[MS-DOC\] 2.9.286).
pub(super) fn fonts(table: &[u8]) -> Vec<String> {
    const NAME: usize = 39;

    let count = usize::from(u16_at(table, 0).unwrap_or(0));
    let mut fonts = Vec::new();
    let mut at = 4;
    for _ in 0..count {
        let Some(length) = u8_at(table, at) else { break };
        let font = slice(table, at + 1, usize::from(length));
        let name = utf16(font.get(NAME..).unwrap_or_default());
        fonts.push(name.split('\0').next().unwrap_or_default().to_owned());
        at += 1 + usize::from(length);
    }
    fonts
}
