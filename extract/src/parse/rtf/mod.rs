//! Rich Text Format (RTF 1.9) to Markdown: headings, lists, tables, footnotes, links.
//!
//! The project has its own reader: no crate handles code pages of fonts, tables and destinations without
//! text.

mod codepages;
mod tokens;
mod unicode;
mod words;
mod writer;

use std::collections::HashMap;

use super::office;
use super::word::scripts::Script;
use crate::protocol::{Document, Format, Markup, Rejection, Verdict};
use tokens::{Token, Tokens};
use words::{character, is_destination, level};
use writer::Writer;

/// Maximum depth of groups.
const MAX_DEPTH: usize = 1_000;

/// Meaning of the text of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    /// Text of the document.
    Body,
    /// A footnote or endnote.
    Note,
    /// The number or bullet of a list item.
    Marker,
    /// The instruction of a field: the address of a link.
    Instruction,
    /// The title in the document's properties.
    Title,
    /// Names of fonts with their character sets.
    Fonts,
    /// Names of styles.
    Styles,
    /// No text.
    Skip,
}

/// State that a group inherits and restores.
#[derive(Clone, Debug)]
struct Group {
    destination: Destination,
    /// Whether the text is hidden or deleted.
    hidden: bool,
    deleted: bool,
    /// Whether the text is raised or lowered.
    script: Option<Script>,
    /// Code page of the current font.
    codepage: u16,
    /// Characters to skip after `\u`.
    skip: usize,
    /// Whether this group began a field, note or list marker.
    begins: Option<Destination>,
}

/// Extracts the text of an RTF file.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let mut reader = Reader::new();
    let mut complete = true;
    for token in Tokens::new(bytes) {
        match token {
            Token::Open if reader.groups.len() >= MAX_DEPTH => {
                return Err(Rejection::new(
                    Verdict::TooComplex,
                    "The file nests deeper than can be read. Save it again from the program that made it.",
                ));
            }
            Token::Open => reader.open(),
            Token::Close => {
                reader.close();
                complete = reader.groups.is_empty();
                if complete {
                    break;
                }
            }
            token => {
                complete = false;
                reader.token(token);
            }
        }
    }
    reader.flush();
    let written = reader.writer.finish();
    if written.trim().is_empty() && !complete {
        return Err(office::damaged());
    }
    let mut document = Document::new(Format::Rtf, Markup::Markdown, written);
    document.title = Some(reader.title).filter(|title| !title.trim().is_empty());
    if !complete {
        document.notes.push("The text of the file is incomplete: its end could not be read.".to_owned());
    }
    Ok(document)
}

struct Reader {
    groups: Vec<Group>,
    group: Group,
    writer: Writer,
    /// Bytes of text in a code page, not yet decoded.
    bytes: Vec<u8>,
    /// Characters still to skip after `\u`.
    skipping: usize,
    /// High surrogate of a character in two units.
    high: Option<u32>,
    default_codepage: u16,
    /// Code pages by font number.
    fonts: HashMap<i32, u16>,
    font: i32,
    default_font: i32,
    /// Levels of headings by style number.
    headings: HashMap<i32, usize>,
    style: i32,
    style_name: String,
    instruction: String,
    title: String,
    /// Whether the last token was `\*`: an unknown destination is skipped.
    optional: bool,
}

impl Reader {
    fn new() -> Self {
        Self {
            groups: Vec::new(),
            group: Group {
                destination: Destination::Body,
                hidden: false,
                deleted: false,
                script: None,
                codepage: codepages::DEFAULT,
                skip: 1,
                begins: None,
            },
            writer: Writer::default(),
            bytes: Vec::new(),
            skipping: 0,
            high: None,
            default_codepage: codepages::DEFAULT,
            fonts: HashMap::new(),
            font: 0,
            default_font: 0,
            headings: HashMap::new(),
            style: 0,
            style_name: String::new(),
            instruction: String::new(),
            title: String::new(),
            optional: false,
        }
    }

    fn open(&mut self) {
        self.flush();
        self.skipping = 0;
        self.groups.push(self.group.clone());
        self.group.begins = None;
    }

