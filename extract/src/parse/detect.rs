//! What a file is: its content decides. Its name and media type are claims, which choose only
//! between the formats that are all text, and are held against the content in a sentence.

mod containers;
mod magic;

use super::text;
use crate::protocol::{Format, Rejection, Request, Verdict};

/// What can be uploaded, for messages.
const UPLOAD: &str = "Upload plain text, Markdown, CSV, PDF, Word (DOCX or DOC) or HTML.";

/// How many bytes of a text are looked at for the marks of HTML.
const HEAD: usize = 4096;

/// How much of a file's name a sentence repeats.
const MAX_NAME_CHARS: usize = 200;

/// What a file's name and media type say it is.
pub(super) struct Claim {
    name: Option<String>,
    by_name: Option<Format>,
    media_type: Option<String>,
    by_media_type: Option<Format>,
}

/// What is known of a file by its first bytes and its directory.
pub(super) enum Content {
    /// A format that is read here.
    Format(Format),
    /// No known mark: text, or nothing that is known.
    Unmarked,
    /// Something else: its name with an article, and what to do about it.
    Foreign(&'static str, &'static str),
    /// What is known is that it cannot be read.
    Rejected(Rejection),
}

impl Claim {
    /// The claims of a request.
    pub(super) fn of(request: &Request) -> Self {
        let media_type =
            request.media_type.as_deref().map(essence).filter(|media_type| !media_type.is_empty());
        Self {
            by_name: request.name.as_deref().and_then(format_of_name),
            name: request.name.as_deref().map(|name| text::shorten(text::line(name), MAX_NAME_CHARS)),
            by_media_type: media_type.as_deref().and_then(format_of_media_type),
            media_type,
        }
    }

    /// The format of the content, or why it cannot be read.
    pub(super) fn format(&self, bytes: &[u8]) -> Result<Format, Rejection> {
        match magic::content(bytes) {
            Content::Format(format) => Ok(format),
            Content::Unmarked => self.format_of_text(bytes),
            Content::Rejected(rejection) => Err(rejection),
            Content::Foreign(what, advice) => {
                let advice = if advice.is_empty() { UPLOAD } else { advice };
                let message = match self.against(what) {
                    Some(disagreement) => format!("{disagreement} {advice}"),
                    None => format!("The file is {what}. {advice}"),
                };
                Err(Rejection::new(Verdict::UnsupportedType, message))
            }
        }
    }

    /// A rejection that says, before its reason, that the name or media type is wrong.
    pub(super) fn explain(&self, format: Format, mut rejection: Rejection) -> Rejection {
        if let Some(disagreement) = self.disagreement(format) {
            rejection.message = format!("{disagreement} {}", rejection.message);
        }
        rejection
    }

    /// A sentence when the name or the media type claims another format than the content has.
    pub(super) fn disagreement(&self, format: Format) -> Option<String> {
        let agrees = |claimed: Option<Format>| claimed.is_none_or(|claimed| agree(claimed, format));
        if agrees(self.by_name) && agrees(self.by_media_type) {
            return None;
        }
        // A name that is right outweighs a media type that a browser or a server guessed.
        if self.by_name.is_some() && agrees(self.by_name) {
            return None;
        }
        self.against(what_is(format))
    }

    fn against(&self, what: &str) -> Option<String> {
        match (&self.name, self.by_name, &self.media_type, self.by_media_type) {
            (Some(name), Some(_), _, _) => Some(format!("The file is named {name} but holds {what}.")),
            (_, _, Some(media_type), Some(_)) => {
                Some(format!("The file was declared as {media_type} but holds {what}."))
            }
            _ => None,
        }
    }

    fn format_of_text(&self, bytes: &[u8]) -> Result<Format, Rejection> {
        let head = text::decode(bytes.get(..HEAD).unwrap_or(bytes));
        let claimed = self.by_name.or(self.by_media_type);
        match claimed {
            Some(format @ (Format::Text | Format::Markdown | Format::Csv)) => {
                self.refuse_bytes(bytes, format)
            }
            Some(Format::Html) => self.refuse_bytes(bytes, Format::Html),
            _ if magic::is_html(&head) => Ok(Format::Html),
            _ => self.refuse_bytes(bytes, Format::Text),
        }
    }

    /// The format, unless the bytes are no text at all.
    fn refuse_bytes(&self, bytes: &[u8], format: Format) -> Result<Format, Rejection> {
        // Web pages and long files may have a bad byte somewhere: zeros are what no text has.
        let head = bytes.get(..1 << 16).unwrap_or(bytes);
        if !text::is_garbage(&text::decode(head)) {
            return Ok(format);
        }
        let message = match self.against("no text, and nothing else that is known here") {
            Some(disagreement) => format!("{disagreement} {UPLOAD}"),
            None => format!("The file is of no known type. {UPLOAD}"),
        };
        Err(Rejection::new(Verdict::UnsupportedType, message))
    }
}

