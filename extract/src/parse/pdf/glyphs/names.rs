//! Text of glyphs without `ToUnicode`: glyph names, character maps of font programs, symbol fonts.

use std::collections::HashMap;
use std::sync::Arc;

use hayro_cmap::BfString;
use hayro_font::{CMapResolverFn, FontCache, FontGlyph, FontResolverFn};
use hayro_syntax::object::{Array, Dict, FromBytes, Name};
use skrifa::{FontRef, MetadataProvider};

/// Maximum number of entries read from the character map of a font program.
const MAX_MAPPINGS: usize = 100_000;

/// Meaning of the private characters of a font.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Symbols {
    /// Characters of a text font, moved to 0xF000.
    Text,
    Symbol,
    Wingdings,
    /// Unknown drawings.
    Other,
}

impl Symbols {
    /// The meaning by the name of the font, in lower case.
    pub(super) fn of(face: &str) -> Self {
        match face {
            _ if face.starts_with("wingdings") && !face.contains(['2', '3']) => Self::Wingdings,
            _ if face.starts_with("symbol") => Self::Symbol,
            _ if ["wingdings", "webdings", "dingbat", "marlett", "icon", "awesome", "glyphicon", "emoji"]
                .iter()
                .any(|word| face.contains(word)) =>
            {
                Self::Other
            }
            _ => Self::Text,
        }
    }

    /// Text of a character of the private area, or of a code of a symbol font.
    pub(super) fn text(self, mapped: Option<&str>, code: u32) -> Option<String> {
        let private = mapped.and_then(|text| text.chars().next()).map(u32::from);
        let index = match private {
            Some(private @ 0xf000..=0xf0ff) => private - 0xf000,
            Some(_) => return None,
            None if matches!(self, Self::Symbol | Self::Wingdings) && code <= 0xff => code,
            None => return None,
        };
        let byte = u8::try_from(index).ok()?;
        match self {
            Self::Text => (byte >= 0x20).then(|| super::strings::decode(&[byte])),
            Self::Symbol => symbol(byte).map(|character| character.to_string()),
            Self::Wingdings => Some(wingding(byte).to_string()),
            Self::Other => None,
        }
    }
}

/// The frequent characters of the font Symbol by code.
fn symbol(byte: u8) -> Option<char> {
    const GREEK: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
    const SMALL: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";
    Some(match byte {
        b' '..=b'!'
        | b'#'
        | b'%'..=b'&'
        | b'('..=b')'
        | b'+'..=b','
        | b'.'..=b'?'
        | b'['
        | b']'
        | b'_'
        | b'{'..=b'}' => char::from(byte),
        b'A'..=b'Z' => GREEK.chars().nth(usize::from(byte - b'A'))?,
        b'a'..=b'z' => SMALL.chars().nth(usize::from(byte - b'a'))?,
        b'*' => '∗',
        b'-' => '−',
        0xa3 => '≤',
        0xa5 => '∞',
        0xae => '→',
        0xb0 => '°',
        0xb1 => '±',
        0xb2 => '″',
        0xb3 => '≥',
        0xb4 => '×',
        0xb7 => '•',
        0xb8 => '÷',
        0xb9 => '≠',
        0xbb => '≈',
        0xbc => '…',
        0xd7 => '⋅',
        _ => return None,
    })
}

/// Wingdings by code. Most of its characters are bullets of lists.
fn wingding(byte: u8) -> char {
    match byte {
        b' ' => ' ',
        0xfc => '✓',
        0xfb => '✗',
        0xfe => '☑',
        0xfd => '☒',
        0xa8 | 0x6f | 0x71 | 0x72 => '□',
        0xe0 | 0xe8 | 0xf0 | 0xd8 => '→',
        0x28 => '☎',
        0x2a => '✉',
        0xa1 | 0x6d => '○',
        _ => '•',
    }
}

/// Text by glyph number, from the Unicode character map of a font program.
pub(super) fn by_glyph(data: &[u8]) -> HashMap<u32, char> {
    let mut map = HashMap::new();
    let Ok(font) = FontRef::from_index(data, 0) else { return map };
    let characters = font.charmap();
    if characters.is_symbol() || !characters.has_map() {
        return map;
    }
    for (character, glyph) in characters.mappings().take(MAX_MAPPINGS) {
        if let Some(character) = char::from_u32(character) {
            // The lower of two characters is the usual one: a blank rather than a no-break space.
            map.entry(glyph.to_u32())
                .and_modify(|known: &mut char| *known = (*known).min(character))
                .or_insert(character);
        }
    }
    map
}