    fn close(&mut self) {
        self.flush();
        self.skipping = 0;
        self.optional = false;
        match self.group.begins {
            Some(Destination::Note) => self.writer.end_note(),
            Some(Destination::Marker) => self.writer.end_marker(),
            Some(Destination::Instruction) => self.writer.set_link(&self.instruction),
            Some(Destination::Body) => self.writer.end_link(),
            _ => {}
        }
        if self.group.destination == Destination::Styles {
            self.name_style();
        }
        if let Some(group) = self.groups.pop() {
            self.group = group;
        }
    }

    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => {
                for byte in text {
                    self.byte(*byte);
                }
            }
            Token::Byte(byte) => self.byte(byte),
            Token::Control(word, value) => {
                let optional = std::mem::take(&mut self.optional);
                self.control(word, value, optional);
            }
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Open | Token::Close => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skipping > 0 {
            self.skipping -= 1;
        } else if self.group.destination != Destination::Skip {
            self.bytes.push(byte);
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => self.optional = true,
            b'~' => self.push("\u{a0}"),
            b'_' => self.push("-"),
            b'{' | b'}' | b'\\' => self.byte(symbol),
            b'\n' | b'\r' => self.control("par", None, false),
            b'\t' => self.push("\t"),
            // An optional hyphen, an index entry and others have no text.
            _ => {}
        }
    }

    /// Decodes the bytes so far.
    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let text = codepages::decode(self.group.codepage, &bytes);
            self.push(&text);
        }
    }

    fn push(&mut self, text: &str) {
        if !self.bytes.is_empty() {
            self.flush();
        }
        if self.group.hidden || self.group.deleted {
            return;
        }
        match self.group.destination {
            Destination::Body | Destination::Note | Destination::Marker => match self.group.script {
                Some(script) => self.writer.push_script(script, text),
                None => self.writer.push(text),
            },
            Destination::Instruction => self.instruction.push_str(text),
            Destination::Title => self.title.push_str(text),
            Destination::Styles => self.style_name.push_str(text),
            Destination::Fonts | Destination::Skip => {}
        }
    }

    /// Changes the destination of this group.
    fn begin(&mut self, destination: Destination) {
        // Within a skipped group nothing is text.
        if self.group.destination != Destination::Skip {
            self.group.destination = destination;
            self.group.begins = Some(destination);
        }
    }

    fn control(&mut self, word: &str, value: Option<i32>, optional: bool) {
        if word != "u" {
            self.flush();
            self.high = None;
        }
        // Only bytes repeat the character of a `\u`. Two `\u` in a row are two characters.
        self.skipping = 0;
        let on = value != Some(0);
        match word {
            "u" => self.unicode(value.unwrap_or_default()),
            "uc" => {
                self.group.skip = value.and_then(|value| usize::try_from(value).ok()).unwrap_or(1).min(16)
            }
            "ansicpg" => {
                self.default_codepage =
                    value.and_then(|value| u16::try_from(value).ok()).unwrap_or(codepages::DEFAULT);
                self.group.codepage = self.default_codepage;
            }
            "mac" => self.default_codepage = codepages::MAC,
            "pc" => self.default_codepage = 437,
            "pca" => self.default_codepage = 850,
            "deff" => self.default_font = value.unwrap_or_default(),
            "f" => self.set_font(value.unwrap_or_default()),
            "fcharset" if self.group.destination == Destination::Fonts => {
                if let Some(codepage) = value.and_then(codepages::of_charset) {
                    self.fonts.insert(self.font, codepage);
                }
            }
            "v" => self.group.hidden = on,
            "deleted" => self.group.deleted = on,
            "super" => self.group.script = on.then_some(Script::Super),
            "sub" => self.group.script = on.then_some(Script::Sub),
            "nosupersub" => self.group.script = None,
            "plain" => {
                self.group.hidden = false;
                self.group.deleted = false;
                self.group.script = None;
                self.set_font(self.default_font);
            }
            "fonttbl" => self.begin(Destination::Fonts),
            "stylesheet" => self.begin(Destination::Styles),
            "s" if self.group.destination == Destination::Styles => self.style = value.unwrap_or_default(),
            "outlinelevel" if self.group.destination == Destination::Styles => {
                self.headings.insert(self.style, level(value));
            }
            "title" if self.group.destination == Destination::Skip && self.groups.len() > 2 => {
                self.group.destination = Destination::Title;
            }
            "footnote" => {
                self.begin(Destination::Note);
                if self.group.destination == Destination::Note {
                    self.writer.begin_note();
                }
            }
            "listtext" | "pntext" => {
                self.begin(Destination::Marker);
                if self.group.destination == Destination::Marker {
                    self.writer.begin_marker();
                }
            }
            "fldinst" => {
                self.instruction.clear();
                self.begin(Destination::Instruction);
            }
            "fldrslt" => self.begin(Destination::Body),
            // A text box is a paragraph of its own.
            "shptxt" => self.writer.end_paragraph(),
            // Optional destinations that contain text.
            "shpinst" | "shp" | "do" | "dptxbxtext" => {}
            word if is_destination(word) => self.begin(Destination::Skip),
            _ if optional => self.begin(Destination::Skip),
            _ => self.writer_control(word, value),
        }
    }

    /// Control words that end or format a paragraph or stand for a character.
    fn writer_control(&mut self, word: &str, value: Option<i32>) {
        if let Some(text) = character(word) {
            self.push(text);
            return;
        }
        if matches!(self.group.destination, Destination::Skip | Destination::Fonts | Destination::Styles) {
            return;
        }
        if self.group.hidden && !matches!(word, "pard" | "intbl") {
            return;
        }
        match word {
            "par" | "sect" | "page" => self.writer.end_paragraph(),
            "pard" => self.writer.reset(),
            "intbl" => self.writer.in_table(),
            "cell" | "nestcell" => self.writer.end_cell(word == "nestcell"),
            "row" | "nestrow" => self.writer.end_row(word == "nestrow"),
            "trowd" => self.writer.begin_row(),
            "clmgf" => self.writer.merge(false),
            "clmrg" => self.writer.merge(true),
            "cellx" => self.writer.define_cell(),
            "s" => {
                let level = self.headings.get(&value.unwrap_or_default()).copied();
                self.writer.set_heading(level.unwrap_or_default());
            }
            "outlinelevel" => self.writer.set_heading(level(value)),
            "ilvl" => {
                self.writer.set_depth(value.and_then(|value| usize::try_from(value).ok()).unwrap_or_default())
            }
            _ => {}
        }
    }

    fn set_font(&mut self, font: i32) {
        self.font = font;
        if self.group.destination != Destination::Fonts {
            self.group.codepage = self.fonts.get(&font).copied().unwrap_or(self.default_codepage);
        }
    }

    /// Records the heading level of a style by its name, such as "heading 1".
    fn name_style(&mut self) {
        let name = std::mem::take(&mut self.style_name).to_lowercase();
        let name = name.trim().trim_end_matches(';');
        let level = match name {
            "title" => Some(1),
            _ => name.strip_prefix("heading ").and_then(|level| level.parse().ok()),
        };
        if let Some(level) = level.filter(|level| (1..=9).contains(level)) {
            self.headings.insert(self.style, level);
        }
        self.style = 0;
    }
}

#[cfg(test)]
mod tests;
