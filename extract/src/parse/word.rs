//! Word documents (DOCX and DOC) to Markdown. Running headers and footers are dropped as repetition.

use std::io::Cursor;

use office_oxide::doc::DocError;
use office_oxide::ir::{Element, Heading};
use office_oxide::options::{DamageKind, OnIncomplete, ParseOptions};
use office_oxide::{Document as Office, DocumentFormat, OfficeError};

use super::text;
use crate::protocol::{Document, Format, Markup, Rejection, Verdict};

/// Extracts the text of a Word document.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Document, Rejection> {
    let office_format = if format == Format::Docx { DocumentFormat::Docx } else { DocumentFormat::Doc };
    let office = Office::from_reader_with(Cursor::new(bytes.to_vec()), office_format, &options())
        .map_err(|error| rejection(&error))?;
    let mut ir = office.to_ir();
    for section in &mut ir.sections {
        section.header = None;
        section.footer = None;
        section.first_page_header = None;
        section.first_page_footer = None;
        section.even_page_header = None;
        section.even_page_footer = None;
        section.elements.iter_mut().for_each(promote_title);
    }
    let markdown = ir.to_markdown();
    let losses: Vec<_> = office.damage().into_iter().filter(|damage| damage.is_loss()).collect();
    if markdown.trim().is_empty() && !losses.is_empty() {
        return Err(damaged());
    }
    let truncated = losses.iter().any(|loss| loss.kind == DamageKind::Truncated);
    let mut notes = Vec::new();
    if truncated {
        notes.push("The text of the file is incomplete: its end could not be read.".to_owned());
    } else if !losses.is_empty() {
        notes.push("A part of the file could not be read; its text is missing.".to_owned());
    }
    Ok(Document {
        format,
        markup: Markup::Markdown,
        text: markdown,
        pages: Vec::new(),
        title: ir.metadata.title.map(|title| text::line(&title)),
        notes,
        scanned_pages: Vec::new(),
        web: None,
    })
}

/// Turns a paragraph of style "Title" into a level-1 heading.
fn promote_title(element: &mut Element) {
    if let Element::Paragraph(paragraph) = element
        && paragraph.style.as_deref().is_some_and(|style| style.eq_ignore_ascii_case("title"))
    {
        let content = std::mem::take(&mut paragraph.content);
        *element = Element::Heading(Heading { level: 1, content, ..Heading::default() });
    }
}

/// Strict limits, and partial text of a damaged file rather than none.
///
/// A valid LibreOffice file exceeds the strict compression ratio, so the default ratio stays: the child's
/// memory limit is the effective bound.
fn options() -> ParseOptions {
    let defaults = ParseOptions::default();
    let mut options = ParseOptions::strict();
    options.limits.inflate_ratio = defaults.limits.inflate_ratio;
    options.on_incomplete = OnIncomplete::Report;
    options
}

fn rejection(error: &OfficeError) -> Rejection {
    use office_oxide::core::Error as Core;

    let core = match error {
        OfficeError::Core(core) => Some(core),
        OfficeError::Docx(office_oxide::docx::DocxError::Core(core)) => Some(core),
        _ => None,
    };
    match (error, core) {
        (OfficeError::Doc(DocError::Encrypted), _) => encrypted(),
        (OfficeError::Doc(DocError::UnsupportedVersion(_)), _) => Rejection::new(
            Verdict::UnsupportedType,
            "The file is of a version of Word older than 6. Save it as DOCX and upload that.",
        ),
        (OfficeError::UnsupportedFormat(why), _) if why.contains("password") => encrypted(),
        (_, Some(Core::DecompressionLimit { .. } | Core::PackageLimit(_))) => Rejection::new(
            Verdict::TooLarge,
            "The file unpacks to more than a document may hold. Split it into smaller files.",
        ),
        (_, Some(Core::MalformedXml(why))) if why.contains("nest") || why.contains("depth") => {
            Rejection::new(
                Verdict::TooComplex,
                "The file nests deeper than can be read. Save it again from the program that made it.",
            )
        }
        _ => damaged(),
    }
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
