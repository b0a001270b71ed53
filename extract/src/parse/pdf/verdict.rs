//! What a PDF without text, or with text that is none, is called, and what its owner should know.

use unpdf::{Error, ExtractionQuality, Page};

use crate::protocol::{Rejection, Verdict};

/// Above this share of characters that could not be decoded, a text is garbled.
const MOST_GARBAGE: f64 = 0.3;

/// A page that an image covers, with fewer letters than this, is a scan with a stamp on it.
const SCAN_LETTERS: usize = 40;

/// How much of a page a scan covers.
const SCAN_COVERAGE: f32 = 0.5;

/// Fewer unreadable strings than one for so many letters are bullets and ornaments.
const LETTERS_A_RUN: usize = 100;

/// How many pages a note names.
const NAMED_PAGES: usize = 10;

/// What the pages showed, one after another.
#[derive(Default)]
pub(super) struct Signs {
    letters: usize,
    replaced: usize,
    /// Letters on pages that are no scans.
    letters_of_text_pages: usize,
    unreadable_runs: usize,
    drawn_glyphs: bool,
    images: bool,
    pages: usize,
    scans: Vec<u32>,
    failed: Vec<u32>,
    failed_encrypted: bool,
}

impl Signs {
    /// Takes a page and its text into account.
    pub(super) fn see(&mut self, page: &Page, text: &str) {
        let letters = text.chars().filter(|character| character.is_alphanumeric()).count();
        self.pages += 1;
        self.letters += letters;
        self.replaced += text.chars().filter(|character| is_undecoded(*character)).count();
        self.unreadable_runs += page.suppressed_text_runs;
        self.drawn_glyphs |= page.fill_op_count > 100 && page.text_op_count == 0;
        self.images |= page.image_op_count > 0;
        let covered = page.image_coverage >= SCAN_COVERAGE || (page.image_op_count > 0 && letters == 0);
        if covered && letters < SCAN_LETTERS {
            self.scans.push(page.number);
        } else {
            self.letters_of_text_pages += letters;
        }
        if page.undecodable_content_streams > 0 {
            self.failed.push(page.number);
        }
    }

    /// Takes a page that could not be read into account.
    pub(super) fn fail(&mut self, page: u32, error: &Error) {
        self.pages += 1;
        self.failed.push(page);
        self.failed_encrypted |= matches!(error, Error::Encrypted | Error::InvalidPassword);
    }

    /// The notes for the owner, or why there is no text.
    pub(super) fn judge(self, quality: &ExtractionQuality) -> Result<Vec<String>, Rejection> {
        if self.letters_of_text_pages == 0 {
            return Err(self.without_text(quality));
        }
        if self.replaced as f64 > MOST_GARBAGE * (self.letters + self.replaced) as f64
            || self.unreadable_runs > self.letters
        {
            return Err(garbled());
        }
        let mut notes = Vec::new();
        if quality.pages_incomplete {
            notes.push("The file is damaged: some of its pages are missing from the text.".to_owned());
        }
        if !self.failed.is_empty() {
            notes.push(format!("{} could not be read completely.", named(&self.failed)));
        }
        if !self.scans.is_empty() {
            notes.push(format!("{}: images without text, which were not read.", named(&self.scans)));
        }
        if self.unreadable_runs * LETTERS_A_RUN > self.letters {
            notes.push(
                "Some text is set in fonts that do not say which characters they show; it is missing."
                    .to_owned(),
            );
        }
        Ok(notes)
    }

    fn without_text(&self, quality: &ExtractionQuality) -> Rejection {
        if self.failed_encrypted {
            return encrypted();
        }
        if self.unreadable_runs > 0 {
            return garbled();
        }
        if !self.scans.is_empty() || self.images || quality.is_scan_pdf || self.drawn_glyphs {
            return Rejection::new(
                Verdict::ScannedNoText,
                "The pages of the file are images without text. Run text recognition (OCR) over it, or \
                 upload the document it was printed from.",
            );
        }
        if self.pages == 0 || !self.failed.is_empty() || quality.pages_incomplete {
            return damaged();
        }
        Rejection::new(Verdict::Empty, "The pages of the file have no text on them.")
    }
}

/// The rejection that an error of the parser means.
pub(super) fn of_error(error: &Error) -> Rejection {
    match error {
        Error::Encrypted | Error::InvalidPassword => encrypted(),
        _ => damaged(),
    }
}

/// What could not be decoded, and what only the file's own font could show.
fn is_undecoded(character: char) -> bool {
    matches!(character, char::REPLACEMENT_CHARACTER | '\u{e000}'..='\u{f8ff}')
}

fn named(pages: &[u32]) -> String {
    let mut names: Vec<String> = pages.iter().take(NAMED_PAGES).map(ToString::to_string).collect();
    if pages.len() > NAMED_PAGES {
        names.push(format!("{} more", pages.len() - NAMED_PAGES));
    }
    let word = if pages.len() == 1 { "Page" } else { "Pages" };
    format!("{word} {}", names.join(", "))
}

fn encrypted() -> Rejection {
    Rejection::new(
        Verdict::Encrypted,
        "The file is locked with a password. Remove the password and upload it again.",
    )
}

fn garbled() -> Rejection {
    Rejection::new(
        Verdict::GarbledText,
        "The fonts of the file do not say which characters they show, so its text cannot be read. Upload the \
         document it was printed from, or run text recognition (OCR) over it.",
    )
}

fn damaged() -> Rejection {
    Rejection::new(
        Verdict::Corrupt,
        "The file is damaged. Upload it again, or save it again from the program that made it.",
    )
}
