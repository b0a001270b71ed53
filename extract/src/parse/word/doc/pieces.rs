//! The text of the document: pieces of the main stream in their order (\[MS-DOC\] 2.8.35, 2.9.73).

use encoding_rs::{
    Encoding, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255,
    WINDOWS_1256, WINDOWS_1257,
};

use super::bytes::{slice, u8_at, u16_at, u32_at};

/// Maximum number of characters of a document. The limit of Word is 32 MB, with up to two bytes a character.
const MAX_CHARACTERS: usize = 16 << 20;

/// Maximum total size of the pieces, as a multiple of the size of the stream. Fast saves use some bytes
/// twice.
const MAX_REUSE: usize = 16;

/// A piece of the text.
pub(super) struct Piece {
    /// Position of the first character, and of the character behind the last one.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Offset of the first character in the main stream.
    pub(super) offset: usize,
    /// Bytes of a character: 1 or 2.
    pub(super) width: usize,
    /// Properties that apply to the whole piece.
    pub(super) properties: Vec<u8>,
}

/// The characters of all stories, and where they lie in the file.
pub(super) struct Text {
    /// UTF-16 code units by position. Zero where the file lacks a character.
    pub(super) units: Vec<u16>,
    pub(super) pieces: Vec<Piece>,
    /// Whether characters are missing.
    pub(super) cut: bool,
}

impl Text {
    /// Reads the piece table. None if it is damaged or its pieces exceed `MAX_REUSE`.
    pub(super) fn read(main: &[u8], clx: &[u8], language: u16, length: u32) -> Option<Self> {
        let (modifiers, table) = split(clx)?;
        let count = table.len().saturating_sub(4) / 12;
        let mut text = Self { units: Vec::new(), pieces: Vec::new(), cut: false };
        let mut used = 0_usize;
        for index in 0..count {
            let start = u32_at(table, index * 4)? as usize;
            let end = u32_at(table, index * 4 + 4)? as usize;
            let record = (count + 1) * 4 + index * 8;
            let place = u32_at(table, record + 2)?;
            let width = if place & 0x4000_0000 == 0 { 2 } else { 1 };
            let place = (place & 0x3fff_ffff) as usize;
            let offset = if width == 1 { place / 2 } else { place };
            if start != text.units.len() || end < start {
                text.cut = true;
                if start < text.units.len() || start > MAX_CHARACTERS || end < start {
                    continue;
                }
                text.units.resize(start, 0);
            }
            let stored = main.len().saturating_sub(offset) / width;
            let characters = (end - start).min(stored).min(MAX_CHARACTERS.saturating_sub(start));
            text.cut |= characters < end - start;
            used += characters * width;
            if used > main.len() * MAX_REUSE + (1 << 20) {
                return None;
            }
            if width == 2 {
                let (pairs, _) = slice(main, offset, characters * 2).as_chunks::<2>();
                text.units.extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair)));
            } else {
                decode(slice(main, offset, characters), language, &mut text.units);
            }
            let properties = modifier(u16_at(table, record + 6)?, &modifiers);
            text.pieces.push(Piece { start, end: start + characters, offset, width, properties });
            if characters < end - start {
                break;
            }
        }
        text.cut |= text.units.len() < length as usize;
        Some(text)
    }

    /// The piece that holds a position.
    pub(super) fn piece(&self, position: usize) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.end <= position);
        self.pieces.get(index).filter(|piece| piece.start <= position)
    }
}

/// Splits the structure into the properties that pieces refer to and the piece table.
fn split(clx: &[u8]) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut modifiers = Vec::new();
    let mut at = 0;
    while u8_at(clx, at)? == 1 {
        let length = u16_at(clx, at + 1)? as usize;
        modifiers.push(slice(clx, at + 3, length));
        at += 3 + length;
    }
    (u8_at(clx, at)? == 2).then_some(())?;
    let length = u32_at(clx, at + 1)? as usize;
    Some((modifiers, slice(clx, at + 5, length)))
}

/// Properties of a piece: one of the modifiers, or a single property (\[MS-DOC\] 2.9.214). Of the single
/// properties, only deleted, bold, italic and hidden text matter here.
fn modifier(modifier: u16, modifiers: &[&[u8]]) -> Vec<u8> {
    if modifier & 1 == 1 {
        let found = modifiers.get(usize::from(modifier >> 1));
        return found.map(|properties| properties.to_vec()).unwrap_or_default();
    }
    let value = (modifier >> 8) as u8;
    match (modifier >> 1) & 0x7f {
        0x41 => vec![0x00, 0x08, value],
        0x55 => vec![0x35, 0x08, value],
        0x56 => vec![0x36, 0x08, value],
        0x5c => vec![0x3c, 0x08, value],
        _ => Vec::new(),
    }
}

/// Decodes 8-bit text. Word stores it in Windows-1252; other programs use the code page of the language. Many
/// bytes above the ASCII range indicate the latter.
fn decode(bytes: &[u8], language: u16, units: &mut Vec<u16>) {
    let (mut high, mut letters) = (0_usize, 0_usize);
    for byte in bytes {
        high += usize::from(*byte >= 0xc0);
        letters += usize::from(byte.is_ascii_alphabetic());
    }
    let encoding = if high * 3 > letters { code_page(language) } else { WINDOWS_1252 };
    for byte in bytes {
        if byte.is_ascii() {
            units.push(u16::from(*byte));
            continue;
        }
        let (character, _) = encoding.decode_without_bom_handling(std::slice::from_ref(byte));
        let mut buffer = [0; 2];
        let character = character.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
        units.extend(character.encode_utf16(&mut buffer).iter().take(1));
    }
}

/// Code page of a language identifier.
fn code_page(language: u16) -> &'static Encoding {
    match language & 0x3ff {
        0x02 | 0x19 | 0x22 | 0x23 | 0x2f => WINDOWS_1251,
        0x05 | 0x0e | 0x15 | 0x18 | 0x1a | 0x1b | 0x1c | 0x24 => WINDOWS_1250,
        0x08 => WINDOWS_1253,
        0x1f => WINDOWS_1254,
        0x0d => WINDOWS_1255,
        0x01 | 0x20 | 0x29 => WINDOWS_1256,
        0x25..=0x27 => WINDOWS_1257,
        _ => WINDOWS_1252,
    }
}
