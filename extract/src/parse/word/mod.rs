//! Word documents (DOCX and DOC) to Markdown. Running headers and footers are dropped as repetition, the
//! comments of reviewers because they are not the document.
//!
//! Both readers give the same blocks ([`model`]), numbered by the same counters ([`numbering`]) and written
//! by the same writer ([`write`]).

mod doc;
mod docx;
mod emphasis;
mod fields;
mod headings;
mod model;
mod number_formats;
mod number_names;
mod numbering;
mod pictures;
pub(super) mod scripts;
mod symbols;
mod write;

use office_oxide::core::Error;

use super::text;
use crate::protocol::{Document, Format, Markup, Rejection, Verdict};

/// Part with the properties of a DOCX document.
const TITLE_PART: &str = "/docProps/core.xml";

/// What a reader found.
struct Read {
    text: String,
    title: Option<String>,
    losses: Losses,
}

/// Content that could not be read.
#[derive(Clone, Copy, Debug, Default)]
struct Losses {
    /// The file ends early.
    cut: bool,
    /// Content nested too deep was left out.
    deep: bool,
    /// A part was unreadable.
    parts: bool,
}

/// Extracts the text of a Word document.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Document, Rejection> {
    let read = if format == Format::Docx {
        docx::read(bytes).map_err(|error| rejection(&error))?
    } else {
        doc::read(bytes)?
    };
    let Losses { cut, deep, parts } = read.losses;
    if read.text.trim().is_empty() {
        if deep {
            return Err(too_complex());
        }
        if cut || parts {
            return Err(damaged());
        }
    }
    let mut notes = Vec::new();
    if cut {
        notes.push("The text of the file is incomplete: its end could not be read.".to_owned());
    } else if deep || parts {
        notes.push("A part of the file could not be read; its text is missing.".to_owned());
    }
    Ok(Document {
        format,
        markup: Markup::Markdown,
        title: read.title.map(|title| text::line(&title)),
        text: read.text,
        pages: Vec::new(),
        notes,
        scanned_pages: Vec::new(),
        web: None,
    })
}

fn rejection(error: &Error) -> Rejection {
    match error {
        Error::DecompressionLimit { .. } | Error::PackageLimit(_) => Rejection::new(
            Verdict::TooLarge,
            "The file unpacks to more than a document may hold. Split it into smaller files.",
        ),
        Error::MalformedXml(why) if why.contains("nest") || why.contains("depth") => too_complex(),
        _ => damaged(),
    }
}

fn too_complex() -> Rejection {
    Rejection::new(
        Verdict::TooComplex,
        "The file nests deeper than can be read. Save it again from the program that made it.",
    )
}

fn encrypted() -> Rejection {
    Rejection::new(
        Verdict::Encrypted,
        "The file is locked with a password. Remove the password and upload it again.",
    )
}

fn damaged() -> Rejection {
    Rejection::new(
        Verdict::Corrupt,
        "The file is damaged. Upload it again, or save it again from the program that made it.",
    )
}
