//! Tests of structure and metadata in replies: pages, titles, notes, links.

use parlance_extract::corpus::{Block, docx, html, pdf, pdf_with_running_lines};
use parlance_extract::protocol::{Document, Format, Markup, Request, Verdict};

use crate::child::extract;

fn named(name: &str) -> Request {
    Request { name: Some(name.to_owned()), ..Request::default() }
}

fn document(name: &str, bytes: &[u8]) -> Document {
    extract(&named(name), bytes).reply.unwrap()
}

#[test]
fn pdf_page_offsets_point_at_page_starts() {
    let document = document("a.pdf", &pdf(&["Größe of one.", "", "Words of three."]));
    let text: Vec<char> = document.text.chars().collect();
    let at = |page: usize| text[document.pages[page]..].iter().collect::<String>();
    assert_eq!(document.pages.len(), 3, "{document:?}");
    assert!(at(0).starts_with("Größe of one."));
    assert!(at(2).starts_with("Words of three."));
    assert_eq!((document.format, document.markup), (Format::Pdf, Markup::Markdown));
}

#[test]
fn running_headers_and_footers_are_dropped() {
    let pages = ["Apples are red.", "Pears are green.", "Plums are blue.", "Figs are brown."];
    let text = document("a.pdf", &pdf_with_running_lines("ACME Handbook", &pages)).text;
    assert_eq!(text, "Apples are red.\n\nPears are green.\n\nPlums are blue.\n\nFigs are brown.");
}

#[test]
fn a_word_header_is_not_part_of_the_text() {
    let document = document("a.docx", &docx(&[Block::Heading(1, "Title"), Block::Paragraph("Words.")]));
    assert_eq!(document.text, "# Title\n\nWords.");
}

#[test]
fn a_misleading_file_name_is_reported() {
    let read = document("report.txt", &pdf(&["Words."]));
    assert_eq!(read.notes, ["The file is named report.txt but holds a PDF document. It was read as such."]);
    let refused = extract(&named("report.pdf"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").reply.unwrap_err();
    assert_eq!(refused.verdict, Verdict::UnsupportedType);
    assert!(refused.message.starts_with("The file is named report.pdf but holds a PNG image. Upload"));
}

#[test]
fn web_page_links_are_absolute() {
    let request = Request {
        media_type: Some("text/html; charset=utf-8".to_owned()),
        url: Some("https://example.org/a/".to_owned()),
        ..Request::default()
    };
    let page = html("Title", "<p>Words and <a href=b#c>a link</a>.");
    let document = extract(&request, &page).reply.unwrap();
    assert_eq!(document.title.as_deref(), Some("Title"));
    assert_eq!(document.web.unwrap().links, ["https://example.org/a/b"]);
    assert_eq!(document.text, "# Title\n\nWords and [a link](https://example.org/a/b#c).");
    assert_eq!(document.notes, [""; 0]);
}

/// Saved by LibreOffice 7.4: the corpus writer does not support Word 97 styles and lists.
const LIBREOFFICE_DOC: &[u8] = include_bytes!("../fixtures/libreoffice.doc");

#[test]
fn a_word_97_document_keeps_headings_lists_and_tables() {
    let text = document("terms.doc", LIBREOFFICE_DOC).text;
    for kept in [
        "# Terms of trade\n",
        "within thirty days; Grüße.",
        "## Prices\n",
        "Small costs ten\n",
        "1. Order\n2. Pay\n",
        "| Small | 10 |",
        "The end.",
    ] {
        assert!(text.contains(kept), "{kept:?} in {text}");
    }
    assert!(!text.contains("running header"));
}
