//! PDF text strings (ISO 32000-2, 7.9.2.2) and the clean-up of characters.

use unicode_normalization::UnicodeNormalization;

/// `PDFDocEncoding` where it differs from Latin-1: codes 0x18 to 0x1F.
const LOW: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];

/// `PDFDocEncoding` where it differs from Latin-1: codes 0x80 to 0xA0.
const HIGH: [char; 33] = [
    '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ', 'ﬂ',
    'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
];

/// Decodes a text string: UTF-16 or UTF-8 with a mark, else `PDFDocEncoding`.
pub(super) fn decode(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(unit));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let text: String = match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| doc_char(*byte)).collect(),
    };
    without_language(&text)
}

fn doc_char(byte: u8) -> char {
    let from = |table: &[char], first: u8| table.get(usize::from(byte.wrapping_sub(first))).copied();
    match byte {
        0x18..=0x1f => from(&LOW, 0x18),
        0x80..=0xa0 => from(&HIGH, 0x80),
        _ => None,
    }
    .unwrap_or(char::from(byte))
}

/// Removes language codes, which stand between two escape characters.
fn without_language(text: &str) -> String {
    text.split('\u{1b}').step_by(2).collect()
}

/// The text of a glyph in ordinary characters. Ligatures and contextual forms of Arabic and Hebrew letters
/// become letters, radicals become ideographs, and all spaces become blanks. Empty when no character is left.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{2f00}'..='\u{2fdf}'
            | '\u{fb00}'..='\u{fb4f}'
            | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{f900}'..='\u{faff}' => plain.extend(std::iter::once(character).nfkc()),
            '\t' | '\n' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => plain.push(' '),
            // Noncharacters, byte order marks, zero-width blanks and variation selectors are invisible.
            '\u{e0100}'..='\u{e01ef}' | '\u{200b}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {}
            _ if character.is_control() => {}
            _ => plain.push(character),
        }
    }
    plain
}

/// Whether the text is readable: not empty, without undecodable and private characters.
pub(super) fn is_readable(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(is_unreadable)
}

fn is_unreadable(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            | char::REPLACEMENT_CHARACTER
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fffe}' | '\u{ffff}'
            | '\u{f0000}'..
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_are_decoded_by_their_marks() {
        assert_eq!(decode(b"\xfe\xff\x00A\xd8\x3d\xde\x00"), "A😀");
        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa4"), "ä");
        assert_eq!(decode(b"caf\xe9 \x80\xa0 \x93"), "café •€ ﬁ");
        assert_eq!(decode(b"\xfe\xff\x00\x1b\x00e\x00n\x00\x1b\x00X"), "X");
    }

    #[test]
    fn glyphs_show_characters_that_people_type() {
        assert_eq!(plain("ﬃ"), "ffi");
        assert_eq!(plain("ﻼ"), "لا");
        assert_eq!(plain("⾦"), "金");
        assert_eq!(plain("a\u{a0}b\u{200b}"), "a b");
    }

    #[test]
    fn private_and_undecodable_characters_are_unreadable() {
        assert!(is_readable("ﬁ"));
        assert!(!is_readable("\0"));
        assert!(!is_readable("\u{f0b7}"));
        assert!(!is_readable("a\u{fffd}"));
    }
}
