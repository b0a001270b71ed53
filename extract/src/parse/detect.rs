//! Format detection: the content decides.
//!
//! The file name and the media type choose only between formats that are all text; a contradiction with the
//! content becomes a warning. Supported types come from [`file_types`].

mod containers;
mod magic;

use super::text;
use crate::file_types::{self, FileType, Signature};
use crate::protocol::{Format, Rejection, Request, Verdict};

/// Bytes of a text that are searched for HTML.
const HEAD: usize = 4096;

/// Maximum length of a file name in a message, in characters.
const MAX_NAME_CHARS: usize = 200;

/// The declared type of a file: untrusted.
pub(super) struct Declared {
    name: Option<String>,
    by_name: Option<&'static FileType>,
    media_type: Option<String>,
    by_media_type: Option<&'static FileType>,
}

/// File type according to the signature of a file and the directory of a container.
pub(super) enum Content {
    /// A supported type.
    Supported(&'static FileType),
    /// No known signature: text or unknown.
    Unmarked,
    /// An unsupported type: its name with an article, and the remedy.
    Foreign(&'static str, &'static str),
    /// A supported type that cannot be read.
    Rejected(Rejection),
}

impl Declared {
    /// The declared type of a request.
    pub(super) fn new(request: &Request) -> Self {
        let media_type =
            request.media_type.as_deref().map(essence).filter(|media_type| !media_type.is_empty());
        Self {
            by_name: request.name.as_deref().and_then(file_types::by_file_name),
            name: request.name.as_deref().map(|name| text::shorten(text::line(name), MAX_NAME_CHARS)),
            by_media_type: media_type.as_deref().and_then(file_types::by_media_type),
            media_type,
        }
    }

    /// Detects the type of the content.
    pub(super) fn detect(&self, bytes: &[u8]) -> Result<&'static FileType, Rejection> {
        match magic::content(bytes) {
            Content::Supported(file_type) => Ok(file_type),
            Content::Unmarked => self.detect_text(bytes),
            Content::Rejected(rejection) => Err(rejection),
            Content::Foreign(what, advice) => {
                let advice = if advice.is_empty() { upload_advice() } else { advice.to_owned() };
                let message = match self.contradiction(what) {
                    Some(warning) => format!("{warning} {advice}"),
                    None => format!("The file is {what}. {advice}"),
                };
                Err(Rejection::new(Verdict::UnsupportedType, message))
            }
        }
    }

    /// Prefixes a rejection with the warning about a wrong name or media type.
    pub(super) fn explain(&self, file_type: &FileType, mut rejection: Rejection) -> Rejection {
        if let Some(warning) = self.mismatch(file_type) {
            rejection.message = format!("{warning} {}", rejection.message);
        }
        rejection
    }

    /// A warning if the name or the media type contradicts the content.
    pub(super) fn mismatch(&self, file_type: &FileType) -> Option<String> {
        let agrees =
            |declared: Option<&FileType>| declared.is_none_or(|declared| compatible(declared, file_type));
        if agrees(self.by_name) && agrees(self.by_media_type) {
            return None;
        }
        // A correct name outweighs a media type that a browser or a server guessed.
        if self.by_name.is_some() && agrees(self.by_name) {
            return None;
        }
        self.contradiction(file_type.phrase)
    }

    fn contradiction(&self, what: &str) -> Option<String> {
        match (&self.name, self.by_name, &self.media_type, self.by_media_type) {
            (Some(name), Some(_), _, _) => Some(format!("The file is named {name} but holds {what}.")),
            (_, _, Some(media_type), Some(_)) => {
                Some(format!("The file was declared as {media_type} but holds {what}."))
            }
            _ => None,
        }
    }

    fn detect_text(&self, bytes: &[u8]) -> Result<&'static FileType, Rejection> {
        let declared = self.by_name.or(self.by_media_type);
        let file_type = match declared {
            Some(file_type) if matches!(file_type.signature, Signature::Text | Signature::Markup(_)) => {
                file_type
            }
            _ => {
                let head = text::decode(bytes.get(..HEAD).unwrap_or(bytes));
                if let Some(markup) = magic::markup(&head) {
                    return Ok(markup);
                }
                // Some programs label text tables with the type of Excel, because Excel opens them.
                let sheet =
                    matches!(declared.map(|declared| declared.format), Some(Format::Xls | Format::Xlsx));
                if sheet { Format::Csv.file_type() } else { Format::Text.file_type() }
            }
        };
        self.refuse_binary(bytes, file_type)
    }

    /// The given type, unless the bytes are not text.
    fn refuse_binary(
        &self,
        bytes: &[u8],
        file_type: &'static FileType,
    ) -> Result<&'static FileType, Rejection> {
        // The head is enough: pages and long files may have a bad byte somewhere.
        let head = bytes.get(..1 << 16).unwrap_or(bytes);
        if !text::is_garbage(&text::decode(head)) {
            return Ok(file_type);
        }
        let advice = upload_advice();
        let message = match self.contradiction("no text, and nothing else that is known here") {
            Some(warning) => format!("{warning} {advice}"),
            None => format!("The file is of no known type. {advice}"),
        };
        Err(Rejection::new(Verdict::UnsupportedType, message))
    }
}

