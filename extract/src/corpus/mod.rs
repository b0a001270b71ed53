//! Test files, valid and hostile, generated in code.
//!
//! Deterministic, and independent of other programs. For tests only; must never write a file.

pub mod drawn;
mod hostile;
mod ole;
mod packages;
mod pdf;
mod valid;
mod valid_packages;
mod word;

pub use hostile::hostile;
pub use ole::RichDoc;
pub use valid::valid;
pub use word::Block;

use crate::protocol::Verdict;

/// A test file and its expected outcome.
pub struct Sample {
    /// File name, as uploaded.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// Expected outcome.
    pub expect: Expect,
}

/// Expected outcome of an extraction.
#[derive(Clone, Debug)]
pub enum Expect {
    /// Text that contains these phrases, in this order.
    Text(Vec<&'static str>),
    /// One of these verdicts.
    Verdict(&'static [Verdict]),
    /// Any outcome, within the time limit.
    Anything,
}

impl Sample {
    fn new(name: &str, bytes: impl Into<Vec<u8>>, expect: Expect) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into(), expect }
    }

    fn text(name: &str, bytes: impl Into<Vec<u8>>, phrases: &[&'static str]) -> Self {
        Self::new(name, bytes, Expect::Text(phrases.to_vec()))
    }

    fn rejected(name: &str, bytes: impl Into<Vec<u8>>, verdicts: &'static [Verdict]) -> Self {
        Self::new(name, bytes, Expect::Verdict(verdicts))
    }

    fn any(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(name, bytes, Expect::Anything)
    }
}

/// A PDF of these pages, in Latin script. Lines that start with `# ` or `## ` are headings.
#[must_use]
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    pdf::of_pages(pages, None)
}

/// A PDF of these pages, each with `name` as the header and the page number in the footer.
#[must_use]
pub fn pdf_with_running_lines(name: &str, pages: &[&str]) -> Vec<u8> {
    pdf::of_pages(pages, Some(name))
}

/// A DOCX document of these blocks.
#[must_use]
pub fn docx(blocks: &[Block<'_>]) -> Vec<u8> {
    word::docx(blocks)
}

/// A DOCX document with the XML of its body, of further parts (`styles`, `numbering`, `footnotes`,
/// `endnotes`, `comments`) and the targets of links by identifier.
#[must_use]
pub fn docx_of(body: &str, parts: &[(&str, &str)], links: &[(&str, &str)]) -> Vec<u8> {
    word::of_parts(body, parts, links)
}

/// A Word 97 document (DOC) of these paragraphs.
#[must_use]
pub fn doc(paragraphs: &[&str]) -> Vec<u8> {
    ole::doc(paragraphs)
}

/// A Word 97 document (DOC) with properties.
#[must_use]
pub fn rich_doc(doc: &RichDoc<'_>) -> Vec<u8> {
    ole::rich(doc)
}

/// A CSV file as in RFC 4180.
#[must_use]
pub fn csv(rows: &[&[&str]]) -> Vec<u8> {
    let cell = |cell: &&str| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            (*cell).to_owned()
        }
    };
    let row = |row: &&[&str]| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n";
    rows.iter().map(row).collect::<String>().into_bytes()
}

/// An XLSX workbook with a sheet of this XML: rows, and the elements after them.
#[must_use]
pub fn xlsx(sheet: &str) -> Vec<u8> {
    packages::xlsx(&[("Sheet", "", sheet)])
}

/// A PPTX presentation with a slide of this title and this XML text, and speaker notes.
#[must_use]
pub fn pptx(title: &str, text: &str, notes: &str) -> Vec<u8> {
    packages::pptx(&[(title, &[text], notes, "")])
}

/// An OpenDocument file of a kind ("text", "spreadsheet", "presentation") with this XML as its body.
#[must_use]
pub fn open_document(kind: &str, body: &str) -> Vec<u8> {
    packages::open_document(kind, "", body)
}

/// An EPUB e-book with a chapter of this XHTML.
#[must_use]
pub fn epub(chapter: &str) -> Vec<u8> {
    packages::epub(&[("extra.xhtml", ""), ("chapter.xhtml", chapter)])
}

/// A web page with this title and body.
#[must_use]
pub fn html(title: &str, body: &str) -> Vec<u8> {
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><title>{title}</title></head><body>{body}</body></html>"
    )
    .into_bytes()
}

/// Pseudo-random bytes, the same on every call.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The first half of a file.
fn half(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}
