//! The chunker: each chunk is the text at its span, in order, none is larger than it may be, and together they are the
//! text but for white space.

use std::ops::RangeInclusive;

use parlance_core::knowledge::chunk::{Chunk, Markup, PageStart, Sizing, Text, split};

use crate::{at, text_of};

/// Records up to this many tokens are never split.
const RECORD_TOKENS: usize = 480;

/// A token stands for so many characters at most.
const CHARACTERS_PER_TOKEN: usize = 16;

/// Some texts are repeated up to here, so that short inputs are long texts too: the chunker sees 32 KiB at a time.
const LONG: usize = 40_000;

/// Sizes for a long text: smaller ones take seconds.
const SIZES_OF_LONG: RangeInclusive<usize> = 128..=480;

/// Five bytes say how to split, and the rest is the text: how it is written and read, the size, the overlap, the length
/// of a page, and whether it is long.
pub fn check(input: &[u8]) {
    let Some((&[how, tokens, overlap, page, long], text)) = input.split_first_chunk() else { return };
    let (mut text, mut tokens) = (text_of(text), usize::from(tokens) * 2 + 1);
    if long > 240 && !text.is_empty() {
        text = text.repeat(LONG.div_ceil(text.len()));
        tokens = tokens.clamp(*SIZES_OF_LONG.start(), *SIZES_OF_LONG.end());
    }
    let sizing = Sizing { tokens, overlap: usize::from(overlap) % tokens.div_ceil(2) };
    let markup = match how & 3 {
        0 => Markup::Plain,
        1 => Markup::Records,
        _ => Markup::Markdown,
    };
    let tokenize = match how >> 2 & 3 {
        0 => words,
        1 => characters,
        _ => pieces,
    };
    let characters: Vec<char> = text.chars().collect();
    let pages = pages(usize::from(page) * 4, characters.len());
    let apart = how & 16 != 0 && !pages.is_empty();
    let text = Text { text, markup, pages, apart };
    match split(&text, sizing, &tokenize, &|| false) {
        Ok(chunks) => hold(&text, &characters, sizing, &chunks),
        Err(error) => panic!("{error:?}"),
    }
}

fn hold(text: &Text, characters: &[char], sizing: Sizing, chunks: &[Chunk]) {
    let most = if text.markup == Markup::Records { sizing.tokens.max(RECORD_TOKENS) } else { sizing.tokens };
    let mut covered = vec![false; characters.len()];
    let mut last = 0..0;
    for chunk in chunks {
        assert_eq!(at(characters, &chunk.span), chunk.content, "the content is what stands at the span");
        assert!(!chunk.content.trim().is_empty(), "a chunk of white space at {:?}", chunk.span);
        assert!(
            chunk.span.start >= last.start && chunk.span.end >= last.end,
            "{:?} after {last:?}",
            chunk.span
        );
        assert!(chunk.tokens <= most, "{} tokens, of {most}", chunk.tokens);
        assert!(
            chunk.span.len() / CHARACTERS_PER_TOKEN <= most,
            "{} characters, of {most} tokens",
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

/// The page on which a character stands.
fn page_at(pages: &[PageStart], character: usize) -> Option<i32> {
    pages.iter().take_while(|page| page.start <= character).last().map(|page| page.number)
}

/// Pages of this length, every third empty; none when it is nothing.
fn pages(length: usize, characters: usize) -> Vec<PageStart> {
    if length == 0 {
        return Vec::new();
    }
    let starts = (0..characters).step_by(length).enumerate();
    let starts =
        starts.flat_map(|(index, start)| std::iter::repeat_n(start, if index % 3 == 2 { 2 } else { 1 }));
    (1..).zip(starts).map(|(number, start)| PageStart { number, start }).collect()
}

/// A token a word.
fn words(text: &str) -> Vec<usize> {
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(place).collect()
}

/// A token a character.
fn characters(text: &str) -> Vec<usize> {
    text.char_indices().map(|(start, _)| start).collect()
}

/// As models of BERT's kind have them: marks and ideographs alone, words in pieces.
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
