//! Pure: text in, chunks out. No IO.
//!
//! Splitting is `text-splitter`'s: at the largest semantic border that fits (Markdown blocks, then
//! sentences, words, characters), sized in the embedding model's own tokens, with overlap. Records (the rows
//! of a table) are never split; ours is only to put as many into a chunk as fit.

use std::ops::Range;

use parlance_extract::protocol;
use text_splitter::{ChunkCharIndex, ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

use crate::error::{Error, Result};

mod headings;

use headings::Headings;

/// How large chunks are, in tokens of the embedding model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// The most tokens of a chunk.
    pub tokens: usize,
    /// Tokens at the beginning of a chunk that its predecessor ends with.
    pub overlap: usize,
}

/// How the text is written, and so where it may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Markup {
    /// Plain text.
    Plain,
    /// Markdown.
    Markdown,
    /// Records with a blank line between two.
    Records,
}

impl From<protocol::Markup> for Markup {
    fn from(markup: protocol::Markup) -> Self {
        match markup {
            protocol::Markup::Plain => Markup::Plain,
            protocol::Markup::Markdown => Markup::Markdown,
            protocol::Markup::Records => Markup::Records,
        }
    }
}

/// Where a page begins in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageStart {
    /// The page's number.
    pub number: i32,
    /// Its place, in characters.
    pub start: usize,
}

/// A text to be split.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text.
    pub text: String,
    /// How it is written.
    pub markup: Markup,
    /// Its pages, in order; empty when it has none.
    pub pages: Vec<PageStart>,
    /// Whether each page is a text of its own, as those of a web site are: no chunk spans two.
    pub apart: bool,
}

/// A passage of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The passage, as it stands in the text.
    pub content: String,
    /// The headings above its beginning, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// The page on which it begins, when the text has pages.
    pub page: Option<i32>,
    /// Its place in the text, in characters (Unicode scalar values).
    pub span: Range<usize>,
    /// Its tokens.
    pub tokens: usize,
}

impl Chunk {
    /// What is embedded: the headings give a passage the context that it lost when it was cut.
    #[must_use]
    pub fn embedded_text(heading: Option<&str>, content: &str) -> String {
        match heading {
            Some(heading) => format!("{heading}\n{content}"),
            None => content.to_owned(),
        }
    }
}

/// The splitter sees this much at once, in bytes. For each chunk it looks at sections of up to the whole
/// text, so that its work grows with the square of what it sees.
const WINDOW: usize = 32 * 1024;

/// More white space at a place than this, in bytes, is shown to no splitter. Where chunks overlap it goes through white
/// space character by character, and looks at all of it each time: 16 KiB of blank lines took half a minute.
const GAP: usize = 256;

/// A record of up to so many tokens is one chunk, though it is larger than others: with its headings it is
/// within the 512 positions of all-MiniLM-L6-v2 and its kind. A longer one is split like any text.
const RECORD_TOKENS: usize = 480;

/// A token stands for this many characters at most, or a word of a million letters, which is one
/// unknown token, would be one chunk.
const CHARACTERS_PER_TOKEN: usize = 16;

