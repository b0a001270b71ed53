//! Pure: text in, chunks out. No IO.
//!
//! Prose is split by `text-splitter` at the largest semantic boundary that fits (Markdown blocks, then
//! sentences, words, characters), sized in tokens of the embedding model, with overlap. Records (table rows)
//! are never split: this module packs as many into a chunk as fit.

use std::ops::Range;

use parlance_extract::protocol;
use text_splitter::{ChunkCharIndex, ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

use crate::error::{Error, Result};

mod headings;

use headings::Headings;

/// Chunk size in tokens of the embedding model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// Maximum tokens per chunk.
    pub tokens: usize,
    /// Tokens shared with the end of the previous chunk.
    pub overlap: usize,
}

/// Markup of a text, which determines where it may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Markup {
    /// Plain text.
    Plain,
    /// Markdown.
    Markdown,
    /// Records separated by blank lines.
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

/// Start of a page in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageStart {
    /// Page number.
    pub number: i32,
    /// Start offset in characters.
    pub start: usize,
    /// Markup of the page, if it is another than that of the text.
    pub markup: Option<Markup>,
}

/// A text to split.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Its markup.
    pub markup: Markup,
    /// Its pages, in order; empty if it has none.
    pub pages: Vec<PageStart>,
    /// Whether pages are independent texts, as on a web site, so that no chunk spans two.
    pub apart: bool,
}

/// A chunk of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Verbatim part of the text.
    pub content: String,
    /// Headings in force at its start, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// Page of its start, if the text has pages.
    pub page: Option<i32>,
    /// Range in the text, in characters (Unicode scalar values).
    pub span: Range<usize>,
    /// Number of tokens.
    pub tokens: usize,
}

impl Chunk {
    /// Text to embed: the content preceded by its headings, which restore the context lost by splitting.
    #[must_use]
    pub fn embedded_text(heading: Option<&str>, content: &str) -> String {
        match heading {
            Some(heading) => format!("{heading}\n{content}"),
            None => content.to_owned(),
        }
    }
}

/// Maximum input of one splitter call, in bytes. The splitter scans up to the whole input for each chunk, so
/// its time is quadratic in the input.
const WINDOW: usize = 32 * 1024;

/// Longer runs of white space, in bytes, are hidden from the splitter. With overlap it steps through white
/// space character by character and rescans all of it each time: 16 KiB of blank lines took half a minute.
const GAP: usize = 256;

/// A record of up to this many tokens is one chunk, even above the chunk size: with its headings it fits the
/// 512 positions of models such as all-MiniLM-L6-v2. A longer record is split like prose.
const RECORD_TOKENS: usize = 480;

/// Upper bound of characters per token. Without it a word of a million letters, which is one unknown token,
/// would be a single chunk.
const CHARACTERS_PER_TOKEN: usize = 16;

/// Splits a text. `tokenize` returns the byte offsets of the token starts, ascending; `stopped` is polled
/// after each chunk.
///
/// # Errors
/// [`Error::Cancelled`] when stopped; [`Error::Internal`] when the sizing is invalid.
pub fn split(
    text: &Text,
    sizing: Sizing,
    tokenize: &dyn Fn(&str) -> Vec<usize>,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<Chunk>> {
    let mut splitting = Splitting { sizing, tokenize, stopped, chunks: Vec::new() };
    if text.apart {
        for (page, part) in parts(text) {
            splitting.split(part, page.markup.unwrap_or(text.markup), page.start)?;
            let fresh = splitting.chunks.iter_mut().rev().take_while(|chunk| chunk.page.is_none());
            fresh.for_each(|chunk| chunk.page = Some(page.number));
        }
        return Ok(splitting.chunks);
    }
    splitting.split(&text.text, text.markup, 0)?;
    for chunk in &mut splitting.chunks {
        let started = text.pages.partition_point(|page| page.start <= chunk.span.start);
        chunk.page = started.checked_sub(1).and_then(|last| text.pages.get(last)).map(|page| page.number);
    }
    Ok(splitting.chunks)
}

/// The pages of a text with their parts.
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
    /// Splits a part of the text that starts at offset `start`, in characters.
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
                .map_err(|error| Error::internal("invalid chunk size or overlap", error))?;
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

    /// Packs as many records into a chunk as fit. No overlap: records are independent.
    fn split_records(&mut self, part: &str, start: usize) -> Result<()> {
        let mut characters = start;
        // The chunk being filled: its byte range, start offset in characters and tokens.
        let (mut open, mut open_at, mut open_tokens) = (0..0, start, 0);
        let mut byte = 0;
        for record in part.split_inclusive("\n\n") {
            let trimmed = record.trim_end();
            let length = trimmed.chars().count();
            let floor = length / CHARACTERS_PER_TOKEN;
            // Oversized records are not tokenised as a whole: a cell may hold megabytes.
            let tokens =
                if floor > RECORD_TOKENS { floor } else { (self.tokenize)(trimmed).len().max(floor) };
            let floor_together = (characters + length - open_at) / CHARACTERS_PER_TOKEN;
            if open_tokens > 0 && (open_tokens + tokens).max(floor_together) > self.sizing.tokens {
                self.keep(part.get(open.clone()).unwrap_or_default(), None, open_at, open_tokens)?;
                open_tokens = 0;
            }
            if tokens > RECORD_TOKENS {
                self.split_prose(trimmed, Markup::Plain, Headings::default(), characters)?;
            } else if !trimmed.is_empty() {
                if open_tokens == 0 {
                    (open, open_at) = (byte..byte, characters);
                }
                open.end = byte + trimmed.len();
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

/// Sizes parts of a window from one tokenization of the whole: the splitter asks for sizes a dozen times per
/// chunk. Off by at most a token for a part that starts or ends inside a word.
struct Ruler<'a> {
    window: &'a str,
    /// Byte offsets of the token starts, ascending.
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
    /// `part` must be a slice of the window; the splitter never copies.
    fn size(&self, part: &str) -> usize {
        self.tokens(part).max(part.chars().count() / CHARACTERS_PER_TOKEN)
    }
}

/// Ranges of at most `max` bytes that cover the text except its gaps, cut at the best available boundary: a
/// gap, before a heading, or between paragraphs, lines or words.
fn windows(text: &str, max: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
            let length = match gap(rest.get(..rest.floor_char_boundary(max)).unwrap_or(rest)) {
                Some(gap) if gap.start == 0 => {
                    start += gap.end;
                    continue;
                }
                Some(gap) => gap.start,
                None if rest.len() <= max => rest.len(),
                None => cut(rest, max),
            };
            let window = start..start + length;
            start = window.end;
            return Some(window);
        }
    })
}

/// The first run of white space longer than [`GAP`].
fn gap(text: &str) -> Option<Range<usize>> {
    let blank = text.split(|c: char| !c.is_whitespace()).find(|blank| blank.len() > GAP)?;
    let start = blank.as_ptr() as usize - text.as_ptr() as usize;
    Some(start..start + blank.len())
}

fn cut(text: &str, max: usize) -> usize {
    let head = text.get(..text.floor_char_boundary(max)).unwrap_or(text);
    // A cut in the first half would produce many small windows.
    let is_late = |at: &usize| *at >= max / 2;
    let before = |mark: &str, kept: usize| head.rfind(mark).map(|at| at + kept).filter(is_late);
    before("\n#", 1)
        .or_else(|| before("\n\n", 2))
        .or_else(|| before("\n", 1))
        .or_else(|| before(" ", 1))
        .unwrap_or(head.len())
        .max(1)
}

#[cfg(test)]
mod tests;
