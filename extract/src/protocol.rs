//! What a parent and its child say to each other, and what the child may use.
//!
//! The child reads one line of JSON, a [`Request`], and then the bytes of the file until its input
//! ends. It writes one JSON [`Reply`]. A child that dies has replied too: [`verdict_of_death`].
//!
//! Values only: this module starts no process and parses no file.

use serde::{Deserialize, Serialize};

/// The most bytes of text that a document may hold.
pub const MAX_TEXT_BYTES: usize = 24 << 20;

/// The most bytes of a reply. JSON writes most characters as they are, and a quote, a line end or a
/// tab as two bytes; links and notes have caps of their own.
pub const MAX_REPLY_BYTES: usize = 2 * MAX_TEXT_BYTES + (4 << 20);

/// The address space of the child, in bytes: an honest file has needed 534 MB.
pub const ADDRESS_SPACE: u64 = 1 << 30;

/// The processor time of the child, in seconds.
pub const CPU_SECONDS: u64 = 20;

/// How long a parent waits for the reply.
pub const WALL: std::time::Duration = std::time::Duration::from_secs(30);

/// The stack of the thread that parses: recursion as deep as honest files nest fits in it.
pub const PARSER_STACK: usize = 64 << 20;

/// What the parent knows about the bytes. All of it is a claim: the content decides.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The name of the file, as uploaded.
    pub name: Option<String>,
    /// The declared media type, with its parameters if it has any.
    pub media_type: Option<String>,
    /// The address of a web page: its links are relative to it.
    pub url: Option<String>,
}

/// What the child answers.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The file is text now.
    Document(Document),
    /// The file cannot become text.
    Rejected(Rejection),
}

/// Why a file did not become text.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The reason, for programs.
    pub verdict: Verdict,
    /// The reason, as a sentence a person can act on.
    pub message: String,
}

impl Rejection {
    /// A rejection with its sentence.
    pub fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Self { verdict, message: message.into() }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.verdict.as_str(), self.message)
    }
}

impl std::error::Error for Rejection {}

/// Why a file did not become text, in a word.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is no text in it.
    Empty,
    /// It is locked with a password.
    Encrypted,
    /// Its pages are images.
    ScannedNoText,
    /// Its characters cannot be told from its glyphs, or its bytes are no characters.
    GarbledText,
    /// It is damaged.
    Corrupt,
    /// Its text is larger than [`MAX_TEXT_BYTES`], or it unpacks to more than the child may hold.
    TooLarge,
    /// It nests deeper than the parsers can follow.
    TooComplex,
    /// It took too long.
    Timeout,
    /// It is not of a type that is read here.
    UnsupportedType,
}

impl Verdict {
    /// The word, as it is stored and sent.
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

/// What the content of a file is, whatever its name says.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// Comma-separated values, or any other delimiter's.
    Csv,
    /// PDF.
    Pdf,
    /// Word 2007 and later.
    Docx,
    /// Word 97 to 2003.
    Doc,
    /// A web page.
    Html,
}

impl Format {
    /// The word, as it is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Markdown => "markdown",
            Format::Csv => "csv",
            Format::Pdf => "pdf",
            Format::Docx => "docx",
            Format::Doc => "doc",
            Format::Html => "html",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain",
            Format::Markdown => "text/markdown",
            Format::Csv => "text/csv",
            Format::Pdf => "application/pdf",
            Format::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Format::Doc => "application/msword",
            Format::Html => "text/html",
        }
    }
}

/// How the text of a document is written.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Markup {
    /// As it stands.
    Plain,
    /// As Markdown.
    Markdown,
    /// As records, separated by a blank line. A record must never be split.
    Records,
}

/// A file that became text.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What the content is.
    pub format: Format,
    /// How the text is written.
    pub markup: Markup,
    /// The text: Unix line ends, and no NUL.
    pub text: String,
    /// Where page 1, 2, … begin in the text, in characters (Unicode scalar values). Empty when the
    /// format has no pages.
    pub pages: Vec<usize>,
    /// Its title, if it names one.
    pub title: Option<String>,
    /// What its owner should know, in sentences: a name that disagrees with the content, or pages
    /// that could not be read.
    pub notes: Vec<String>,
    /// What only a web page has.
    pub web: Option<Web>,
}

/// What a web page says to a crawler.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// Its canonical address, absolute.
    pub canonical: Option<String>,
    /// Where it links to: absolute `http` and `https` addresses without fragment, each once, in
    /// order.
    pub links: Vec<String>,
    /// Its links are not to be followed.
    pub nofollow: bool,
    /// It is not to be indexed.
    pub noindex: bool,
}

/// What the death of a child says about its file. `signal` and `code` are those of its exit status;
/// `timed_out` is true when the parent stopped waiting.
#[must_use]
pub fn verdict_of_death(signal: Option<i32>, code: Option<i32>, timed_out: bool) -> Rejection {
    const SIGABRT: i32 = 6;
    const SIGKILL: i32 = 9;
    const SIGSEGV: i32 = 11;
    // 10 is SIGBUS on macOS, where a stack that is used up may end in it; Linux calls it 7.
    const SIGBUS: [i32; 2] = [7, 10];
    // The kernel sends it when the processor time is used up; Linux and macOS agree on the number.
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
    fn every_death_has_a_verdict() {
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
            assert_eq!(verdict_of_death(signal, code, timed_out).verdict, verdict, "{signal:?} {code:?}");
        }
    }
}
