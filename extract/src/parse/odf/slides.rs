//! Slides of an OpenDocument presentation to Markdown. Each slide is a page.

use super::body::Body;
use super::styles::Styles;
use crate::parse::xml::Node;
use crate::parse::{markdown, text};
use crate::protocol::{Document, Format, Markup};

/// Frames that repeat on each slide.
const RUNNING: [&str; 5] = ["date-time", "footer", "header", "page-number", "page"];

pub(super) fn read(presentation: Option<&Node>, styles: &Styles) -> Document {
    let mut document = Document::new(Format::Odp, Markup::Markdown, String::new());
    let (mut characters, mut hidden) = (0, 0);
    let slides = presentation.into_iter().flat_map(Node::elements).filter(|node| node.name == "draw:page");
    for (index, page) in slides.enumerate() {
        let slide = if styles.hides(page.attribute("draw:style-name")) {
            hidden += 1;
            String::new()
        } else {
            let slide = slide(page, styles, index + 1);
            markdown::unescape(&text::clean(&slide))
        };
        let separator = if slide.is_empty() || document.text.is_empty() { "" } else { "\n\n" };
        document.text.push_str(separator);
        characters += separator.len();
        document.pages.push(characters);
        characters += slide.chars().count();
        document.text.push_str(&slide);
    }
    if hidden > 0 {
        document.notes.push(format!("Hidden slides were not read: {hidden}."));
    }
    document
}

fn slide(page: &Node, styles: &Styles, number: usize) -> String {
    let class = |node: &Node| node.attribute("presentation:class").unwrap_or_default().to_owned();
    let mut body = Body::new(styles);
    let title = page.elements().find(|frame| class(frame) == "title");
    let heading = title.map(|title| text::line(&title.text())).filter(|title| !title.is_empty());
    body.blocks.heading(2, &heading.unwrap_or_else(|| format!("Slide {number}")));
    let before = body.blocks.len();
    for frame in page.elements() {
        let class = class(frame);
        if class != "title" && !RUNNING.contains(&class.as_str()) && frame.name != "presentation:notes" {
            body.read(frame);
        }
    }
    let notes = page.child("presentation:notes").into_iter().flat_map(Node::elements);
    let mut spoken = Body::new(styles);
    notes.filter(|frame| class(frame) == "notes").for_each(|frame| spoken.read(frame));
    let spoken = spoken.finish();
    if !spoken.is_empty() {
        body.blocks.paragraph(&format!("Notes: {spoken}"));
    }
    if title.is_none() && body.blocks.len() == before {
        return String::new();
    }
    body.finish()
}