/// Splits a text. `tokenize` gives the bytes at which the tokens of a text begin, in order; `stopped` is
/// asked after each chunk.
///
/// # Errors
/// [`Error::Cancelled`] when stopped; [`Error::Internal`] when the sizing is impossible.
pub fn split(
    text: &Text,
    sizing: Sizing,
    tokenize: &dyn Fn(&str) -> Vec<usize>,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<Chunk>> {
    let mut splitting = Splitting { sizing, tokenize, stopped, chunks: Vec::new() };
    if text.apart {
        for (page, part) in parts(text) {
            splitting.split(part, text.markup, page.start)?;
            let fresh = splitting.chunks.iter_mut().rev().take_while(|chunk| chunk.page.is_none());
            fresh.for_each(|chunk| chunk.page = Some(page.number));
        }
        return Ok(splitting.chunks);
    }
    splitting.split(&text.text, text.markup, 0)?;
    for chunk in &mut splitting.chunks {
        let begun = text.pages.partition_point(|page| page.start <= chunk.span.start);
        chunk.page = begun.checked_sub(1).and_then(|last| text.pages.get(last)).map(|page| page.number);
    }
    Ok(splitting.chunks)
}

/// The pages of a text, each with its part.
fn parts(text: &Text) -> impl Iterator<Item = (PageStart, &str)> {
    let mut rest = (0, text.text.as_str());
    text.pages.iter().enumerate().map(move |(index, page)| {
        let next = text.pages.get(index + 1).map_or(usize::MAX, |next| next.start);
        let (at, ahead) = rest;
        let skipped = ahead.char_indices().nth(page.start.saturating_sub(at));
        let from = skipped.map_or(ahead.len(), |(byte, _)| byte);
        let ahead = ahead.get(from..).unwrap_or_default();
        let end = ahead.char_indices().nth(next - page.start).map_or(ahead.len(), |(byte, _)| byte);
        let (part, after) = ahead.split_at(end);
        rest = (next, after);
        (*page, part)
    })
}

struct Splitting<'a> {
    sizing: Sizing,
    tokenize: &'a dyn Fn(&str) -> Vec<usize>,
    stopped: &'a dyn Fn() -> bool,
    chunks: Vec<Chunk>,
}

impl Splitting<'_> {
    /// Splits a part of a text that begins at `start`, in characters.
    fn split(&mut self, part: &str, markup: Markup, start: usize) -> Result<()> {
        match markup {
            Markup::Plain => self.split_prose(part, markup, Headings::default(), start),
            Markup::Markdown => self.split_prose(part, markup, Headings::of(part), start),
            Markup::Records => self.split_records(part, start),
        }
    }

    fn split_prose(
        &mut self,
        part: &str,
        markup: Markup,
        mut headings: Headings,
        start: usize,
    ) -> Result<()> {
        let (mut byte, mut characters) = (0, start);
        for range in windows(part, WINDOW) {
            let Some(window) = part.get(range.clone()) else { continue };
            characters += part.get(byte..range.start).unwrap_or_default().chars().count();
            byte = range.end;
            let ruler = Ruler { window, starts: (self.tokenize)(window) };
            let config = ChunkConfig::new(self.sizing.tokens)
                .with_sizer(&ruler)
                .with_overlap(self.sizing.overlap)
                .map_err(|error| Error::internal("the chunk size is impossible", error))?;
            let splitter = match markup {
                Markup::Markdown => Splitter::Markdown(MarkdownSplitter::new(config)),
                Markup::Plain | Markup::Records => Splitter::Plain(TextSplitter::new(config)),
            };
            for piece in splitter.pieces(window) {
                let heading = headings.at(range.start + piece.byte_offset);
                self.keep(piece.chunk, heading, characters + piece.char_offset, ruler.tokens(piece.chunk))?;
            }
            characters += window.chars().count();
        }
        Ok(())
    }

    /// As many records as fit make a chunk; no overlap, for a record needs no other to be understood.
    fn split_records(&mut self, part: &str, start: usize) -> Result<()> {
        let mut characters = start;
        // Bytes of the chunk that is being filled, its first character and its tokens.
        let (mut open, mut open_at, mut open_tokens) = (0..0, start, 0);
        let mut byte = 0;
        for record in part.split_inclusive("\n\n") {
            let told = record.trim_end();
            let length = told.chars().count();
            let floor = length / CHARACTERS_PER_TOKEN;
            // What is too long anyway is not tokenised as a whole: a cell may hold megabytes.
            let tokens = if floor > RECORD_TOKENS { floor } else { (self.tokenize)(told).len().max(floor) };
            let floor_together = (characters + length - open_at) / CHARACTERS_PER_TOKEN;
            if open_tokens > 0 && (open_tokens + tokens).max(floor_together) > self.sizing.tokens {
                self.keep(part.get(open.clone()).unwrap_or_default(), None, open_at, open_tokens)?;
                open_tokens = 0;
            }
            if tokens > RECORD_TOKENS {
                self.split_prose(told, Markup::Plain, Headings::default(), characters)?;
            } else if !told.is_empty() {
                if open_tokens == 0 {
                    (open, open_at) = (byte..byte, characters);
                }
                open.end = byte + told.len();
                open_tokens += tokens.max(1);
            }
            byte += record.len();
            characters += record.chars().count();
        }
        if open_tokens > 0 {
            self.keep(part.get(open).unwrap_or_default(), None, open_at, open_tokens)?;
        }
        Ok(())
    }

    fn keep(&mut self, content: &str, heading: Option<String>, start: usize, tokens: usize) -> Result<()> {
        if (self.stopped)() {
            return Err(Error::Cancelled);
        }
        let span = start..start + content.chars().count();
        self.chunks.push(Chunk { content: content.to_owned(), heading, page: None, span, tokens });
        Ok(())
    }
}

