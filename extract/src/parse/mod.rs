//! File parsing: bytes in, [`Document`] out. In memory; must never open a file or start a process.
//!
//! The content decides the format ([`detect`]), and each format has its own parser module. This module has
//! the steps common to all formats: the size cap, removal of unstorable characters, the check for blank texts
//! and the warning about a misleading name.

mod archive;
mod blocks;
pub(crate) mod csv;
mod detect;
mod encoding;
pub(crate) mod epub;
pub(crate) mod html;
pub(crate) mod json;
mod markdown;
pub(crate) mod odf;
mod office;
pub(crate) mod pdf;
pub(crate) mod rtf;
pub(crate) mod slides;
mod table;
pub(crate) mod text;
pub(crate) mod word;
pub(crate) mod workbook;
mod xml;

use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection, Request, Verdict};

/// Parser of one format. The request gives the URL and the media type of a web page.
pub(crate) type Parser = fn(&Request, &[u8]) -> Result<Document, Rejection>;

/// Maximum title length, in characters.
const MAX_TITLE_CHARS: usize = 300;

/// Extracts the text of a file.
///
/// # Errors
/// A [`Rejection`] when the file holds no text that can be read.
pub fn parse(request: &Request, bytes: &[u8]) -> Result<Document, Rejection> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Rejection::new(Verdict::Empty, "The file is empty."));
    }
    let declared = detect::Declared::new(request);
    let file_type = declared.detect(bytes)?;
    let mut document = (file_type.parse)(request, bytes)
        .and_then(finish)
        .map_err(|rejection| declared.explain(file_type, rejection))?;
    let mismatch = declared.mismatch(file_type).map(|warning| format!("{warning} It was read as such."));
    document.notes.splice(0..0, mismatch);
    Ok(document)
}

fn finish(mut document: Document) -> Result<Document, Rejection> {
    if document.text.len() > MAX_TEXT_BYTES {
        return Err(too_large());
    }
    // Page offsets count characters, so a format with pages cleans each page itself.
    if document.pages.is_empty() {
        document.text = text::clean(&document.text);
        // A Markdown file stays as written. The parser of web pages escapes only the necessary characters
        // itself.
        if document.markup == Markup::Markdown && !matches!(document.format, Format::Markdown | Format::Html)
        {
            document.text = markdown::unescape(&document.text);
        }
    }
    if document.text.trim().is_empty() {
        return Err(Rejection::new(Verdict::Empty, "The file has no text in it."));
    }
    let title = document.title.map(|title| text::shorten(text::line(&title), MAX_TITLE_CHARS));
    document.title = title.filter(|title| !title.is_empty());
    Ok(document)
}

fn too_large() -> Rejection {
    Rejection::new(
        Verdict::TooLarge,
        format!(
            "The file holds more than {} MiB of text. Split it into smaller files.",
            MAX_TEXT_BYTES >> 20
        ),
    )
}
