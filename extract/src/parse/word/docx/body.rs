//! Blocks of the document body, cells, notes and text boxes.

use std::rc::Rc;

use super::styles::Styles;
use super::xml::Node;
use super::{NoteKind, Reader};
use crate::parse::word::model::Block;
use crate::protocol::Request;

/// Maximum depth of nested notes and text boxes.
const MAX_STORIES: usize = 8;

impl Reader {
    /// Reads the blocks in an element.
    pub(super) fn blocks(&mut self, container: &Node, out: &mut Vec<Block>) {
        for node in container.nodes() {
            self.block(node, out);
        }
    }

    pub(super) fn block(&mut self, node: &Node, out: &mut Vec<Block>) {
        match &*node.name {
            "p" => self.paragraph(node, out),
            "tbl" => self.table(node, out),
            "sdt" => {
                if let Some(content) = control_content(node, &self.styles) {
                    self.blocks(content, out);
                }
            }
            "AlternateContent" => {
                self.alternatives(node, out, |reader, choice, out| reader.blocks(choice, out))
            }
            "oMathPara" | "oMath" => self.loose_math(node, out),
            "altChunk" => self.chunk(node, out),
            // Deleted and moved away. Properties hold no text.
            "del" | "moveFrom" | "sectPr" | "tcPr" | "sdtPr" => {}
            "r" | "hyperlink" | "fldSimple" => self.loose_inline(node, out),
            _ => self.blocks(node, out),
        }
    }

    /// Reads the first alternative that has content. Word writes some content several times, for newer and
    /// older programs.
    pub(super) fn alternatives<T>(
        &mut self,
        node: &Node,
        out: &mut T,
        read: impl Fn(&mut Self, &Node, &mut T),
    ) where
        T: Content,
    {
        for choice in node.nodes().filter(|child| matches!(&*child.name, "Choice" | "Fallback")) {
            let before = out.size();
            read(self, choice, out);
            if out.size() > before {
                return;
            }
        }
    }

    /// Reads a separate story within another. Its fields are independent of the text around it.
    pub(super) fn story(&mut self, container: &Node) -> Vec<Block> {
        let mut blocks = Vec::new();
        if self.depth >= MAX_STORIES {
            self.losses.deep = true;
            return blocks;
        }
        self.depth += 1;
        let fields = std::mem::take(&mut self.fields);
        let carried = std::mem::take(&mut self.carried);
        self.blocks(container, &mut blocks);
        self.flush_carried(&mut blocks);
        self.fields = fields;
        self.carried = carried;
        self.depth -= 1;
        blocks
    }

    /// Adds the text of a paragraph whose end is deleted and which no other paragraph follows.
    pub(super) fn flush_carried(&mut self, out: &mut Vec<Block>) {
        if !self.carried.is_empty() {
            out.push(Block::Paragraph(std::mem::take(&mut self.carried)));
        }
    }

    /// Returns the label of a note and reads the note. It is written after the current block. `mark` is the
    /// mark written by the author, if any.
    pub(super) fn reference(&mut self, kind: NoteKind, id: &str, mark: Option<&str>) -> Option<String> {
        if let Some(label) = self.notes.known.get(&(kind, Box::from(id))) {
            return Some(label.clone());
        }
        let footnotes = self.footnotes.len();
        let notes = if kind == NoteKind::Footnote { &self.footnotes } else { &self.endnotes };
        let note = notes.get(id).map(Rc::clone)?;
        let mark = mark.map(str::trim).filter(|mark| !mark.is_empty());
        let custom =
            mark.filter(|mark| !mark.contains(['[', ']', '^']) && !self.notes.labels.contains(*mark));
        let label = match custom {
            Some(mark) => mark.to_owned(),
            None => self.next_label(kind, footnotes),
        };
        self.notes.labels.insert(label.clone());
        self.notes.known.insert((kind, Box::from(id)), label.clone());
        let place = self.notes.pending.len();
        let mut blocks = self.story(&note);
        if let Some(mark) = mark {
            remove_mark(&mut blocks, mark);
        }
        // Notes referred to in this note are written after it.
        let place = place.min(self.notes.pending.len());
        self.notes.pending.insert(place, Block::Note { label: label.clone(), blocks });
        Some(label)
    }

