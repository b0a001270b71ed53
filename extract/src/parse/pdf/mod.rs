//! PDF, page by page, in reading order, as Markdown.
//!
//! A page is rendered by `unpdf`; then lines that run along the edges of the pages are dropped
//! ([`running`]) and words that the typesetting broke are mended ([`mend`]).

mod lists;
mod mend;
mod running;
mod verdict;

use std::ops::ControlFlow;

use unpdf::render::BlockRenderer;
use unpdf::{
    Block, ErrorMode, Page, PageSelection, PageStreamOptions, ParseEvent, ParseOptions, PdfParser,
    RenderOptions,
};

use super::too_large;
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection};
use verdict::Signs;

/// Between two pages.
const PAGE_BREAK: &str = "\n\n";

/// The text of a PDF.
pub(super) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let parser = PdfParser::from_bytes_with_options(bytes, ParseOptions::new().sequential())
        .map_err(|error| verdict::of_error(&error))?;
    let renderer = BlockRenderer::new(RenderOptions::new());
    let mut signs = Signs::default();
    let mut title = None;
    let mut pages: Vec<String> = Vec::new();
    let mut size = 0;
    let streamed = parser.for_each_page(page_options(), |event| {
        match event {
            ParseEvent::DocumentStart { metadata, .. } => title = metadata.title.and_then(stated_title),
            ParseEvent::PageParsed(page) => {
                let text = mend::page(&render(&renderer, &page));
                signs.see(&page, &text);
                size += text.len();
                put(&mut pages, page.number, text);
            }
            ParseEvent::PageFailed { page, error } => {
                signs.fail(page, &error);
                put(&mut pages, page, String::new());
            }
            ParseEvent::Progress { .. } | ParseEvent::DocumentEnd { .. } => {}
        }
        if size > MAX_TEXT_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if size > MAX_TEXT_BYTES {
        return Err(too_large());
    }
    let quality = streamed.map_err(|error| verdict::of_error(&error))?;
    let notes = signs.judge(&quality)?;
    running::drop_lines(&mut pages);
    let (text, offsets) = join(&pages);
    Ok(Document {
        format: Format::Pdf,
        markup: Markup::Markdown,
        text,
        pages: offsets,
        title,
        notes,
        web: None,
    })
}

/// Every option by its name: the default of this type starts a pool of threads, one a processor,
/// and the child has little address space.
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

/// A title that a person gave: programs fill the field with what they are and with file names.
fn stated_title(title: String) -> Option<String> {
    let stated = title.trim().trim_start_matches("Microsoft Word - ");
    let blank =
        ["", "(anonymous)", "untitled", "unknown"].iter().any(|blank| stated.eq_ignore_ascii_case(blank));
    (!blank).then(|| stated.to_owned())
}

/// Pages arrive in order, and one that never arrives leaves a gap, so that page N is the Nth.
fn put(pages: &mut Vec<String>, number: u32, text: String) {
    // A damaged file may number its pages anyhow.
    let index = usize::try_from(number).unwrap_or_default().saturating_sub(1);
    if index >= pages.len() && index - pages.len() <= 1_000 {
        pages.resize(index, String::new());
    }
    pages.push(text);
}

/// The text of all pages, and where each begins, in characters.
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
    fn a_page_begins_where_its_first_character_is() {
        let pages = ["ä one\n".to_owned(), String::new(), "two".to_owned()];
        let (text, offsets) = join(&pages);
        assert_eq!(text, "ä one\n\ntwo");
        assert_eq!(offsets, [0, 5, 7]);
    }

    #[test]
    fn a_missing_page_leaves_a_gap() {
        let mut pages = Vec::new();
        put(&mut pages, 1, "one".to_owned());
        put(&mut pages, 3, "three".to_owned());
        assert_eq!(pages, ["one", "", "three"]);
    }
}
