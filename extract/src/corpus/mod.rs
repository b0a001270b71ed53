//! Files to test with, honest and hostile, made in code: the same bytes each time, and no program
//! but this one needed. For tests only; no file is written.

mod honest;
mod hostile;
mod ole;
mod pdf;
mod word;

pub use honest::honest;
pub use hostile::hostile;
pub use word::Block;

use crate::protocol::Verdict;

/// A file and what is to become of it.
pub struct Sample {
    /// Its name, as if it were uploaded.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// What is to become of it.
    pub expect: Expect,
}

/// What is to become of a file.
#[derive(Clone, Debug)]
pub enum Expect {
    /// Text that holds these phrases, in this order.
    Text(Vec<&'static str>),
    /// One of these verdicts.
    Verdict(&'static [Verdict]),
    /// Text or a verdict, but an end.
    Anything,
}

impl Sample {
    fn new(name: &str, bytes: impl Into<Vec<u8>>, expect: Expect) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into(), expect }
    }

    fn text(name: &str, bytes: impl Into<Vec<u8>>, phrases: &[&'static str]) -> Self {
        Self::new(name, bytes, Expect::Text(phrases.to_vec()))
    }

    fn fails(name: &str, bytes: impl Into<Vec<u8>>, verdicts: &'static [Verdict]) -> Self {
        Self::new(name, bytes, Expect::Verdict(verdicts))
    }

    fn ends(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(name, bytes, Expect::Anything)
    }
}

/// A PDF of these pages, in Latin script. A line that begins with `# ` or `## ` is a heading.
#[must_use]
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    pdf::of_pages(pages, None)
}

/// A PDF of these pages, each with a header, this name, and a footer, which counts the pages.
#[must_use]
pub fn pdf_with_running_lines(name: &str, pages: &[&str]) -> Vec<u8> {
    pdf::of_pages(pages, Some(name))
}

/// A Word document of these blocks.
#[must_use]
pub fn docx(blocks: &[Block<'_>]) -> Vec<u8> {
    word::docx(blocks)
}

/// A Word 97 document of these paragraphs.
#[must_use]
pub fn doc(paragraphs: &[&str]) -> Vec<u8> {
    ole::doc(paragraphs)
}

/// A table, written as RFC 4180 says.
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

/// A web page with a title and this body.
#[must_use]
pub fn html(title: &str, body: &str) -> Vec<u8> {
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><title>{title}</title></head><body>{body}</body></html>"
    )
    .into_bytes()
}

/// Bytes without any order, the same each time.
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
