//! Word documents (DOCX and DOC) to Markdown.
//! Running headers and footers are left out as repetition. Comments of reviewers are not part of the
//! document.
//!
//! Both readers produce the same blocks ([`model`]). They share the counters of lists ([`numbering`]) and the
//! writer of Markdown ([`write`]).

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

use super::{office, text};
use crate::protocol::{Document, Format, Markup, Rejection};

/// Part with the properties of a DOCX document.
const TITLE_PART: &str = "/docProps/core.xml";

/// Result of a reader.
struct Read {
    text: String,
    title: Option<String>,
    losses: Losses,
}

/// Content that could not be read.
#[derive(Clone, Copy, Debug, Default)]
struct Losses {
    /// Whether the file ends early.
    cut: bool,
    /// Whether content nested too deep was left out.
    deep: bool,
    /// Whether a part was unreadable.
    parts: bool,
}

/// Extracts the text of a Word document.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Document, Rejection> {
    let read = if format == Format::Docx {
        docx::read(bytes).map_err(|error| office::core_rejection(&error))?
    } else {
        doc::read(bytes)?
    };
    let Losses { cut, deep, parts } = read.losses;
    if read.text.trim().is_empty() {
        if deep {
            return Err(office::too_complex());
        }
        if cut || parts {
            return Err(office::damaged());
        }
    }
    let mut notes = Vec::new();
    if cut {
        notes.push("The text of the file is incomplete: its end could not be read.".to_owned());
    } else if deep || parts {
        notes.push("A part of the file could not be read; its text is missing.".to_owned());
    }
    let title = read.title.map(|title| text::line(&title));
    Ok(Document { title, notes, ..Document::new(format, Markup::Markdown, read.text) })
}
