//! PDF to Markdown, page by page, in reading order.
//!
//! `unpdf` renders each page, [`typography`] restores broken words, and [`running_headers`] drops headers
//! and footers.

mod lists;
mod quality;
mod running_headers;
mod typography;

use std::ops::ControlFlow;

use unpdf::render::BlockRenderer;
use unpdf::{
    Block, ErrorMode, Page, PageSelection, PageStreamOptions, ParseEvent, ParseOptions, PdfParser,
    RenderOptions,
};

use super::too_large;
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection};
use quality::Quality;

/// Separator of two pages.
const PAGE_BREAK: &str = "\n\n";

/// Extracts the text of a PDF.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let parser = PdfParser::from_bytes_with_options(bytes, ParseOptions::new().sequential())
        .map_err(|error| quality::rejection(&error))?;
    let renderer = BlockRenderer::new(RenderOptions::new());
    let mut quality = Quality::default();
    let mut title = None;
    let mut pages: Vec<String> = Vec::new();
    let mut size = 0;
    let streamed = parser.for_each_page(page_options(), |event| {
        match event {
            ParseEvent::DocumentStart { metadata, .. } => title = metadata.title.and_then(stated_title),
            ParseEvent::PageParsed(page) => {
                let text = typography::restore(&render(&renderer, &page));
                quality.add_page(&page, &text);
                size += text.len();
                push_page(&mut pages, page.number, text);
            }
            ParseEvent::PageFailed { page, error } => {
                quality.add_failure(page, &error);
                push_page(&mut pages, page, String::new());
            }
            ParseEvent::Progress { .. } | ParseEvent::DocumentEnd { .. } => {}
        }
        if size > MAX_TEXT_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if size > MAX_TEXT_BYTES {
        return Err(too_large());
    }
    let extraction = streamed.map_err(|error| quality::rejection(&error))?;
    let scanned_pages = quality.scans().to_vec();
    let notes = quality.notes(&extraction)?;
    running_headers::remove(&mut pages);
    let (text, offsets) = join(&pages);
    Ok(Document {
        format: Format::Pdf,
        markup: Markup::Markdown,
        text,
        pages: offsets,
        title,
        notes,
        scanned_pages,
        web: None,
    })
}

/// All options are set explicitly: the default starts a thread per CPU, and the child has little address
/// space.
fn page_options() -> PageStreamOptions {
    PageStreamOptions {
        error_mode: ErrorMode::Lenient,
        extract_text: true,
        extract_resources: false,
        min_image_dimension: 64,
        pages: PageSelection::All,
        password: None,
        parallel: false,
        suppress_low_confidence_ocr: true,
        window_size: 1,
        emit_progress_every: u32::MAX,
    }
}

fn render(renderer: &BlockRenderer, page: &Page) -> String {
    let mut text = String::new();
    let mut previous = None;
    for block in &page.elements {
        let list = if let Block::Table(table) = block { lists::lines(table) } else { None };
        text.push_str(&list.unwrap_or_else(|| renderer.render_block_after(previous, block)));
        previous = Some(block);
    }
    text
}

/// The title as a person wrote it: programs prefix their own name or use placeholders.
fn stated_title(title: String) -> Option<String> {
    let stated = title.trim().trim_start_matches("Microsoft Word - ");
    let blank =
        ["", "(anonymous)", "untitled", "unknown"].iter().any(|blank| stated.eq_ignore_ascii_case(blank));
    (!blank).then(|| stated.to_owned())
}

/// Appends a page. Pages arrive in order; a missing one leaves a blank page, so that page N is the Nth.
fn push_page(pages: &mut Vec<String>, number: u32, text: String) {
    // Page numbers of a damaged file are arbitrary.
    let index = usize::try_from(number).unwrap_or_default().saturating_sub(1);
    if index >= pages.len() && index - pages.len() <= 1_000 {
        pages.resize(index, String::new());
    }
    pages.push(text);
}

/// Joins the pages and returns the start of each, in characters.
fn join(pages: &[String]) -> (String, Vec<usize>) {
    let mut text = String::new();
    let mut characters = 0;
    let mut offsets = Vec::with_capacity(pages.len());
    for page in pages {
        let page = page.trim();
        if !text.is_empty() && !page.is_empty() {
            text.push_str(PAGE_BREAK);
            characters += PAGE_BREAK.len();
        }
        offsets.push(characters);
        text.push_str(page);
        characters += page.chars().count();
    }
    (text, offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_offsets_count_characters() {
        let pages = ["ä one\n".to_owned(), String::new(), "two".to_owned()];
        let (text, offsets) = join(&pages);
        assert_eq!(text, "ä one\n\ntwo");
        assert_eq!(offsets, [0, 5, 7]);
    }

    #[test]
    fn a_missing_page_leaves_a_gap() {
        let mut pages = Vec::new();
        push_page(&mut pages, 1, "one".to_owned());
        push_page(&mut pages, 3, "three".to_owned());
        assert_eq!(pages, ["one", "", "three"]);
    }
}
