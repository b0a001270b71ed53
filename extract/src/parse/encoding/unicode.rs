//! UTF-16 and UTF-32, with or without a byte order mark.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::plausible::{self, Plausibility};

/// Bytes examined for an encoding without a mark.
const HEAD: usize = 1 << 14;

/// Minimum plausibility of UTF-16 without a mark and without zeros.
const MIN_PLAUSIBLE: f64 = 0.5;

/// Decodes UTF-32. `None`: the bytes are in another encoding.
pub(super) fn utf32(bytes: &[u8]) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<4>();
    if units.is_empty() {
        return None;
    }
    let read = |unit: &[u8; 4], little: bool| {
        char::from_u32(if little { u32::from_le_bytes(*unit) } else { u32::from_be_bytes(*unit) })
    };
    let marked = match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some(true),
        [0, 0, 0xfe, 0xff, ..] => Some(false),
        _ => None,
    };
    let little = match marked {
        Some(little) => little,
        None if !rest.is_empty() || units.len() < 2 => return None,
        // Without a mark, all units must be characters other than NUL. One in 4 000 arbitrary units is a
        // character.
        None => [true, false].into_iter().find(|little| {
            units.iter().all(|unit| read(unit, *little).is_some_and(|character| character != '\0'))
        })?,
    };
    let text = units.iter().map(|unit| read(unit, little).unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(text.filter(|character| *character != '\u{feff}').collect())
}

/// Recognises UTF-16 without a mark.
///
/// Text in Latin letters has a zero in every other byte. Other scripts are recognised by the plausibility of
/// the decoded text, because their bytes have no such pattern.
pub(super) fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..HEAD.min(bytes.len()) & !1).unwrap_or_default();
    let (pairs, _) = head.as_chunks::<2>();
    let zeros = |at: usize| pairs.iter().filter(|pair| pair.get(at) == Some(&0)).count();
    let half = pairs.len() / 2;
    match (zeros(0), zeros(1)) {
        (high, low) if high > half && low * 10 <= high => return Some(UTF_16BE),
        (low, high) if high > half && low * 10 <= high => return Some(UTF_16LE),
        _ => {}
    }
    let binary =
        |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1a | 0x1b);
    if pairs.len() < 4 || head.iter().filter(|byte| binary(byte)).count() * 50 < head.len() {
        return None;
    }
    let (rated, encoding) = rated_utf16(head);
    (rated.score >= MIN_PLAUSIBLE).then_some(encoding)
}

/// UTF-16 for short texts of ideographs or kana without control bytes, with its plausibility.
pub(super) fn short_utf16(bytes: &[u8]) -> Option<(Plausibility, &'static Encoding)> {
    let head = bytes.get(..HEAD.min(bytes.len()))?;
    let (pairs, rest) = head.as_chunks::<2>();
    (pairs.len() > 2 && rest.is_empty()).then(|| rated_utf16(head))
}

/// The better byte order of UTF-16, with the plausibility of its text.
fn rated_utf16(head: &[u8]) -> (Plausibility, &'static Encoding) {
    let rate = |encoding: &'static Encoding| plausible::rate(&encoding.decode_without_bom_handling(head).0);
    let (little, big) = (rate(UTF_16LE), rate(UTF_16BE));
    if little.score >= big.score { (little, UTF_16LE) } else { (big, UTF_16BE) }
}

/// Decodes UTF-8 with a few invalid bytes: a cut end, or lines pasted in windows-1252. `None`: the text is in
/// another encoding.
pub(super) fn interrupted_utf8(bytes: &[u8]) -> Option<String> {
    let (mut valid, mut invalid) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    if valid < 2 * invalid.max(1) {
        return None;
    }
    let mut text = String::with_capacity(bytes.len());
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        // The end of a file that was cut within a character.
        let cut = chunks.peek().is_none() && chunk.invalid().first().is_some_and(|byte| *byte >= 0xc2);
        if !cut {
            text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
        }
    }
    Some(text)
}
