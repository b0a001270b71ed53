//! Documents of Word 6 and 95, read by `office_oxide`, and the reasons for refusing a file.

use office_oxide::DocumentFormat;
use office_oxide::ir::{Element, Paragraph, inline_to_text};
use office_oxide::options::DamageKind;

use crate::parse::office;
use crate::parse::word::{Losses, Read};
use crate::protocol::Rejection;

pub(super) fn read(bytes: &[u8]) -> Result<Read, Rejection> {
    let office = office::open(DocumentFormat::Doc, bytes)?;
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

/// Turns guessed headings into paragraphs. The crate makes headings of the first line and of lines in
/// capitals.
fn demote_guess(element: &mut Element, first: bool) {
    let Element::Heading(heading) = element else { return };
    let text = inline_to_text(&heading.content);
    let capitals = !text.chars().any(char::is_lowercase);
    if (first && heading.level == 1) || (capitals && heading.level <= 2) {
        let content = std::mem::take(&mut heading.content);
        *element = Element::Paragraph(Paragraph { content, ..Paragraph::default() });
    }
}
