//! Reader of DOC documents of Word 97 and later (\[MS-DOC\]), over the streams of the compound file.
//!
//! `office_oxide` reads older versions ([`old`]) and provides the reasons for refusing a file.

mod bytes;
mod forms;
mod header;
mod lists;
mod notes;
mod old;
mod pieces;
mod properties;
mod spans;
mod story;
mod styles;
mod tables;

use std::collections::{HashMap, VecDeque};
use std::io::Cursor;
use std::ops::Range;

use office_oxide::cfb::{CfbReader, parse_summary_information};

use self::header::{Header, Part};
use self::lists::Lists;
use self::notes::Notes;
use self::pieces::Text;
use self::properties::Runs;
use self::styles::Styles;
use super::fields::Fields;
use super::model::Block;
use super::write::Writer;
use super::{Losses, Read};
use crate::protocol::Rejection;

/// Stories of a document by their order in the text.
const FOOTNOTES: usize = 1;
const ENDNOTES: usize = 4;
const TEXT_BOXES: usize = 5;

/// Reads a DOC document.
pub(super) fn read(bytes: &[u8]) -> Result<Read, Rejection> {
    let mut read = match read_97(bytes) {
        Some(read) => read,
        None => old::read(bytes)?,
    };
    read.title = title(bytes).or(read.title);
    Ok(read)
}

/// The title among the properties of the file.
fn title(bytes: &[u8]) -> Option<String> {
    let mut file = CfbReader::new(Cursor::new(bytes)).ok()?;
    let summary = file.open_stream("\u{5}SummaryInformation").ok()?;
    parse_summary_information(&summary)?.title.filter(|title| !title.trim().is_empty())
}

/// Reads a document of Word 97 or later. None for another version, or if damage makes all text unreadable.
fn read_97(bytes: &[u8]) -> Option<Read> {
    let mut file = CfbReader::new(Cursor::new(bytes)).ok()?;
    let main = file.open_stream("WordDocument").ok()?;
    let header = Header::read(&main)?;
    let names = if header.second_table { ["1Table", "0Table"] } else { ["0Table", "1Table"] };
    let table = names.iter().find_map(|name| file.open_stream(name).ok())?;
    let data = file.open_stream("Data").unwrap_or_default();
    let mut reader = Reader::new(main, &table, data, header)?;
    reader.read_main();
    let losses = Losses { cut: reader.text.cut, deep: reader.deep, parts: false };
    let (text, title) = reader.writer.finish();
    Some(Read { text, title, losses })
}

/// The state of reading one document.
struct Reader {
    main: Vec<u8>,
    data: Vec<u8>,
    header: Header,
    text: Text,
    paragraphs: Runs,
    characters: Runs,
    styles: Styles,
    fonts: Vec<String>,
    lists: Lists,
    notes: Notes,
    /// Position of the anchor and range of the text of each text box, sorted.
    text_boxes: VecDeque<(usize, Range<usize>)>,
    fields: Fields,
    writer: Writer,
    /// Properties that styles give to paragraphs.
    known_styles: HashMap<u16, properties::Paragraph>,
    depth: usize,
    deep: bool,
}

impl Reader {
    fn new(main: Vec<u8>, table: &[u8], data: Vec<u8>, header: Header) -> Option<Self> {
        let part = |part| header.part(&main, table, part);
        let text = Text::read(&main, part(Part::Pieces), header.language, header.start(1))?;
        let paragraphs = Runs::read(&main, part(Part::ParagraphPages), true);
        let characters = Runs::read(&main, part(Part::CharacterPages), false);
        let styles = Styles::read(part(Part::Styles));
        let fonts = styles::fonts(part(Part::Fonts));
        let rest = |part| header.part_and_rest(&main, table, part);
        let lists = Lists::read(rest(Part::Lists), rest(Part::ListOverrides));
        let notes = Notes::read(
            [part(Part::FootnoteReferences), part(Part::EndnoteReferences)],
            [part(Part::FootnoteTexts), part(Part::EndnoteTexts)],
            [header.start(FOOTNOTES), header.start(ENDNOTES)],
        );
        let text_boxes =
            notes::text_boxes(part(Part::Anchors), part(Part::TextBoxes), header.start(TEXT_BOXES) as usize);
        Some(Self {
            text,
            paragraphs,
            characters,
            styles,
            fonts,
            lists,
            notes,
            text_boxes,
            fields: Fields::default(),
            writer: Writer::default(),
            known_styles: HashMap::new(),
            depth: 0,
            deep: false,
            main,
            data,
            header,
        })
    }

    /// Reads the main text, then the text boxes without a position in it.
    fn read_main(&mut self) {
        let end = (self.header.start(1) as usize).min(self.text.units.len());
        self.blocks(0..end, &mut |reader, blocks| reader.write(blocks));
        let left = std::mem::take(&mut self.text_boxes);
        for (_, range) in left {
            let blocks = self.story(range);
            self.write(blocks);
        }
    }

    fn write(&mut self, blocks: Vec<Block>) {
        for block in blocks {
            self.writer.block(block);
        }
    }
}