/// Whether a claim is right enough not to be mentioned: texts are served and named as one another.
fn agree(claimed: Format, content: Format) -> bool {
    let text = |format| matches!(format, Format::Text | Format::Markdown | Format::Csv);
    claimed == content || (text(claimed) && text(content))
}

fn what_is(format: Format) -> &'static str {
    match format {
        Format::Text => "plain text",
        Format::Markdown => "Markdown",
        Format::Csv => "comma-separated values",
        Format::Pdf => "a PDF document",
        Format::Docx => "a Word document (DOCX)",
        Format::Doc => "a Word 97 document (DOC)",
        Format::Html => "a web page",
    }
}

fn format_of_name(name: &str) -> Option<Format> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.trim().to_ascii_lowercase().as_str() {
        "txt" | "text" => Format::Text,
        "md" | "markdown" => Format::Markdown,
        "csv" | "tsv" | "tab" => Format::Csv,
        "pdf" => Format::Pdf,
        "docx" | "docm" | "dotx" => Format::Docx,
        "doc" | "dot" => Format::Doc,
        "html" | "htm" | "xhtml" => Format::Html,
        _ => return None,
    })
}

fn format_of_media_type(media_type: &str) -> Option<Format> {
    Some(match media_type {
        "text/plain" => Format::Text,
        "text/markdown" | "text/x-markdown" => Format::Markdown,
        "text/csv" | "application/csv" | "text/tab-separated-values" => Format::Csv,
        "application/pdf" | "application/x-pdf" => Format::Pdf,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Format::Docx,
        "application/msword" => Format::Doc,
        "text/html" | "application/xhtml+xml" => Format::Html,
        _ => return None,
    })
}

/// A media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, media_type: &str) -> Request {
        Request { name: Some(name.to_owned()), media_type: Some(media_type.to_owned()), url: None }
    }

    fn detect(name: &str, media_type: &str, bytes: &[u8]) -> Result<Format, Rejection> {
        Claim::of(&request(name, media_type)).format(bytes)
    }

    #[test]
    fn the_content_decides_and_the_name_only_among_texts() {
        for (name, media_type, bytes, format) in [
            ("a.txt", "", b"<html><p>shown as it is".as_slice(), Format::Text),
            ("a.md", "text/plain", b"# Title", Format::Markdown),
            ("a.CSV", "application/vnd.ms-excel", b"a,b", Format::Csv),
            ("a", "text/csv; charset=utf-8", b"a,b", Format::Csv),
            ("a.doc", "application/msword", b"\xef\xbb\xbf<html xmlns:o=''><body>x", Format::Html),
            ("a.doc", "application/msword", b"plain words", Format::Text),
            ("", "", b"<!-- x -->\n<!DOCTYPE html><title>x", Format::Html),
            ("page.php", "text/html", b"<p>words", Format::Html),
            ("a.docx", "", b"%PDF-1.7\n", Format::Pdf),
            ("a.txt", "text/plain", b"\n\n%PDF-1.4\n", Format::Pdf),
        ] {
            assert_eq!(detect(name, media_type, bytes).unwrap(), format, "{name}");
        }
    }

    #[test]
    fn what_is_not_read_is_named_with_what_to_do() {
        for (name, bytes, words) in [
            (
                "report.pdf",
                b"\x89PNG\r\n\x1a\n\0".as_slice(),
                "named report.pdf but holds a PNG image. Upload",
            ),
            ("photo.png", b"\x89PNG\r\n\x1a\n\0", "The file is a PNG image. Upload"),
            ("a.doc", b"{\\rtf1\\ansi x}", "holds an RTF document. Save it as DOCX"),
            ("a.pdf", b"\x7fELF\x02\x01\x01\0\0\0", "holds a program"),
        ] {
            let rejection = detect(name, "", bytes).unwrap_err();
            assert_eq!(rejection.verdict, Verdict::UnsupportedType);
            assert!(rejection.message.contains(words), "{}", rejection.message);
        }
    }

    #[test]
    fn a_wrong_name_is_mentioned_and_a_wrong_media_type_only_without_a_right_name() {
        let said = |name, media_type| Claim::of(&request(name, media_type)).disagreement(Format::Pdf);
        assert_eq!(said("a.pdf", "application/pdf"), None);
        assert_eq!(said("a.pdf", "text/plain"), None);
        assert_eq!(said("a.bin", "application/octet-stream"), None);
        assert_eq!(said("a.txt", "").as_deref(), Some("The file is named a.txt but holds a PDF document."));
        assert_eq!(
            said("a", "text/html").as_deref(),
            Some("The file was declared as text/html but holds a PDF document.")
        );
    }
}
