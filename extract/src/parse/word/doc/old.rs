//! Documents of Word 6 and 95, read by `office_oxide`, and the reasons for refusing a file.

use std::io::Cursor;

use office_oxide::doc::DocError;
use office_oxide::ir::{Element, Paragraph, inline_to_text};
use office_oxide::options::{DamageKind, OnIncomplete, ParseOptions};
use office_oxide::{Document as Office, DocumentFormat, OfficeError};

use crate::parse::word::{Losses, Read, damaged, encrypted, rejection};
use crate::protocol::{Rejection, Verdict};

pub(super) fn read(bytes: &[u8]) -> Result<Read, Rejection> {
    let office = Office::from_reader_with(Cursor::new(bytes.to_vec()), DocumentFormat::Doc, &options())
        .map_err(|error| reason(&error))?;
    let mut ir = office.to_ir();
    let mut first = true;
    for section in &mut ir.sections {
        section.header = None;
        section.footer = None;
        section.first_page_header = None;
        section.first_page_footer = None;
        section.even_page_header = None;
        section.even_page_footer = None;
        for element in &mut section.elements {
            demote_guess(element, first);
            first = false;
        }
    }
    let losses: Vec<_> = office.damage().into_iter().filter(|damage| damage.is_loss()).collect();
    let cut = losses.iter().any(|loss| loss.kind == DamageKind::Truncated);
    Ok(Read {
        text: ir.to_markdown(),
        title: None,
        losses: Losses { cut, deep: false, parts: !losses.is_empty() },
    })
}

/// Turns headings that the crate guesses, the first line and lines in capitals, into paragraphs.
fn demote_guess(element: &mut Element, first: bool) {
    let Element::Heading(heading) = element else { return };
    let text = inline_to_text(&heading.content);
    let capitals = !text.chars().any(char::is_lowercase);
    if (first && heading.level == 1) || (capitals && heading.level <= 2) {
        let content = std::mem::take(&mut heading.content);
        *element = Element::Paragraph(Paragraph { content, ..Paragraph::default() });
    }
}

/// Strict limits, and partial text of a damaged file rather than none.
fn options() -> ParseOptions {
    let mut options = ParseOptions::strict();
    options.on_incomplete = OnIncomplete::Report;
    options
}

fn reason(error: &OfficeError) -> Rejection {
    match error {
        OfficeError::Doc(DocError::Encrypted) => encrypted(),
        OfficeError::Doc(DocError::UnsupportedVersion(_)) => Rejection::new(
            Verdict::UnsupportedType,
            "The file is of a version of Word older than 6. Save it as DOCX and upload that.",
        ),
        OfficeError::UnsupportedFormat(why) if why.contains("password") => encrypted(),
        OfficeError::Core(error) => rejection(error),
        _ => damaged(),
    }
}
