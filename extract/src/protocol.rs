//! Protocol between the parent and the extraction child, and the child's resource limits.
//!
//! The child reads one line of JSON, a [`Request`], and then the file until end of input. It writes one
//! JSON [`Reply`]; after [`Reply::Image`], the pixels of the page follow. An abnormal exit counts as a reply
//! too: [`verdict_for_exit`].
//!
//! Values only: this module must never start a process or parse a file.

use serde::{Deserialize, Serialize};

pub use crate::file_types::Format;

/// Maximum size of a document's text, in bytes.
pub const MAX_TEXT_BYTES: usize = 24 << 20;

/// Maximum size of a reply, in bytes. JSON escapes a quote, a newline or a tab as two bytes and writes most
/// other characters unchanged. Links and notes have caps of their own.
pub const MAX_REPLY_BYTES: usize = 2 * MAX_TEXT_BYTES + (4 << 20);

/// Address-space limit of the child, in bytes. The largest valid file measured needed 534 MB.
pub const ADDRESS_SPACE: u64 = 1 << 30;

/// CPU-time limit of the child, in seconds.
pub const CPU_SECONDS: u64 = 20;

/// Maximum time that the parent waits for the reply.
pub const REPLY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Stack size of the parser thread, in bytes: enough for the nesting depth of valid files.
pub const PARSER_STACK: usize = 64 << 20;

/// Metadata of the file. All of it is untrusted: the content decides the format.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// File name, as uploaded.
    pub name: Option<String>,
    /// Declared media type, with its parameters.
    pub media_type: Option<String>,
    /// URL of a web page, the base of its relative links.
    pub url: Option<String>,
    /// Page to render as an image, from 1, instead of extracting text.
    #[serde(default)]
    pub image_of_page: Option<u32>,
}

/// The child's reply.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The extracted document.
    Document(Document),
    /// A rendered page.
    Image(PageImage),
    /// A rejection: no document was extracted.
    Rejected(Rejection),
}

/// Reason for not extracting a document.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Machine-readable reason.
    pub verdict: Verdict,
    /// Reason and remedy as a sentence for a person.
    pub message: String,
    /// Whether the file is a web page whose content is created by a script. A browser may read it. The
    /// verdict is [`Verdict::Empty`].
    #[serde(default)]
    pub needs_browser: bool,
    /// Pages of a PDF without readable text, from 1: text recognition may read them.
    #[serde(default)]
    pub scanned_pages: Vec<u32>,
    /// Metadata of a web page without text: a frameset, or a page that only redirects.
    #[serde(default)]
    pub web: Option<Box<Web>>,
}

impl Rejection {
    /// Creates a rejection.
    pub fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Self { verdict, message: message.into(), needs_browser: false, scanned_pages: Vec::new(), web: None }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.verdict.as_str(), self.message)
    }
}

impl std::error::Error for Rejection {}

/// Machine-readable reason of a [`Rejection`].
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The file contains no text.
    Empty,
    /// The file is password-protected.
    Encrypted,
    /// The pages are images without a text layer.
    ScannedNoText,
    /// The glyphs do not map to characters, or the bytes are not text in any known encoding.
    GarbledText,
    /// The file is damaged.
    Corrupt,
    /// The text exceeds [`MAX_TEXT_BYTES`], or the file unpacks to more than the child may hold.
    TooLarge,
    /// The nesting of the file exceeds the limits of the parsers.
    TooComplex,
    /// Parsing exceeded the time limit.
    Timeout,
    /// The file type is not supported.
    UnsupportedType,
}

impl Verdict {
    /// The stored and transmitted form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Empty => "empty",
            Verdict::Encrypted => "encrypted",
            Verdict::ScannedNoText => "scanned_no_text",
            Verdict::GarbledText => "garbled_text",
            Verdict::Corrupt => "corrupt",
            Verdict::TooLarge => "too_large",
            Verdict::TooComplex => "too_complex",
            Verdict::Timeout => "timeout",
            Verdict::UnsupportedType => "unsupported_type",
        }
    }
}

/// Markup of a document's text.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Markup {
    /// Plain text.
    Plain,
    /// Markdown.
    Markdown,
    /// Records separated by a blank line. A record must never be split.
    Records,
}

/// An extracted document.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Format of the content.
    pub format: Format,
    /// Markup of the text.
    pub markup: Markup,
    /// The text, with Unix line ends and without NUL.
    pub text: String,
    /// Start of pages 1, 2, … in the text, in characters (Unicode scalar values). Empty for formats without
    /// pages.
    pub pages: Vec<usize>,
    /// The document's own title.
    pub title: Option<String>,
    /// Warnings for the owner, as sentences: a file name that contradicts the content, or unreadable pages.
    pub notes: Vec<String>,
    /// Pages of a PDF without readable text, from 1: text recognition may read them.
    #[serde(default)]
    pub scanned_pages: Vec<u32>,
    /// Metadata of a web page.
    pub web: Option<Web>,
}

