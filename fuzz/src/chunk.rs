//! The chunker.
//!
//! Chunks are in order, each is the text at its span and within the size limit, and together they cover the
//! text except white space.

use std::ops::RangeInclusive;

use parlance_core::knowledge::chunk::{Chunk, Markup, PageStart, Sizing, Text, split};

use crate::{at, text_of};

/// Records of up to this many tokens are never split.
const RECORD_TOKENS: usize = 480;

/// Maximum characters per token.
const CHARACTERS_PER_TOKEN: usize = 16;

/// Some texts are repeated up to this length, since the chunker has a window of 32 KiB.
const LONG_TEXT: usize = 40_000;

/// Chunk sizes for long texts: smaller ones take seconds.
const LONG_TEXT_TOKENS: RangeInclusive<usize> = 128..=480;

/// The first five bytes are options: markup and tokenizer, chunk size, overlap, page length, and whether the
/// text is long. The rest is the text.
pub fn check(input: &[u8]) {
    let Some((&[options, tokens, overlap, page, long], text)) = input.split_first_chunk() else { return };
    let (mut text, mut tokens) = (text_of(text), usize::from(tokens) * 2 + 1);
    if long > 240 && !text.is_empty() {
        text = text.repeat(LONG_TEXT.div_ceil(text.len()));
        tokens = tokens.clamp(*LONG_TEXT_TOKENS.start(), *LONG_TEXT_TOKENS.end());
    }
    let sizing = Sizing { tokens, overlap: usize::from(overlap) % tokens.div_ceil(2) };
    let markup = match options & 3 {
        0 => Markup::Plain,
        1 => Markup::Records,
        _ => Markup::Markdown,
    };
    let tokenize = match options >> 2 & 3 {
        0 => words,
        1 => characters,
        _ => pieces,
    };
    let characters: Vec<char> = text.chars().collect();
    let pages = pages(usize::from(page) * 4, characters.len());
    let apart = options & 16 != 0 && !pages.is_empty();
    let text = Text { text, markup, pages, apart };
    match split(&text, sizing, &tokenize, &|| false) {
        Ok(chunks) => check_chunks(&text, &characters, sizing, &chunks),
        Err(error) => panic!("{error:?}"),
    }
}

fn check_chunks(text: &Text, characters: &[char], sizing: Sizing, chunks: &[Chunk]) {
    let limit = if text.markup == Markup::Records { sizing.tokens.max(RECORD_TOKENS) } else { sizing.tokens };
    let mut covered = vec![false; characters.len()];
    let mut last = 0..0;
    for chunk in chunks {
        assert_eq!(at(characters, &chunk.span), chunk.content, "the content is the text at the span");
        assert!(!chunk.content.trim().is_empty(), "a chunk of white space at {:?}", chunk.span);
        assert!(
            chunk.span.start >= last.start && chunk.span.end >= last.end,
            "{:?} after {last:?}",
            chunk.span
        );
        assert!(chunk.tokens <= limit, "{} tokens, limit {limit}", chunk.tokens);
        assert!(
            chunk.span.len() / CHARACTERS_PER_TOKEN <= limit,
            "{} characters, limit {limit} tokens",
            chunk.span.len()
        );
        assert_eq!(chunk.page, page_at(&text.pages, chunk.span.start), "{:?}", chunk.span);
        if text.apart {
            let end = page_at(&text.pages, chunk.span.end.saturating_sub(1));
            assert_eq!(chunk.page, end, "{:?} spans two pages", chunk.span);
        }
        let heading = chunk.heading.as_ref().map_or(0, |heading| heading.chars().count());
        assert!(heading <= 160, "a heading of {heading} characters");
        covered.get_mut(chunk.span.clone()).unwrap_or_default().fill(true);
        last = chunk.span.clone();
    }
    let mut lost =
        characters.iter().zip(covered).enumerate().filter(|(_, (c, kept))| !kept && !c.is_whitespace());
    assert_eq!(lost.next(), None, "a character is lost");
}

/// The page of a character.
fn page_at(pages: &[PageStart], character: usize) -> Option<i32> {
    pages.iter().take_while(|page| page.start <= character).last().map(|page| page.number)
}

/// Pages of this length, every third one empty; none if the length is 0.
fn pages(length: usize, characters: usize) -> Vec<PageStart> {
    if length == 0 {
        return Vec::new();
    }
    let starts = (0..characters).step_by(length).enumerate();
    let starts =
        starts.flat_map(|(index, start)| std::iter::repeat_n(start, if index % 3 == 2 { 2 } else { 1 }));
    (1..).zip(starts).map(|(number, start)| PageStart { number, start, markup: None }).collect()
}

/// One token per word.
fn words(text: &str) -> Vec<usize> {
    let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(offset).collect()
}

/// One token per character.
fn characters(text: &str) -> Vec<usize> {
    text.char_indices().map(|(start, _)| start).collect()
}

/// Like WordPiece: punctuation and ideographs are single tokens, words are split into pieces.
fn pieces(text: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut length = 0;
    for (start, character) in text.char_indices() {
        if character.is_whitespace() || character.is_control() {
            length = 0;
        } else if character.is_alphanumeric() && character < '\u{2e80}' {
            if length % 4 == 0 {
                starts.push(start);
            }
            length += 1;
        } else {
            starts.push(start);
            length = 0;
        }
    }
    starts
}