    /// Footnotes count from one; endnotes count on after the footnotes, so that no two have the same label.
    fn next_label(&mut self, kind: NoteKind, footnotes: usize) -> String {
        loop {
            let number = if kind == NoteKind::Footnote {
                self.notes.footnotes += 1;
                self.notes.footnotes
            } else {
                self.notes.endnotes += 1;
                footnotes + self.notes.endnotes
            };
            let label = number.to_string();
            if !self.notes.labels.contains(&label) {
                return label;
            }
        }
    }

    /// Reads a part of another type that the document includes: a web page or a text.
    fn chunk(&mut self, node: &Node, out: &mut Vec<Block>) {
        let Some((name, part)) = node.attr("id").and_then(|id| self.related_part(id)) else { return };
        let name = name.to_ascii_lowercase();
        let is_page = name.ends_with("html") || name.ends_with("htm");
        let head = part.get(..512).unwrap_or(&part).to_ascii_lowercase();
        let looks_like_page =
            head.windows(5).any(|window| window == b"<html") || head.starts_with(b"<!doctype html");
        if is_page || looks_like_page {
            let request = Request { media_type: Some("text/html".to_owned()), ..Request::default() };
            if let Ok(document) = crate::parse::html::read(&request, &part) {
                out.push(Block::Markdown(document.text));
            }
        } else if name.ends_with("txt")
            && let Ok(text) = crate::parse::text::read(&part)
        {
            out.push(Block::Markdown(text));
        } else {
            self.losses.parts = true;
        }
    }
}

/// The content of a content control. None if it only prompts for an entry.
///
/// The placeholder of a control may be text by the author of a template. A prompt is recognised by the style
/// of placeholders or by the wording of Word.
pub(super) fn control_content<'a>(control: &'a Node, styles: &Styles) -> Option<&'a Node> {
    let content = control.child("sdtContent")?;
    let shows_placeholder = control.child("sdtPr").and_then(|properties| properties.toggle("showingPlcHdr"));
    if shows_placeholder == Some(true) {
        let mut style = false;
        let mut text = String::new();
        scan(content, styles, &mut style, &mut text);
        if style || is_prompt(&text) {
            return None;
        }
    }
    Some(content)
}

fn scan(node: &Node, styles: &Styles, style: &mut bool, text: &mut String) {
    for child in node.nodes() {
        match &*child.name {
            "rStyle" => *style |= child.val().is_some_and(|id| styles.is_placeholder(id)),
            "t" if text.len() <= MAX_PROMPT => text.push_str(&child.text()),
            _ => scan(child, styles, style, text),
        }
    }
}

/// Longest prompt, in bytes.
const MAX_PROMPT: usize = 120;

/// Whether a text is one of the prompts that Word shows in empty controls.
fn is_prompt(text: &str) -> bool {
    const STARTS: [&str; 26] = [
        "click ",
        "tap ",
        "choose ",
        "select ",
        "enter ",
        "klicken ",
        "wählen ",
        "geben sie",
        "cliquez",
        "choisissez",
        "sélectionnez",
        "entrez",
        "haga clic",
        "haz clic",
        "elija",
        "seleccione",
        "fare clic",
        "scegliere",
        "clique ",
        "escolha",
        "klik ",
        "kies ",
        "kliknij",
        "wybierz",
        "место для ввода",
        "выберите",
    ];
    let lower = text.trim().to_lowercase();
    let lower = lower.trim_start_matches(['[', '<']);
    lower.is_empty()
        || (text.len() <= MAX_PROMPT && STARTS.iter().any(|start| lower.starts_with(start)))
        || lower.starts_with("单击")
        || lower.starts_with("クリック")
}

/// Removes the repeated mark of the author from the start of a note.
fn remove_mark(blocks: &mut [Block], mark: &str) {
    let Some(Block::Paragraph(spans)) = blocks.first_mut() else { return };
    let Some(first) = spans.iter_mut().find(|span| !span.text.trim().is_empty()) else { return };
    if let Some(rest) = first.text.trim_start().strip_prefix(mark) {
        first.text = rest.trim_start().to_owned();
    }
}

/// Content read from alternatives.
pub(super) trait Content {
    /// A measure of the content that grows with every addition.
    fn size(&self) -> usize;
}

impl Content for Vec<Block> {
    fn size(&self) -> usize {
        self.len()
    }
}
