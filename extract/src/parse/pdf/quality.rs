//! Text quality of a PDF: rejections for unusable text, notes for incomplete text.

use unpdf::{Error, ExtractionQuality, Page};

use crate::protocol::{Rejection, Verdict, name_pages};

/// Maximum share of undecodable characters. Above it the text is garbled.
const MAX_GARBAGE: f64 = 0.3;

/// A page covered by an image, with fewer letters than this, is a stamped scan.
const SCAN_LETTERS: usize = 40;

/// Minimum share of the page that a scan covers.
const SCAN_COVERAGE: f32 = 0.5;

/// Letters per unreadable string above which the unreadable strings are taken for bullets and ornaments.
const LETTERS_PER_RUN: usize = 100;

/// Statistics over the pages.
#[derive(Default)]
pub(super) struct Quality {
    letters: usize,
    replaced: usize,
    /// Letters on pages that are not scans.
    letters_of_text_pages: usize,
    unreadable_runs: usize,
    drawn_glyphs: bool,
    images: bool,
    pages: usize,
    scans: Vec<u32>,
    failed: Vec<u32>,
    failed_encrypted: bool,
}

impl Quality {
    /// Records a page and its text.
    pub(super) fn add_page(&mut self, page: &Page, text: &str) {
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

    /// Records an unreadable page.
    pub(super) fn add_failure(&mut self, page: u32, error: &Error) {
        self.pages += 1;
        self.failed.push(page);
        self.failed_encrypted |= matches!(error, Error::Encrypted | Error::InvalidPassword);
    }

    /// Pages that are images without text.
    pub(super) fn scans(&self) -> &[u32] {
        &self.scans
    }

    /// The notes for the owner, or the rejection of an unusable text.
    pub(super) fn notes(self, quality: &ExtractionQuality) -> Result<Vec<String>, Rejection> {
        if self.letters_of_text_pages == 0 {
            return Err(self.without_text(quality));
        }
        if self.replaced as f64 > MAX_GARBAGE * (self.letters + self.replaced) as f64
            || self.unreadable_runs > self.letters
        {
            return Err(garbled());
        }
        let mut notes = Vec::new();
        if quality.pages_incomplete {
            notes.push("The file is damaged: some of its pages are missing from the text.".to_owned());
        }
        if !self.failed.is_empty() {
            notes.push(format!("{} could not be read completely.", name_pages(&self.failed)));
        }
        if self.unreadable_runs * LETTERS_PER_RUN > self.letters {
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
            let scanned = Rejection::new(
                Verdict::ScannedNoText,
                "The pages of the file are images without text. Run text recognition (OCR) over it, or \
                 upload the document it was printed from.",
            );
            return Rejection { scanned_pages: self.scans.clone(), ..scanned };
        }
        if self.pages == 0 || !self.failed.is_empty() || quality.pages_incomplete {
            return damaged();
        }
        Rejection::new(Verdict::Empty, "The pages of the file have no text on them.")
    }
}

/// Maps a parser error to a rejection.
pub(super) fn rejection(error: &Error) -> Rejection {
    match error {
        Error::Encrypted | Error::InvalidPassword => encrypted(),
        _ => damaged(),
    }
}

/// Undecodable characters and those of the private use area, which only the file's font can show.
fn is_undecoded(character: char) -> bool {
    matches!(character, char::REPLACEMENT_CHARACTER | '\u{e000}'..='\u{f8ff}')
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
