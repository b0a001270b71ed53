//! Pure: parses a Markdown passage into blocks of text with source positions.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::classify;
use super::text::Text;

/// Mark of a list item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemMarker {
    Bullet,
    Number(u64),
    /// Continuation of an item after its nested items.
    None,
}

/// List item without its nested items, which follow it with greater depth.
#[derive(Debug)]
pub(super) struct RawItem {
    /// Nesting depth, from 1.
    pub(super) depth: usize,
    pub(super) marker: ItemMarker,
    pub(super) texts: Vec<Text>,
}

/// Block of a passage.
#[derive(Debug)]
pub(super) enum Block {
    Heading(Text),
    Paragraph(Text),
    List(Vec<RawItem>),
    Table { head: Vec<Text>, rows: Vec<Vec<Text>> },
    Code(Text),
    Rule,
}

/// Parses the blocks of a passage, in order.
pub(super) fn blocks(passage: &str) -> Vec<Block> {
    let mut reader = BlockReader { passage, ..BlockReader::default() };
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    for (event, range) in Parser::new_ext(passage, options).into_offset_iter() {
        reader.read(event, range);
    }
    reader.flush();
    reader.blocks
}

#[derive(Default)]
struct BlockReader<'a> {
    passage: &'a str,
    blocks: Vec<Block>,
    text: Text,
    /// Next number of each open ordered list.
    lists: Vec<Option<u64>>,
    items: Vec<RawItem>,
    head: Vec<Text>,
    row: Vec<Text>,
    rows: Vec<Vec<Text>>,
    images: usize,
    code: bool,
    bold: Option<usize>,
    link: Option<usize>,
}

impl BlockReader<'_> {
    fn read(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, &range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(_) | Event::Code(_) if self.images > 0 => {}
            Event::Text(text) if self.code => self.push_code(&text, range),
            Event::Text(text) => self.text.push(&text, range),
            Event::Code(text) => {
                // The event's range includes the back quotes.
                let from = self.passage.get(range.clone()).and_then(|source| source.find(&*text));
                let source =
                    from.map_or(range.clone(), |from| range.start + from..range.start + from + text.len());
                self.text.push(&text, source);
            }
            Event::SoftBreak | Event::HardBreak => self.text.push_break(range),
            Event::InlineHtml(html) if html.to_ascii_lowercase().starts_with("<br") => {
                self.text.push_break(range)
            }
            Event::Rule => {
                self.flush();
                self.blocks.push(Block::Rule);
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Image { .. } => self.images += 1,
            Tag::Strong => self.bold = Some(self.text.plain.len()),
            Tag::Link { dest_url, .. } => {
                // An e-mail address or telephone number is information, not a link to a page.
                let is_page = !["mailto:", "tel:"].iter().any(|scheme| dest_url.starts_with(scheme));
                self.link = is_page.then_some(self.text.plain.len());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(*first);
            }
            Tag::Item => {
                self.flush();
                let marker = self.marker(range.start);
                self.items.push(RawItem { depth: self.lists.len(), marker, texts: Vec::new() });
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = true;
            }
            Tag::TableCell => self.text = Text::default(),
            Tag::Heading { .. } | Tag::Paragraph | Tag::BlockQuote(_) | Tag::Table(_) | Tag::HtmlBlock => {
                self.flush();
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Image => self.images = self.images.saturating_sub(1),
            TagEnd::Strong => {
                self.text.bold.extend(self.bold.take().map(|start| start..self.text.plain.len()));
            }
            TagEnd::Link => {
                self.text.links.extend(self.link.take().map(|start| start..self.text.plain.len()));
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blocks.push(Block::List(std::mem::take(&mut self.items)));
                }
            }
            TagEnd::Heading(_) => self.end_heading(range.start),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.text)),
            TagEnd::TableHead => self.head = std::mem::take(&mut self.row),
            TagEnd::TableRow => self.rows.push(std::mem::take(&mut self.row)),
            TagEnd::Table => {
                let (head, rows) = (std::mem::take(&mut self.head), std::mem::take(&mut self.rows));
                self.blocks.push(Block::Table { head, rows });
            }
            TagEnd::Paragraph | TagEnd::Item | TagEnd::BlockQuote(_) => self.flush(),
            _ => {}
        }
    }

    /// Mark of an item; its own number is used while the numbers ascend.
    fn marker(&mut self, at: usize) -> ItemMarker {
        let Some(Some(next)) = self.lists.last_mut() else { return ItemMarker::Bullet };
        let written = self.passage.get(at..).unwrap_or_default().trim_start();
        let digits = written.find(|c: char| !c.is_ascii_digit()).and_then(|end| written.get(..end));
        let number = digits.and_then(|digits| digits.parse().ok()).unwrap_or(*next).max(*next);
        *next = number.saturating_add(1);
        ItemMarker::Number(number)
    }

    fn push_code(&mut self, text: &str, range: Range<usize>) {
        let exact = text.len() == range.len();
        let mut at = range.start;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let (start, end) = if exact { (at, at + content.len()) } else { (range.start, range.end) };
            self.text.push(content, start..end);
            if content.len() < line.len() {
                self.text.push_break(if exact { end..at + line.len() } else { range.clone() });
            }
            at += line.len();
        }
    }

    /// A line above `---` in plain text is a paragraph if it reads as a sentence, not a heading.
    fn end_heading(&mut self, start: usize) {
        let text = std::mem::take(&mut self.text);
        let whole = text.get(&text.whole());
        let is_underlined = !self.passage.get(start..).unwrap_or_default().trim_start().starts_with('#');
        if is_underlined && classify::ends_sentence(whole) && classify::words(whole) > 5 {
            self.text = text;
            self.flush();
        } else if !text.is_blank() && self.lists.is_empty() {
            self.blocks.push(Block::Heading(text));
        }
    }

    /// Indented prose in plain text is no code; a one-line command belongs to its step.
    fn end_code(&mut self) {
        self.code = false;
        let text = std::mem::take(&mut self.text);
        if text.is_blank() {
            return;
        }
        let is_prose = classify::is_prose(&text.plain);
        if is_prose || (!self.lists.is_empty() && text.lines(&text.whole()).len() == 1) {
            self.text = text;
            self.flush();
        } else if self.lists.is_empty() {
            self.blocks.push(Block::Code(text));
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        (self.bold, self.link) = (None, None);
        if text.is_blank() {
            return;
        }
        let depth = self.lists.len();
        if depth == 0 {
            self.blocks.push(Block::Paragraph(text));
            return;
        }
        match self.items.last_mut().filter(|item| item.depth == depth) {
            Some(item) => item.texts.push(text),
            None => self.items.push(RawItem { depth, marker: ItemMarker::None, texts: vec![text] }),
        }
    }
}
