//! Files become text. Pure: bytes in, text out.
//!
//! Plain text and Markdown, in any encoding: byte order mark, then strict UTF-8, then a guess by
//! `chardetng` over the first mebibyte, as the measurements of our corpus advise.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::error::{Error, Result};

/// How many bytes the guess of an encoding looks at.
const GUESS_BYTES: usize = 1 << 20;

/// Above this share of control and replacement characters a file is not text.
const MOST_GARBAGE: f64 = 0.01;

/// A kind of file that can become knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
}

impl FileType {
    /// The extensions that are accepted, for messages.
    pub const EXTENSIONS: &str = ".txt, .md";

    /// The type that a file's name claims.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "txt" | "text" => Some(FileType::Text),
            "md" | "markdown" => Some(FileType::Markdown),
            _ => None,
        }
    }

    /// Its media type (RFC 7763 for Markdown).
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            FileType::Text => "text/plain",
            FileType::Markdown => "text/markdown",
        }
    }
}

/// The text of a file, with Unix line ends and without a byte order mark.
///
/// # Errors
/// [`Error::Rejected`] with `empty` or `unsupported_type` when there is no text in it.
pub fn text(bytes: &[u8]) -> Result<String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::rejected("empty", "The file is empty."));
    }
    let text = decode(bytes);
    if garbage(&text) > MOST_GARBAGE {
        return Err(Error::rejected(
            "unsupported_type",
            "The file is not text, whatever its name says. Upload plain text or Markdown.",
        ));
    }
    // Postgres stores no NUL in a text.
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
    if text.trim().is_empty() {
        return Err(Error::rejected("empty", "The file has no text in it."));
    }
    Ok(text)
}

fn decode(bytes: &[u8]) -> String {
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

/// UTF-16 without a mark shows as zeros in every other byte of text that is mostly Latin.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..GUESS_BYTES.min(bytes.len()) & !1).unwrap_or_default();
    let (pairs, _) = head.as_chunks::<2>();
    let zeros = |at: usize| pairs.iter().filter(|pair| pair.get(at) == Some(&0)).count();
    let most = pairs.len() / 2;
    match (zeros(0) > most, zeros(1) > most) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// The share of characters that no text has: controls, and what could not be decoded.
fn garbage(text: &str) -> f64 {
    let (mut all, mut bad) = (0_u64, 0_u64);
    for character in text.chars() {
        all += 1;
        let control = character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\x0c' | '\x1b');
        bad += u64::from(control || character == char::REPLACEMENT_CHARACTER);
    }
    if all == 0 { 0.0 } else { bad as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GBK, ISO_2022_JP, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn any_encoding_becomes_the_same_text() {
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
            assert_eq!(text(&bytes).unwrap(), expected);
        }
    }

    #[test]
    fn line_ends_become_unix_and_no_zero_is_left() {
        assert_eq!(text("one\r\ntwo\rthree\n".as_bytes()).unwrap(), "one\ntwo\nthree\n");
    }

    #[test]
    fn what_is_not_text_is_refused_by_name() {
        let noise: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &noise].concat();
        for (bytes, code) in [
            (vec![], "empty"),
            (b" \n\t ".to_vec(), "empty"),
            (noise, "unsupported_type"),
            (png, "unsupported_type"),
        ] {
            match text(&bytes) {
                Err(Error::Rejected { code: got, .. }) => assert_eq!(got, code),
                other => panic!("{other:?}"),
            }
        }
    }
}
