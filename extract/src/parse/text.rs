//! Plain text: decoding, checks and normalisation of texts of all formats.

use super::encoding;
use crate::protocol::{Document, Format, Markup, Rejection, Verdict};

/// Maximum share of control and replacement characters in a text.
const MAX_GARBAGE: f64 = 0.01;

/// Number of such characters that is always allowed: a stray NUL, or the end mark of a DOS file.
const MAX_STRAY: u64 = 1;

/// Decodes a text file into a document.
pub(crate) fn document(bytes: &[u8], format: Format, markup: Markup) -> Result<Document, Rejection> {
    Ok(Document::new(format, markup, read(bytes)?))
}

/// Decodes a file that claims to be text.
pub(super) fn read(bytes: &[u8]) -> Result<String, Rejection> {
    let decoded = encoding::decode(bytes);
    if decoded.garbled || is_garbage(&decoded.text) {
        return Err(Rejection::new(
            Verdict::GarbledText,
            "The file has bytes in it that are no text in any known encoding. Save it as UTF-8.",
        ));
    }
    Ok(decoded.text)
}

/// Decodes `bytes`, without a byte order mark. Never fails: undecodable bytes become U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    encoding::decode(bytes).text
}

/// Whether too many characters are control characters or undecodable.
pub(super) fn is_garbage(text: &str) -> bool {
    let (mut all, mut bad) = (0_u64, 0_u64);
    for character in text.chars() {
        all += 1;
        // FileMaker writes line ends and repetitions in a cell as VT and GS.
        let layout = matches!(character, '\n' | '\r' | '\t' | '\x0b' | '\x0c' | '\x1b' | '\x1c'..='\x1f');
        let control = character.is_control() && !layout;
        bad += u64::from(control || character == char::REPLACEMENT_CHARACTER);
    }
    bad > MAX_STRAY && bad as f64 / all as f64 > MAX_GARBAGE
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
