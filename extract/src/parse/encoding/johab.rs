//! Johab, the Korean encoding of DOS: KS X 1001, annex 3.
//!
//! A syllable is two bytes: a set bit, then five bits each for its first, middle and last letter. Symbols and
//! ideographs are rows of KS X 1001, as in EUC-KR.

use encoding_rs::EUC_KR;

/// Five-bit codes of the middle letters, in the order of Unicode.
const MIDDLE: [u16; 21] = [3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29];

/// Compatibility letters of the first consonants, in the order of Unicode.
const FIRST: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ',
    'ㅍ', 'ㅎ',
];

/// Decodes Johab. Undecodable pairs become U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if byte.is_ascii() {
            text.push(char::from(*byte));
            continue;
        }
        let Some((trail, after)) = after.split_first() else {
            text.push(char::REPLACEMENT_CHARACTER);
            break;
        };
        match pair(*byte, *trail) {
            Some(character) => {
                text.push(character);
                rest = after;
            }
            None => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    text
}

fn pair(lead: u8, trail: u8) -> Option<char> {
    match lead {
        0x84..=0xd3 => syllable(u16::from_be_bytes([lead, trail])),
        0xd9..=0xde => row(u16::from(lead - 0xd9) * 2 + 0xa1, trail),
        0xe0..=0xf9 => row(u16::from(lead - 0xe0) * 2 + 0xca, trail),
        _ => None,
    }
}

fn syllable(code: u16) -> Option<char> {
    let (first, middle, last) = (code >> 10 & 31, code >> 5 & 31, code & 31);
    let last = match last {
        1..=17 => last - 1,
        19..=29 => last - 2,
        _ => return None,
    };
    let middle_index = MIDDLE.iter().position(|code| *code == middle);
    match (first, middle_index) {
        (2..=20, Some(middle)) => {
            char::from_u32(0xac00 + (u32::from(first - 2) * 21 + middle as u32) * 28 + u32::from(last))
        }
        // A letter alone: U+314F is the first vowel.
        (1, Some(middle)) if last == 0 => char::from_u32(0x314f + middle as u32),
        (2..=20, None) if middle == 2 && last == 0 => FIRST.get(usize::from(first - 2)).copied(),
        _ => None,
    }
}

/// A character of KS X 1001. The lead byte covers two rows, the first of which is `first`.
fn row(first: u16, trail: u8) -> Option<char> {
    let column = match trail {
        0x31..=0x7e => trail - 0x31,
        0x91..=0xfe => trail - 0x91 + 78,
        _ => return None,
    };
    let row = u8::try_from(first + u16::from(column / 94)).ok()?;
    let bytes = [row, 0xa1 + column % 94];
    let (text, _, wrong) = EUC_KR.decode(&bytes);
    let mut characters = text.chars();
    characters.next().filter(|_| !wrong && characters.next().is_none())
}