enum Splitter<'a> {
    Plain(TextSplitter<&'a Ruler<'a>>),
    Markdown(MarkdownSplitter<&'a Ruler<'a>>),
}

impl Splitter<'_> {
    fn pieces<'t>(&'t self, text: &'t str) -> Box<dyn Iterator<Item = ChunkCharIndex<'t>> + 't> {
        match self {
            Splitter::Plain(splitter) => Box::new(splitter.chunk_char_indices(text)),
            Splitter::Markdown(splitter) => Box::new(splitter.chunk_char_indices(text)),
        }
    }
}

/// Measures parts of a window by the tokens of the whole, which are counted once: the splitter asks
/// for the size of a section a dozen times a chunk. A part that begins or ends within a word may have a
/// token more or less by itself.
struct Ruler<'a> {
    window: &'a str,
    /// The bytes at which tokens begin, ascending.
    starts: Vec<usize>,
}

impl Ruler<'_> {
    fn tokens(&self, part: &str) -> usize {
        let from = (part.as_ptr() as usize).saturating_sub(self.window.as_ptr() as usize);
        let before = |byte: usize| self.starts.partition_point(|start| *start < byte);
        before(from + part.len()) - before(from)
    }
}

impl ChunkSizer for Ruler<'_> {
    /// `part` is a slice of the window: the splitter copies nothing.
    fn size(&self, part: &str) -> usize {
        self.tokens(part).max(part.chars().count() / CHARACTERS_PER_TOKEN)
    }
}

/// Ranges of at most `most` bytes that make up the text but for its gaps, cut where it hurts least: at a gap, before a
/// heading, else between paragraphs, lines or words.
fn windows(text: &str, most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
            let length = match gap(rest.get(..rest.floor_char_boundary(most)).unwrap_or(rest)) {
                Some(gap) if gap.start == 0 => {
                    start += gap.end;
                    continue;
                }
                Some(gap) => gap.start,
                None if rest.len() <= most => rest.len(),
                None => cut(rest, most),
            };
            let window = start..start + length;
            start = window.end;
            return Some(window);
        }
    })
}

/// The first white space of a text that is longer than a [`GAP`].
fn gap(text: &str) -> Option<Range<usize>> {
    let blank = text.split(|c: char| !c.is_whitespace()).find(|blank| blank.len() > GAP)?;
    let start = blank.as_ptr() as usize - text.as_ptr() as usize;
    Some(start..start + blank.len())
}

fn cut(text: &str, most: usize) -> usize {
    let head = text.get(..text.floor_char_boundary(most)).unwrap_or(text);
    // A cut in the first half would make many small windows.
    let far = |at: &usize| *at >= most / 2;
    let before = |mark: &str, kept: usize| head.rfind(mark).map(|at| at + kept).filter(far);
    before("\n#", 1)
        .or_else(|| before("\n\n", 2))
        .or_else(|| before("\n", 1))
        .or_else(|| before(" ", 1))
        .unwrap_or(head.len())
        .max(1)
}

#[cfg(test)]
mod tests;
