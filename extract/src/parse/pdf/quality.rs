//! Text quality of a PDF: rejections for unusable text, notes for incomplete text.

use super::glyphs::OpenError;
use super::page::Page;
use crate::protocol::{Rejection, Verdict, name_pages};

/// Maximum share of undecoded characters on a page. Above it the text is garbled and not used.
const MAX_GARBAGE: f64 = 0.3;

/// Number of letters below which a page covered by an image is a scan with a stamp.
const SCAN_LETTERS: usize = 40;

/// Minimum share of the page that a scan covers.
const SCAN_COVERAGE: f32 = 0.5;

/// Letters per unreadable glyph above which the unreadable glyphs count as bullets and ornaments.
const LETTERS_PER_GLYPH: usize = 25;

/// Number of drawings above which the letters of a page without text are outlines.
const DRAWN_LETTERS: usize = 100;

/// Statistics over the pages.
#[derive(Default)]
pub(super) struct Quality {
    pages: usize,
    /// Letters on pages that are neither scans nor garbled, and the number of such pages.
    letters: usize,
    readable: usize,
    /// Pages that are images without text, for text recognition.
    scans: Vec<u32>,
    /// Pages whose text is unreadable, for text recognition.
    garbled: Vec<u32>,
    /// Pages of which some words are unreadable.
    incomplete: Vec<u32>,
    /// Pages whose letters are drawn as shapes.
    drawn: Vec<u32>,
    damaged: Vec<u32>,
}

impl Quality {
    /// Records a page and its text. False for a text that is garbled and must not be used.
    pub(super) fn add_page(&mut self, page: &Page, text: &str) -> bool {
        self.pages += 1;
        if page.damaged {
            self.damaged.push(page.number);
        }
        let letters = text.chars().filter(|character| character.is_alphanumeric()).count();
        let unreadable = page.suppressed + text.chars().filter(|character| is_undecoded(*character)).count();
        let covered = page.image_coverage >= SCAN_COVERAGE || (!page.images.is_empty() && letters == 0);
        if unreadable as f64 > MAX_GARBAGE * (letters + unreadable) as f64 {
            self.garbled.push(page.number);
            return false;
        }
        if covered && letters < SCAN_LETTERS {
            self.scans.push(page.number);
        } else {
            self.letters += letters;
            self.readable += usize::from(letters > 0);
            if letters == 0 && page.drawings > DRAWN_LETTERS {
                self.drawn.push(page.number);
            }
            if page.suppressed_words > 0 || unreadable * LETTERS_PER_GLYPH > letters {
                self.incomplete.push(page.number);
            }
        }
        true
    }

    /// Pages without readable text, in order.
    pub(super) fn unread_pages(&self) -> Vec<u32> {
        let mut pages = [self.scans.as_slice(), &self.garbled, &self.drawn].concat();
        pages.sort_unstable();
        pages
    }

    /// The notes for the owner, or the rejection of an unusable text.
    pub(super) fn notes(self) -> Result<Vec<String>, Rejection> {
        let scanned_pages = self.unread_pages();
        if self.letters == 0 {
            return Err(Rejection { scanned_pages, ..self.without_text() });
        }
        // A file is rejected only if more pages are garbled than readable.
        if self.garbled.len() > self.readable {
            return Err(Rejection { scanned_pages, ..garbled() });
        }
        let mut notes = Vec::new();
        let mut note = |pages: &[u32], what: &str| {
            if !pages.is_empty() {
                notes.push(format!("{}{what}", name_pages(pages)));
            }
        };
        note(&self.damaged, " could not be read completely.");
        note(
            &self.garbled,
            if self.garbled.len() == 1 {
                ": its fonts do not say which characters they show."
            } else {
                ": their fonts do not say which characters they show."
            },
        );
        note(
            &self.incomplete,
            ": some text is set in fonts that do not say which characters they show; it is missing.",
        );
        Ok(notes)
    }

    fn without_text(&self) -> Rejection {
        if !self.garbled.is_empty() {
            return garbled();
        }
        if !self.scans.is_empty() || !self.drawn.is_empty() {
            return Rejection::new(
                Verdict::ScannedNoText,
                "The pages of the file are images without text. Run text recognition (OCR) over it, or \
                 upload the document it was printed from.",
            );
        }
        if self.pages == 0 || !self.damaged.is_empty() {
            return damaged();
        }
        Rejection::new(Verdict::Empty, "The pages of the file have no text on them.")
    }
}

/// Maps an error of the reader to a rejection.
pub(super) fn rejection(error: OpenError) -> Rejection {
    match error {
        OpenError::Encrypted => encrypted(),
        OpenError::Damaged => damaged(),
    }
}

/// Whether a character is undecodable or in the private use area, whose meaning only the font of the file
/// has.
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
