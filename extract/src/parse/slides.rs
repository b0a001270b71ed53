//! Presentations (PPTX and PPT) to Markdown. Each slide is a page that starts with its title.
//!
//! Speaker notes follow their slide. Hidden slides and comments of reviewers are left out.

use office_oxide::DocumentFormat;
use office_oxide::ir::{DocumentIR, Element, Heading, InlineContent, Paragraph, Section, TextSpan};

use super::{markdown, office, text};
use crate::protocol::{Document, Format, Markup, Rejection};

/// Placeholders that repeat on each slide.
const RUNNING: [&str; 4] = ["dt", "ftr", "sldNum", "hdr"];

/// Extracts the text of a presentation.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Document, Rejection> {
    let office_format = if format == Format::Pptx { DocumentFormat::Pptx } else { DocumentFormat::Ppt };
    let office = office::open(office_format, bytes)?;
    let mut notes = office::losses(&office);
    let ir = office.to_ir();
    let title = ir.metadata.title.as_deref().map(text::line);
    let (mut written, mut pages, mut hidden) = (String::new(), Vec::new(), 0);
    let mut characters = 0;
    for (index, section) in ir.sections.into_iter().enumerate() {
        pages.push(characters);
        if section.hidden {
            hidden += 1;
            continue;
        }
        let slide = slide(section, index + 1);
        if slide.is_empty() {
            continue;
        }
        let separator = if written.is_empty() { "" } else { "\n\n" };
        characters += separator.len();
        if let Some(page) = pages.last_mut() {
            *page = characters;
        }
        characters += slide.chars().count();
        written.push_str(separator);
        written.push_str(&slide);
    }
    if hidden > 0 {
        notes.push(format!("Hidden slides were not read: {hidden}."));
    }
    if written.is_empty() && !notes.is_empty() && hidden == 0 {
        return Err(office::damaged());
    }
    Ok(Document { pages, title, notes, ..Document::new(format, Markup::Markdown, written) })
}

/// The Markdown of a slide, or nothing for a slide without text.
fn slide(mut section: Section, number: usize) -> String {
    let notes = section.speaker_notes.take().unwrap_or_default();
    let mut elements = std::mem::take(&mut section.elements);
    elements.retain(|element| !is_running(element));
    let titled = elements.iter().any(|element| matches!(element, Element::Heading(_)));
    let mut written = render(elements);
    let mut spoken = render(notes);
    if spoken.chars().all(|character| !character.is_alphabetic()) {
        // A notes page without notes has only the number of its slide.
        spoken.clear();
    }
    if written.is_empty() && spoken.is_empty() {
        return String::new();
    }
    if !titled {
        let title = Element::Heading(Heading {
            level: 2,
            content: words(&format!("Slide {number}")),
            ..Heading::default()
        });
        written = [render(vec![title]), written].join("\n\n").trim_end().to_owned();
    }
    if !spoken.is_empty() {
        written = format!("{written}\n\nNotes: {spoken}");
    }
    written
}

fn render(elements: Vec<Element>) -> String {
    let section = Section { elements, ..Section::default() };
    let ir = DocumentIR { sections: vec![section], ..DocumentIR::default() };
    markdown::unescape(&text::clean(&ir.to_markdown())).trim().to_owned()
}

fn is_running(element: &Element) -> bool {
    match element {
        Element::Paragraph(Paragraph { placeholder_role: Some(role), .. }) => {
            RUNNING.contains(&role.as_str())
        }
        Element::Endnote(_) | Element::Image(_) => true,
        Element::TextBox(frame) => !frame.content.is_empty() && frame.content.iter().all(is_running),
        _ => false,
    }
}

fn words(text: &str) -> Vec<InlineContent> {
    vec![InlineContent::Text(TextSpan::plain(text))]
}