/// Prefixes of glyph names that are a prefix and the character code.
const NUMBERED: [&str; 5] = ["a", "c", "A", "C", "char"];

/// Adds the codes whose glyph names contain the same number, such as "a65" for 65. The code is the character.
fn numbered(differences: &[u8], map: &mut HashMap<u32, String>) {
    let names = String::from_utf8_lossy(differences);
    let mut code: u32 = 0;
    for word in names.replace('/', " /").split_ascii_whitespace() {
        let Some(name) = word.strip_prefix('/') else {
            code = word.parse().unwrap_or(0);
            continue;
        };
        let is_number = |prefix: &str| name.strip_prefix(prefix) == Some(code.to_string().as_str());
        if let Ok(byte @ 0x21..) = u8::try_from(code)
            && NUMBERED.iter().any(|prefix| is_number(prefix))
        {
            map.insert(u32::from(byte), super::strings::decode(&[byte]));
        }
        code = code.saturating_add(1);
    }
}

/// Text by character code, from the glyph names in the encoding of a simple font.
pub(super) fn by_code(font: &Dict<'_>) -> HashMap<u32, String> {
    let mut map = HashMap::new();
    let encoding = font.get::<Dict<'_>>(b"Encoding").unwrap_or_default();
    let base = encoding.get::<Name<'_>>(b"BaseEncoding").or_else(|| font.get::<Name<'_>>(b"Encoding"));
    let base = match base.as_deref() {
        Some(b"WinAnsiEncoding") => "/BaseEncoding/WinAnsiEncoding",
        Some(b"MacRomanEncoding") => "/BaseEncoding/MacRomanEncoding",
        _ => "",
    };
    let differences = encoding.get::<Array<'_>>(b"Differences").map(|list| list.data()).unwrap_or_default();
    // The font library has the list of glyph names, but prefers `ToUnicode`. It gets a font without
    // `ToUnicode`.
    let mut dict =
        format!("<</Type/Font/Subtype/Type3/FontMatrix[0.001 0 0 0.001 0 0]/Encoding<<{base}/Differences")
            .into_bytes();
    dict.push(b'[');
    dict.extend_from_slice(differences);
    dict.extend_from_slice(b"]>>>>");
    let substitutes: FontResolverFn = Arc::new(|_| None);
    let predefined: CMapResolverFn = Arc::new(|_| None);
    let Some(named) =
        Dict::from_bytes(&dict).and_then(|dict| FontCache::new().font(&dict, &substitutes, &predefined))
    else {
        return map;
    };
    numbered(differences, &mut map);
    for code in 0..=0xff {
        if let FontGlyph::Type3(glyph) = named.glyph(named.map_code(code), code)
            && let Some(text) = glyph.as_unicode()
        {
            let text = match text {
                BfString::Char(character) => character.to_string(),
                BfString::String(text) => text,
            };
            map.insert(code, text);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(encoding: &str) -> HashMap<u32, String> {
        let font = format!("<</Type/Font/Subtype/TrueType/Encoding{encoding}>>");
        by_code(&Dict::from_bytes(font.as_bytes()).unwrap())
    }

    #[test]
    fn glyph_names_give_the_text_of_codes() {
        let map = named("<</BaseEncoding/WinAnsiEncoding/Differences[33/ffi/f_f/uni00E9 64/nonsense]>>");
        assert_eq!(map.get(&33).map(String::as_str), Some("ﬃ"));
        assert_eq!(map.get(&34).map(String::as_str), Some("ff"));
        assert_eq!(map.get(&35).map(String::as_str), Some("é"));
        assert_eq!(map.get(&64), None);
        assert_eq!(map.get(&65).map(String::as_str), Some("A"));
    }

    #[test]
    fn numbered_glyph_names_give_the_character_of_their_number() {
        let map = named("<</Differences[65/a65/g66 233/a233/a12]>>");
        assert_eq!(map.get(&65).map(String::as_str), Some("A"));
        assert_eq!(map.get(&66), None);
        assert_eq!(map.get(&233).map(String::as_str), Some("é"));
        assert_eq!(map.get(&234), None);
    }

    #[test]
    fn private_characters_of_text_fonts_are_their_low_byte() {
        assert_eq!(Symbols::of("arial").text(Some("\u{f041}"), 1).as_deref(), Some("A"));
        assert_eq!(Symbols::of("symbolmt").text(Some("\u{f0b7}"), 1).as_deref(), Some("•"));
        assert_eq!(Symbols::of("wingdings-regular").text(Some("\u{f0fc}"), 1).as_deref(), Some("✓"));
        assert_eq!(Symbols::of("fontawesome").text(Some("\u{f015}"), 1), None);
    }
}
