//! Reader of DOCX documents: the text as displayed by Word.
//! It leaves out running headers, comments, hidden and deleted text.

mod body;
mod drawing;
mod lists;
mod math;
mod paragraph;
mod run;
mod styles;
mod table;
mod xml;

use std::collections::{HashMap, HashSet};
use std::io::Cursor;
use std::rc::Rc;

use office_oxide::core::Error;
use office_oxide::core::opc::{OpcReader, PartName};
use office_oxide::core::properties::CoreProperties;
use office_oxide::core::relationships::{Relationships, TargetMode, rel_types};
use office_oxide::limits::Limits;

use self::lists::Lists;
use self::styles::Styles;
use self::xml::{Damage, Node};
use super::fields::Fields;
use super::model::{Block, Span};
use super::write::Writer;
use super::{Losses, Read, TITLE_PART};
use crate::protocol::MAX_TEXT_BYTES;

/// Maximum unpacked size of a part, in bytes. A valid LibreOffice file exceeds any useful limit on the
/// compression ratio, so only the size is limited.
const MAX_PART_BYTES: u64 = 64 << 20;

/// Maximum number of entries of a package.
const MAX_ENTRIES: usize = 12_500;

/// Maximum unpacked size of all parts together, in bytes.
const MAX_PACKAGE_BYTES: u64 = 256 << 20;

/// Maximum number of charts, diagrams and other parts that the text refers to.
const MAX_PARTS: usize = 500;

type Package = OpcReader<Cursor<Vec<u8>>>;

/// Reads a DOCX document.
pub(super) fn read(bytes: &[u8]) -> Result<Read, Error> {
    let mut limits = Limits::strict();
    limits.part_bytes = MAX_PART_BYTES;
    limits.package_entries = MAX_ENTRIES;
    limits.package_bytes = MAX_PACKAGE_BYTES;
    limits.inflate_ratio = Limits::default().inflate_ratio;
    limits.apply();
    let mut package = Package::new(Cursor::new(bytes.to_vec()))?;
    let main = package.main_document_part()?;
    let document = package.read_part(&main)?;
    let relations = package.read_rels_for(&main).unwrap_or_else(|_| Relationships::empty());
    let mut reader = Reader::new(package, main, relations);
    reader.read_definitions();
    let damage = reader.read_body(&document);
    reader.note(damage);
    let title = reader.title();
    let (text, heading) = reader.writer.finish();
    Ok(Read { text, title: title.or(heading), losses: reader.losses })
}

/// The state of reading one document.
struct Reader {
    package: Package,
    main: PartName,
    relations: Relationships,
    styles: Styles,
    lists: Lists,
    footnotes: HashMap<Box<str>, Rc<Node>>,
    endnotes: HashMap<Box<str>, Rc<Node>>,
    notes: Notes,
    fields: Fields,
    /// Text of a paragraph whose end was deleted. The next paragraph continues it.
    carried: Vec<Span>,
    writer: Writer,
    losses: Losses,
    /// Charts, diagrams and other parts read so far.
    parts: usize,
    /// Whether the blocks of a cell are being read.
    in_cell: bool,
    /// Depth of nested stories: notes, text boxes, other documents.
    depth: usize,
}

/// Notes referred to so far.
#[derive(Default)]
struct Notes {
    footnotes: usize,
    endnotes: usize,
    labels: HashSet<String>,
    /// Labels of the notes that were read. A second reference to a note does not read it again.
    known: HashMap<(NoteKind, Box<str>), String>,
    /// Notes of the current block, to be written after it.
    pending: Vec<Block>,
    /// The note whose mark, written by the author, is the next text.
    custom: Option<(NoteKind, Box<str>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum NoteKind {
    Footnote,
    Endnote,
}

impl Reader {
    fn new(package: Package, main: PartName, relations: Relationships) -> Self {
        Self {
            package,
            main,
            relations,
            styles: Styles::default(),
            lists: Lists::default(),
            footnotes: HashMap::new(),
            endnotes: HashMap::new(),
            notes: Notes::default(),
            fields: Fields::default(),
            carried: Vec::new(),
            writer: Writer::default(),
            losses: Losses::default(),
            parts: 0,
            in_cell: false,
            depth: 0,
        }
    }

    fn read_definitions(&mut self) {
        if let Some(xml) = self.part_of_type(rel_types::STYLES) {
            self.styles = Styles::read(&xml);
        }
        if let Some(xml) = self.part_of_type(rel_types::NUMBERING) {
            self.lists = Lists::read(&xml);
        }
        for (kind, container, element) in
            [(rel_types::FOOTNOTES, "footnotes", "footnote"), (rel_types::ENDNOTES, "endnotes", "endnote")]
        {
            let Some(xml) = self.part_of_type(kind) else { continue };
            let mut notes = HashMap::new();
            let damage = xml::each(&xml, container, |node| {
                // The others are separators.
                let ordinary = matches!(node.attr("type"), None | Some("normal"));
                if &*node.name == element
                    && ordinary
                    && let Some(id) = node.attr("id").map(Box::<str>::from)
                {
                    notes.insert(id, Rc::new(node));
                }
                true
            });
            self.note(damage);
            if element == "footnote" { self.footnotes = notes } else { self.endnotes = notes }
        }
    }

    fn read_body(&mut self, document: &[u8]) -> Damage {
        let damage = xml::each(document, "body", |node| {
            let mut blocks = Vec::new();
            self.block(&node, &mut blocks);
            self.write(blocks);
            self.writer.len() <= MAX_TEXT_BYTES
        });
        let mut blocks = Vec::new();
        self.flush_carried(&mut blocks);
        self.write(blocks);
        damage
    }

    fn write(&mut self, blocks: Vec<Block>) {
        for block in blocks.into_iter().chain(std::mem::take(&mut self.notes.pending)) {
            self.writer.block(block);
        }
    }

    fn note(&mut self, damage: Damage) {
        self.losses.cut |= damage.broken;
        self.losses.deep |= damage.deep;
    }

    /// The first part of a relationship type. An unreadable part is recorded as a loss.
    fn part_of_type(&mut self, kind: &str) -> Option<Vec<u8>> {
        let target = self.relations.first_by_type(kind)?.target.clone();
        self.part(&target)
    }

    /// The part that a relationship of the main part refers to.
    fn related_part(&mut self, id: &str) -> Option<(String, Vec<u8>)> {
        let relation = self.relations.get_by_id(id)?;
        if relation.target_mode == TargetMode::External {
            return None;
        }
        let target = relation.target.clone();
        self.parts += 1;
        if self.parts > MAX_PARTS {
            self.losses.parts = true;
            return None;
        }
        let part = self.part(&target)?;
        Some((target.to_string(), part))
    }

    fn part(&mut self, target: &str) -> Option<Vec<u8>> {
        let name = self.main.resolve_relative(target).ok()?;
        match self.package.read_part(&name) {
            Ok(part) => Some(part),
            Err(Error::MissingPart(_)) => None,
            Err(_) => {
                self.losses.parts = true;
                None
            }
        }
    }

    /// The address of a link, if it leads to the web or to a mail address.
    fn link(&self, id: Option<&str>, anchor: Option<&str>) -> Option<Rc<str>> {
        let relation = self.relations.get_by_id(id?)?;
        super::fields::address(&relation.target, anchor)
    }

    fn title(&mut self) -> Option<String> {
        let name = PartName::new(TITLE_PART).ok()?;
        let xml = self.package.read_part(&name).ok()?;
        CoreProperties::parse(&xml).ok()?.title.filter(|title| !title.trim().is_empty())
    }
}
