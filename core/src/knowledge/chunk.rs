//! Pure: text in, chunks out. No IO.
//!
//! Splitting is `text-splitter`'s: at the largest semantic border that fits (Markdown blocks, then
//! sentences, words, characters), sized in the embedding model's own tokens, with overlap.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use text_splitter::{ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

use crate::error::{Error, Result};

/// How large chunks are, in tokens of the embedding model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// The most tokens of a chunk.
    pub tokens: usize,
    /// Tokens at the beginning of a chunk that its predecessor ends with.
    pub overlap: usize,
}

impl Default for Sizing {
    /// Leaves room for the headings within the 256 tokens at which all-MiniLM-L6-v2 was trained.
    fn default() -> Self {
        Self { tokens: 200, overlap: 30 }
    }
}

/// How the text is written, and so where it may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Plain text.
    Plain,
    /// Markdown.
    Markdown,
}

/// A passage of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The passage, as it stands in the text.
    pub content: String,
    /// The headings above its beginning, outermost first, joined by ` > `.
    pub heading: Option<String>,
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

/// Headings longer than this are cut, in characters: they are context, not content.
const HEADING_LENGTH: usize = 160;

/// Splits a text. `count` counts tokens; `stopped` is asked after each chunk.
///
/// # Errors
/// [`Error::Cancelled`] when stopped; [`Error::Internal`] when the sizing is impossible.
pub fn split(
    text: &str,
    markup: Markup,
    sizing: Sizing,
    count: &dyn Fn(&str) -> usize,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<Chunk>> {
    let config = ChunkConfig::new(sizing.tokens)
        .with_sizer(Counter(count))
        .with_overlap(sizing.overlap)
        .map_err(|error| Error::internal("the chunk size is impossible", error))?;
    match markup {
        Markup::Plain => {
            let splitter = TextSplitter::new(config);
            let pieces = splitter
                .chunk_char_indices(text)
                .map(|piece| (piece.byte_offset, piece.char_offset, piece.chunk));
            collect(pieces, &[], count, stopped)
        }
        Markup::Markdown => {
            let splitter = MarkdownSplitter::new(config);
            let pieces = splitter
                .chunk_char_indices(text)
                .map(|piece| (piece.byte_offset, piece.char_offset, piece.chunk));
            collect(pieces, &headings(text), count, stopped)
        }
    }
}

fn collect<'t>(
    pieces: impl Iterator<Item = (usize, usize, &'t str)>,
    headings: &[Heading],
    count: &dyn Fn(&str) -> usize,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    for (byte, start, content) in pieces {
        if stopped() {
            return Err(Error::Cancelled);
        }
        chunks.push(Chunk {
            heading: path_at(headings, byte),
            span: start..start + content.chars().count(),
            tokens: count(content),
            content: content.to_owned(),
        });
    }
    Ok(chunks)
}

struct Counter<'a>(&'a dyn Fn(&str) -> usize);

impl ChunkSizer for Counter<'_> {
    fn size(&self, chunk: &str) -> usize {
        (self.0)(chunk)
    }
}

struct Heading {
    level: HeadingLevel,
    byte: usize,
    text: String,
}

fn headings(text: &str) -> Vec<Heading> {
    let mut found = Vec::new();
    let mut open: Option<Heading> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                open = Some(Heading { level, byte: range.start, text: String::new() });
            }
            Event::End(TagEnd::Heading(_)) => found.extend(open.take()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut open {
                    heading.text.push_str(&part);
                }
            }
            _ => {}
        }
    }
    found
}

/// The headings in force at a byte: each replaces those of its level and below.
fn path_at(headings: &[Heading], byte: usize) -> Option<String> {
    let mut path: Vec<&Heading> = Vec::new();
    for heading in headings.iter().take_while(|heading| heading.byte <= byte) {
        path.retain(|above| above.level < heading.level);
        path.push(heading);
    }
    let texts: Vec<&str> =
        path.iter().map(|heading| heading.text.trim()).filter(|text| !text.is_empty()).collect();
    let joined: String = texts.join(" > ").chars().take(HEADING_LENGTH).collect();
    (!joined.is_empty()).then_some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn split_words(text: &str, markup: Markup, tokens: usize, overlap: usize) -> Vec<Chunk> {
        split(text, markup, Sizing { tokens, overlap }, &words, &|| false).unwrap()
    }

    const HANDBOOK: &str = "# Handbook\n\nWelcome to the company, we are glad.\n\n## Leave\n\nEvery employee gets 25 days of leave a year.\n\n### Sick leave\n\nCall before nine o'clock.\n\n## Remote work\n\nThree days a week – agree with your team, später mehr.\n";

    #[test]
    fn a_chunk_knows_the_headings_above_it() {
        let chunks = split_words(HANDBOOK, Markup::Markdown, 12, 0);
        let heading_of = |needle: &str| {
            chunks.iter().find(|chunk| chunk.content.contains(needle)).unwrap().heading.clone().unwrap()
        };
        assert_eq!(heading_of("25 days"), "Handbook > Leave");
        assert_eq!(heading_of("before nine"), "Handbook > Leave > Sick leave");
        assert_eq!(heading_of("Three days"), "Handbook > Remote work");
    }

    #[test]
    fn a_span_is_exactly_the_content() {
        for (markup, overlap) in
            [(Markup::Plain, 0), (Markup::Plain, 3), (Markup::Markdown, 0), (Markup::Markdown, 3)]
        {
            for chunk in split_words(HANDBOOK, markup, 10, overlap) {
                let at_span: String =
                    HANDBOOK.chars().skip(chunk.span.start).take(chunk.span.len()).collect();
                assert_eq!(at_span, chunk.content);
            }
        }
    }

    #[test]
    fn nothing_but_white_space_is_lost_and_no_chunk_is_too_large() {
        let text = HANDBOOK.repeat(20);
        for markup in [Markup::Plain, Markup::Markdown] {
            let chunks = split_words(&text, markup, 15, 4);
            let mut covered = vec![false; text.chars().count()];
            for chunk in &chunks {
                assert!(chunk.tokens <= 15);
                covered[chunk.span.clone()].fill(true);
            }
            let lost: String = text.chars().zip(covered).filter(|(_, kept)| !kept).map(|(c, _)| c).collect();
            assert_eq!(lost.trim(), "");
        }
    }

    #[test]
    fn it_stops_when_told() {
        let outcome = split(HANDBOOK, Markup::Plain, Sizing { tokens: 5, overlap: 0 }, &words, &|| true);
        assert!(matches!(outcome, Err(Error::Cancelled)));
    }

    #[test]
    fn an_overlap_that_is_no_overlap_is_refused() {
        let outcome = split(HANDBOOK, Markup::Plain, Sizing { tokens: 5, overlap: 5 }, &words, &|| false);
        assert!(matches!(outcome, Err(Error::Internal { .. })));
    }
}