impl Document {
    /// A document without pages, title and notes.
    #[must_use]
    pub fn new(format: Format, markup: Markup, text: String) -> Self {
        Self {
            format,
            markup,
            text,
            pages: Vec::new(),
            title: None,
            notes: Vec::new(),
            scanned_pages: Vec::new(),
            web: None,
        }
    }
}

/// A page as a grayscale image. Its pixels follow the reply: `width × height` bytes, row by row from the top
/// left, 0 is black.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Resolution in dots per inch.
    pub dpi: u32,
}

/// Metadata of a web page, for the crawler.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// Canonical URL, absolute.
    pub canonical: Option<String>,
    /// Link targets: absolute `http` and `https` URLs without fragment, distinct, in document order. Links
    /// with `rel=nofollow` are left out.
    pub links: Vec<String>,
    /// Sources of the page's frames and inline frames, of the same form as `links`.
    #[serde(default)]
    pub frames: Vec<String>,
    /// Target of a `meta refresh` to another page within ten seconds, absolute, without fragment.
    #[serde(default)]
    pub refresh: Option<String>,
    /// Robots directive `nofollow` or `none`, addressed to all crawlers or to ours.
    pub nofollow: bool,
    /// Robots directive `noindex` or `none`, addressed to all crawlers or to ours.
    pub noindex: bool,
    /// Value of the robots directive `unavailable_after`, as written: a date in any common form.
    #[serde(default)]
    pub unavailable_after: Option<String>,
}

/// Maximum number of pages named in a sentence.
const NAMED_PAGES: usize = 10;

/// Names pages in a sentence: "Page 3", "Pages 3, 5".
#[must_use]
pub fn name_pages(pages: &[u32]) -> String {
    let mut names: Vec<String> = pages.iter().take(NAMED_PAGES).map(ToString::to_string).collect();
    if pages.len() > NAMED_PAGES {
        names.push(format!("{} more", pages.len() - NAMED_PAGES));
    }
    let word = if pages.len() == 1 { "Page" } else { "Pages" };
    format!("{word} {}", names.join(", "))
}

/// Maps an abnormal exit of the child to a rejection. `signal` and `code` are those of its exit status;
/// `timed_out` is true when the parent stopped waiting.
#[must_use]
pub fn verdict_for_exit(signal: Option<i32>, code: Option<i32>, timed_out: bool) -> Rejection {
    const SIGABRT: i32 = 6;
    const SIGKILL: i32 = 9;
    const SIGSEGV: i32 = 11;
    // SIGBUS is 7 on Linux and 10 on macOS, where a stack overflow may raise it.
    const SIGBUS: [i32; 2] = [7, 10];
    // Sent by the kernel when the CPU limit is exceeded; the same number on Linux and macOS.
    const SIGXCPU: i32 = 24;

    if timed_out {
        return Rejection::new(
            Verdict::Timeout,
            "Reading the file took too long. Split it into smaller files, or save it again from the \
             program that made it.",
        );
    }
    match signal {
        Some(SIGKILL | SIGXCPU) => Rejection::new(
            Verdict::Timeout,
            "Reading the file took more processor time than a file may take. Split it into smaller files, \
             or save it again from the program that made it.",
        ),
        Some(signal) if signal == SIGABRT || signal == SIGSEGV || SIGBUS.contains(&signal) => Rejection::new(
            Verdict::TooComplex,
            "The file unpacks to more than can be held in memory, or nests too deep. Save it again from the \
             program that made it, or split it into smaller files.",
        ),
        _ => {
            let how = match (signal, code) {
                (Some(signal), _) => format!("signal {signal}"),
                (None, Some(code)) => format!("exit code {code}"),
                (None, None) => "no exit status".to_owned(),
            };
            Rejection::new(
                Verdict::Corrupt,
                format!(
                    "The file could not be read ({how}); it is probably damaged. Save it again from the \
                     program that made it."
                ),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_abnormal_exit_maps_to_a_verdict() {
        for (signal, code, timed_out, verdict) in [
            (None, None, true, Verdict::Timeout),
            (Some(9), None, true, Verdict::Timeout),
            (Some(9), None, false, Verdict::Timeout),
            (Some(24), None, false, Verdict::Timeout),
            (Some(6), None, false, Verdict::TooComplex),
            (Some(11), None, false, Verdict::TooComplex),
            (Some(7), None, false, Verdict::TooComplex),
            (Some(15), None, false, Verdict::Corrupt),
            (None, Some(1), false, Verdict::Corrupt),
            (None, Some(0), false, Verdict::Corrupt),
        ] {
            assert_eq!(verdict_for_exit(signal, code, timed_out).verdict, verdict, "{signal:?} {code:?}");
        }
    }
}