fn upload_advice() -> String {
    format!("Upload {}.", file_types::upload_labels())
}

/// Whether a declared type needs no warning. The names and media types of text formats are often confused.
fn compatible(declared: &FileType, content: &FileType) -> bool {
    let text = |file_type: &FileType| matches!(file_type.signature, Signature::Text);
    declared.format == content.format || (text(declared) && text(content))
}

/// A media type in lower case, without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, media_type: &str) -> Request {
        Request {
            name: Some(name.to_owned()),
            media_type: Some(media_type.to_owned()),
            url: None,
            image_of_page: None,
        }
    }

    fn detect(name: &str, media_type: &str, bytes: &[u8]) -> Result<Format, Rejection> {
        Declared::new(&request(name, media_type)).detect(bytes).map(|file_type| file_type.format)
    }

    #[test]
    fn the_content_decides_and_the_name_only_between_texts() {
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
            ("a.doc", "application/msword", b"{\\rtf1\\ansi x}", Format::Rtf),
            ("a.json", "", b"[1]", Format::Json),
            ("a.txt", "text/plain", b"[1]", Format::Text),
            ("a.xls", "application/vnd.ms-excel", b"<html><table><tr><td>x", Format::Html),
            ("a.xls", "application/vnd.ms-excel", b"name\tprice\nA\t1", Format::Csv),
        ] {
            assert_eq!(detect(name, media_type, bytes).unwrap(), format, "{name}");
        }
    }

    #[test]
    fn unsupported_types_are_named_with_a_remedy() {
        for (name, bytes, words) in [
            (
                "report.pdf",
                b"\x89PNG\r\n\x1a\n\0".as_slice(),
                "named report.pdf but holds a PNG image. Upload",
            ),
            ("photo.png", b"\x89PNG\r\n\x1a\n\0", "The file is a PNG image. Upload"),
            ("a.doc", b"%!PS-Adobe", "holds a PostScript document. Save it as PDF"),
            ("a.pdf", b"\x7fELF\x02\x01\x01\0\0\0", "holds a program"),
        ] {
            let rejection = detect(name, "", bytes).unwrap_err();
            assert_eq!(rejection.verdict, Verdict::UnsupportedType);
            assert!(rejection.message.contains(words), "{}", rejection.message);
        }
    }

    #[test]
    fn a_correct_name_hides_a_wrong_media_type() {
        let warning =
            |name, media_type| Declared::new(&request(name, media_type)).mismatch(Format::Pdf.file_type());
        assert_eq!(warning("a.pdf", "application/pdf"), None);
        assert_eq!(warning("a.pdf", "text/plain"), None);
        assert_eq!(warning("a.bin", "application/octet-stream"), None);
        assert_eq!(
            warning("a.txt", "").as_deref(),
            Some("The file is named a.txt but holds a PDF document.")
        );
        assert_eq!(
            warning("a", "text/html").as_deref(),
            Some("The file was declared as text/html but holds a PDF document.")
        );
    }

    #[test]
    fn refusals_recommend_only_uploadable_types() {
        let png = detect("a.png", "", b"\x89PNG\r\n\x1a\n\0").unwrap_err().message;
        let unknown = detect("a.bin", "", &[0; 100]).unwrap_err().message;
        for message in [&png, &unknown] {
            assert!(message.ends_with(&format!("Upload {}.", file_types::upload_labels())), "{message}");
        }
        for advice in magic::ADVICE.into_iter().chain(containers::ADVICE) {
            let words = advice.split(|letter: char| !letter.is_ascii_alphanumeric());
            for name in
                words.filter(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase()))
            {
                assert!(file_types::upload_type(&format!("a.{name}")).is_some(), "{advice}");
            }
        }
    }
}
