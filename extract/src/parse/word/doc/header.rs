//! The file information block, with the offsets of the other structures (\[MS-DOC\] 2.5).

use super::bytes::{slice, u16_at, u32_at};

/// Mark of files of Word 97 and later.
const WORD_97: u16 = 0xa5ec;

/// Offset of the first pair of offset and length, `fcStshfOrig`.
const PAIRS: usize = 0x9a;

/// Structures by their index among the pairs (\[MS-DOC\] 2.5.6).
#[derive(Clone, Copy)]
pub(super) enum Part {
    Styles = 1,
    FootnoteReferences = 2,
    FootnoteTexts = 3,
    CharacterPages = 12,
    ParagraphPages = 13,
    Fonts = 15,
    Pieces = 33,
    Anchors = 40,
    EndnoteReferences = 46,
    EndnoteTexts = 47,
    TextBoxes = 56,
    Lists = 73,
    ListOverrides = 74,
}

/// The header of a document.
pub(super) struct Header {
    /// Whether the table stream is `1Table`.
    pub(super) second_table: bool,
    /// Language of the document. It determines the code page of 8-bit text.
    pub(super) language: u16,
    /// Lengths of the stories in characters, in their order in the text: main text, footnotes, headers,
    /// comments, endnotes, text boxes.
    pub(super) stories: [u32; 6],
}

impl Header {
    /// Reads the header. None if the document is encrypted or of another version.
    pub(super) fn read(main: &[u8]) -> Option<Self> {
        let flags = u16_at(main, 0x0a)?;
        let encrypted = flags & 0x0100 != 0;
        if u16_at(main, 0)? != WORD_97 || encrypted {
            return None;
        }
        let length = |at| u32_at(main, at);
        Some(Self {
            second_table: flags & 0x0200 != 0,
            language: u16_at(main, 6)?,
            stories: [
                length(0x4c)?,
                length(0x50)?,
                length(0x54)?,
                length(0x5c)?,
                length(0x60)?,
                length(0x64)?,
            ],
        })
    }

    /// A structure in the table stream.
    pub(super) fn part<'a>(&self, main: &[u8], table: &'a [u8], part: Part) -> &'a [u8] {
        let at = PAIRS + part as usize * 8;
        match (u32_at(main, at), u32_at(main, at + 4)) {
            (Some(offset), Some(length)) => slice(table, offset as usize, length as usize),
            _ => &[],
        }
    }

    /// A structure and the rest of the table stream, for structures whose length excludes their tail.
    pub(super) fn part_and_rest<'a>(&self, main: &[u8], table: &'a [u8], part: Part) -> &'a [u8] {
        let at = PAIRS + part as usize * 8;
        match (u32_at(main, at), u32_at(main, at + 4)) {
            (Some(offset), Some(length)) if length > 0 => table.get(offset as usize..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Position of the first character of a story.
    pub(super) fn start(&self, story: usize) -> u32 {
        self.stories.iter().take(story).fold(0, |sum: u32, length| sum.saturating_add(*length))
    }
}
