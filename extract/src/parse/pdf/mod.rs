//! PDF to Markdown, page by page, in reading order.
//!
//! [`glyphs`] reads the characters and their places, [`layout`] makes lines, paragraphs, lists and tables of
//! them, and [`running_headers`] drops headers and footers.

mod glyphs;
mod layout;
mod page;
mod quality;
mod running_headers;

use super::{text, too_large};
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection};
use glyphs::Reader;
use page::Page;
use quality::Quality;

/// Separator of two pages.
const PAGE_BREAK: &str = "\n\n";

/// Number of glyphs after which the pages read so far are laid out, so that a long file needs little memory.
/// A book of 400 pages has a million.
const MAX_GLYPHS: usize = 1_000_000;

/// Maximum number of pages that are laid out at once.
const MAX_PAGES: usize = 5_000;

/// Extracts the text of a PDF.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let reader = Reader::open(bytes).map_err(quality::rejection)?;
    let mut quality = Quality::default();
    let mut texts: Vec<String> = Vec::new();
    let mut batch: Vec<Page> = Vec::new();
    let (mut glyphs, mut size) = (0, 0);
    reader.for_each(|page| {
        glyphs += page.glyphs.len();
        batch.push(page);
        if glyphs >= MAX_GLYPHS || batch.len() >= MAX_PAGES {
            size += lay_out(&mut batch, &mut texts, &mut quality);
            glyphs = 0;
        }
        size <= MAX_TEXT_BYTES
    });
    size += lay_out(&mut batch, &mut texts, &mut quality);
    if size > MAX_TEXT_BYTES {
        return Err(too_large());
    }
    let scanned_pages = quality.unread_pages();
    let notes = quality.notes()?;
    running_headers::remove(&mut texts);
    let (text, offsets) = join(&texts);
    let title = stated_title(&reader.title());
    let document = Document::new(Format::Pdf, Markup::Markdown, text);
    Ok(Document { pages: offsets, title, notes, scanned_pages, ..document })
}

/// Lays out the pages of a batch, empties it, and returns the size of their text in bytes.
fn lay_out(batch: &mut Vec<Page>, texts: &mut Vec<String>, quality: &mut Quality) -> usize {
    let laid_out = layout::render(batch);
    let mut size = 0;
    for (page, text) in batch.iter().zip(laid_out) {
        let text = if quality.add_page(page, &text) { text } else { String::new() };
        size += text.len();
        texts.push(text::clean(&text));
    }
    batch.clear();
    size
}

/// The title without the additions of programs, which prefix their name or use placeholders.
fn stated_title(title: &str) -> Option<String> {
    let stated = title.trim().trim_start_matches("Microsoft Word - ");
    let blank =
        ["", "(anonymous)", "untitled", "unknown"].iter().any(|blank| stated.eq_ignore_ascii_case(blank));
    (!blank).then(|| stated.to_owned())
}

/// Joins the pages and returns the start of each, in characters.
fn join(pages: &[String]) -> (String, Vec<usize>) {
    let mut text = String::new();
    let mut characters = 0;
    let mut offsets = Vec::with_capacity(pages.len());
    for page in pages {
        let page = page.trim();
        if goes_on(&text, page) {
            // Only the last line is joined, because the text may be long.
            let mut line = text.split_off(text.rfind('\n').map_or(0, |at| at + 1));
            characters -= line.chars().count();
            layout::join(&mut line, page);
            let joined = line.len() - page.len();
            characters += line.get(..joined).map_or(0, |line| line.chars().count());
            offsets.push(characters);
            characters += page.chars().count();
            text.push_str(&line);
            continue;
        }
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

/// Minimum length of the last line of a page whose sentence continues on the next page, in bytes.
const MIN_OPEN_LINE: usize = 60;

/// Whether the last sentence of a page continues at the top of the next one.
fn goes_on(text: &str, page: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let starts = |line: &str, test: fn(char) -> bool| line.starts_with(test);
    let open = last.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ',' | '-' | '\u{ad}'));
    open && last.len() >= MIN_OPEN_LINE
        && starts(last, char::is_alphabetic)
        && starts(page, char::is_lowercase)
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
    fn a_sentence_goes_on_at_the_next_page() {
        let line = "In the winter of that year, as everybody still knows today, the ware-";
        let pages = [format!("# Öl\n\n{line}"), "house was full.".to_owned(), "and more".to_owned()];
        let (text, offsets) = join(&pages);
        assert!(text.ends_with("today, the warehouse was full.\n\nand more"), "{text}");
        let start: String = text.chars().skip(offsets[1]).collect();
        assert!(start.starts_with("house was"), "{start}");
    }
}
