//! Plain text in any encoding: byte order mark, then strict UTF-8, then a `chardetng` guess.
//!
//! The guess reads the first mebibyte only: `chardetng` runs at 11 MB/s.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::protocol::{Document, Format, Markup, Rejection, Verdict};

/// Bytes sampled to guess the encoding.
const GUESS_BYTES: usize = 1 << 20;

/// Maximum share of control and replacement characters in a text.
const MAX_GARBAGE: f64 = 0.01;

/// Decodes a text file into a document.
pub(crate) fn document(bytes: &[u8], format: Format, markup: Markup) -> Result<Document, Rejection> {
    let text = read(bytes)?;
    Ok(Document {
        format,
        markup,
        text,
        pages: Vec::new(),
        title: None,
        notes: Vec::new(),
        scanned_pages: Vec::new(),
        web: None,
    })
}

/// Decodes a file that claims to be text.
pub(super) fn read(bytes: &[u8]) -> Result<String, Rejection> {
    let text = decode(bytes);
    if is_garbage(&text) {
        return Err(Rejection::new(
            Verdict::GarbledText,
            "The file has bytes in it that are no text in any known encoding. Save it as UTF-8.",
        ));
    }
    Ok(text)
}

/// Decodes `bytes`, without a byte order mark. Never fails: undecodable bytes become U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return encoding.decode_without_bom_handling(rest).0.into_owned();
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    let escapes_japanese = bytes.windows(3).any(|window| matches!(window, b"\x1b$B" | b"\x1b$@" | b"\x1b(J"));
    if !escapes_japanese && let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let iso_2022_jp = if escapes_japanese { Iso2022JpDetection::Allow } else { Iso2022JpDetection::Deny };
    let mut detector = EncodingDetector::new(iso_2022_jp);
    let head = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    detector.feed(head, head.len() == bytes.len());
    let encoding = detector.guess(None, Utf8Detection::Allow);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Recognises UTF-16 without a byte order mark: mostly Latin text has a zero in every other byte.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..GUESS_BYTES.min(bytes.len()) & !1).unwrap_or_default();
    let (pairs, _) = head.as_chunks::<2>();
    let zeros = |at: usize| pairs.iter().filter(|pair| pair.get(at) == Some(&0)).count();
    let half = pairs.len() / 2;
    match (zeros(0) > half, zeros(1) > half) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// Whether too many characters are control characters or undecodable.
pub(super) fn is_garbage(text: &str) -> bool {
    let (mut all, mut bad) = (0_u64, 0_u64);
    for character in text.chars() {
        all += 1;
        let control = character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\x0c' | '\x1b');
        bad += u64::from(control || character == char::REPLACEMENT_CHARACTER);
    }
    all > 0 && bad as f64 / all as f64 > MAX_GARBAGE
}

/// Normalises a text for storage: Unix line ends, no control characters. Postgres refuses NUL, and the
/// others are invisible.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\x0b' | '\x0c' | '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\n' | '\t' => clean.push(character),
            // Concatenated files leave byte order marks in the middle.
            '\u{feff}' => {}
            _ if character.is_control() => {}
            _ => clean.push(character),
        }
    }
    clean
}

/// Joins a text into one line: each run of white space becomes one space.
pub(super) fn line(text: &str) -> String {
    let mut line = String::new();
    push_line(&mut line, &clean(text));
    line
}

/// Appends a normalised text as one line.
pub(super) fn push_line(out: &mut String, clean: &str) {
    for (index, word) in clean.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// Truncates a text to `max` characters and appends an ellipsis if anything was cut.
pub(super) fn shorten(text: String, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GBK, ISO_2022_JP, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn every_encoding_decodes_to_the_same_text() {
        let german = "Grüße aus Köln: über süße Äpfel läßt sich schön plaudern, auch mit Größe.";
        let russian = "Возврат товара возможен в течение тридцати дней после покупки.";
        let japanese = "返品は購入から三十日以内に可能です。お問い合わせはこちらまで。";
        let chinese = "购买后三十天内可以退货，请保留您的收据和包装。";
        for (bytes, expected) in [
            (german.as_bytes().to_vec(), german),
            ([b"\xef\xbb\xbf", german.as_bytes()].concat(), german),
            (WINDOWS_1252.encode(german).0.into_owned(), german),
            (WINDOWS_1251.encode(russian).0.into_owned(), russian),
            (SHIFT_JIS.encode(japanese).0.into_owned(), japanese),
            (ISO_2022_JP.encode(japanese).0.into_owned(), japanese),
            (GBK.encode(chinese).0.into_owned(), chinese),
            (utf16(german, u16::to_le_bytes), german),
            (utf16(german, u16::to_be_bytes), german),
            ([vec![0xff, 0xfe], utf16(russian, u16::to_le_bytes)].concat(), russian),
        ] {
            assert_eq!(read(&bytes).unwrap(), expected);
        }
    }

    #[test]
    fn clean_text_has_unix_line_ends_and_no_controls() {
        assert_eq!(clean("one\r\ntwo\rthree\n\0fo\u{1b}ur\u{feff}\tfive"), "one\ntwo\nthree\nfour\tfive");
        assert_eq!(line(" a \r\n b\0c\u{a0}d "), "a bc d");
    }

    #[test]
    fn binary_data_is_garbled_text() {
        let noise: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(read(&noise).unwrap_err().verdict, Verdict::GarbledText);
    }
}
