//! Pure: text in, chunks out. No IO.
//!
//! Splitting is `text-splitter`'s: at the largest semantic border that fits (Markdown blocks, then
//! sentences, words, characters), sized in the embedding model's own tokens, with overlap. Records (the rows
//! of a table) are never split; ours is only to put as many into a chunk as fit.

use std::collections::VecDeque;
use std::ops::Range;

use parlance_extract::protocol;
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use text_splitter::{ChunkCharIndex, ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

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

/// Headings longer than this are cut, in characters: they are context, not content.
const HEADING_LENGTH: usize = 160;

/// The splitter sees this much at once, in bytes. For each chunk it looks at sections of up to the whole
/// text, so that its work grows with the square of what it sees.
const WINDOW: usize = 32 * 1024;

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
        let mut characters = start;
        for range in windows(part, WINDOW) {
            let Some(window) = part.get(range.clone()) else { continue };
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
            let floor = told.chars().count() / CHARACTERS_PER_TOKEN;
            // What is too long anyway is not tokenised as a whole: a cell may hold megabytes.
            let tokens = if floor > RECORD_TOKENS { floor } else { (self.tokenize)(told).len().max(floor) };
            if open_tokens > 0 && open_tokens + tokens > self.sizing.tokens {
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

/// Ranges of at most `most` bytes that make up the text, cut where it hurts least: before a heading,
/// else between paragraphs, lines or words.
fn windows(text: &str, most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = if rest.len() <= most { rest.len() } else { cut(rest, most) };
        let window = start..start + length;
        start = window.end;
        Some(window)
    })
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

struct Heading {
    level: HeadingLevel,
    byte: usize,
    text: String,
}

/// The headings of a text, and those in force at a place that only moves forward.
#[derive(Default)]
struct Headings {
    ahead: VecDeque<Heading>,
    path: Vec<Heading>,
}

impl Headings {
    fn of(text: &str) -> Self {
        let mut found = VecDeque::new();
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
        Self { ahead: found, path: Vec::new() }
    }

    /// The headings in force at a byte: each replaces those of its level and below.
    fn at(&mut self, byte: usize) -> Option<String> {
        while self.ahead.front().is_some_and(|next| next.byte <= byte) {
            if let Some(next) = self.ahead.pop_front() {
                self.path.retain(|above| above.level < next.level);
                self.path.push(next);
            }
        }
        let texts = self.path.iter().map(|heading| heading.text.trim()).filter(|text| !text.is_empty());
        let joined: String = texts.collect::<Vec<_>>().join(" > ").chars().take(HEADING_LENGTH).collect();
        (!joined.is_empty()).then_some(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<usize> {
        let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        text.split_whitespace().map(place).collect()
    }

    fn split_words(text: &str, markup: Markup, tokens: usize, overlap: usize) -> Vec<Chunk> {
        split(&whole(text, markup), Sizing { tokens, overlap }, &words, &|| false).unwrap()
    }

    fn whole(text: &str, markup: Markup) -> Text {
        Text { text: text.into(), markup, pages: Vec::new(), apart: false }
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
                assert_eq!(chunk.tokens, words(&chunk.content).len());
                covered[chunk.span.clone()].fill(true);
            }
            let lost: String = text.chars().zip(covered).filter(|(_, kept)| !kept).map(|(c, _)| c).collect();
            assert_eq!(lost.trim(), "");
        }
    }

    #[test]
    fn a_text_of_many_windows_is_split_like_any_other() {
        let section = |i| {
            format!("# Part {i}\n\nÜber the matter of part {i} {}\n\n", "there is much to say. ".repeat(90))
        };
        let text: String = (0..60).map(section).collect();
        assert!(text.len() > 3 * WINDOW);
        let chunks = split_words(&text, Markup::Markdown, 50, 5);
        let characters: Vec<char> = text.chars().collect();
        let mut covered = vec![false; characters.len()];
        for chunk in &chunks {
            assert_eq!(String::from_iter(&characters[chunk.span.clone()]), chunk.content);
            covered[chunk.span.clone()].fill(true);
            if let Some(part) = chunk.content.strip_prefix("# Part ") {
                let number: String = part.chars().take_while(char::is_ascii_digit).collect();
                assert_eq!(chunk.heading.as_deref(), Some(&*format!("Part {number}")));
            }
        }
        let lost = characters.iter().zip(covered).filter(|(c, kept)| !kept && !c.is_whitespace()).count();
        assert_eq!(lost, 0);
    }

    #[test]
    fn a_word_without_end_is_many_chunks() {
        let text = "x".repeat(100_000);
        for markup in [Markup::Plain, Markup::Markdown] {
            let chunks = split_words(&text, markup, 10, 0);
            assert!(chunks.iter().all(|chunk| chunk.span.len() <= 11 * CHARACTERS_PER_TOKEN));
            assert_eq!(chunks.iter().map(|chunk| chunk.span.len()).sum::<usize>(), text.len());
        }
    }

    #[test]
    fn windows_make_up_the_text_and_are_cut_where_it_hurts_least() {
        let text = "one two\n\nthree\n# four\nfive";
        let cuts = |most| windows(text, most).map(|w| &text[w]).collect::<Vec<_>>();
        assert_eq!(cuts(100), [text]);
        assert_eq!(cuts(18), ["one two\n\nthree\n", "# four\nfive"]);
        assert_eq!(cuts(12), ["one two\n\n", "three\n", "# four\nfive"]);
        assert_eq!(windows("ééé", 3).count(), 3);
        assert_eq!(windows("", 3).count(), 0);
    }

    #[test]
    fn it_stops_when_told() {
        let outcome =
            split(&whole(HANDBOOK, Markup::Plain), Sizing { tokens: 5, overlap: 0 }, &words, &|| true);
        assert!(matches!(outcome, Err(Error::Cancelled)));
    }

    #[test]
    fn an_overlap_that_is_no_overlap_is_refused() {
        let outcome =
            split(&whole(HANDBOOK, Markup::Plain), Sizing { tokens: 5, overlap: 5 }, &words, &|| false);
        assert!(matches!(outcome, Err(Error::Internal { .. })));
    }

    fn pages(starts: &[(i32, usize)]) -> Vec<PageStart> {
        starts.iter().map(|&(number, start)| PageStart { number, start }).collect()
    }

    #[test]
    fn a_chunk_names_the_page_on_which_it_begins() {
        let text = Text {
            pages: pages(&[(1, 0), (2, 12), (3, 24)]),
            ..whole("Ä one two\n\n three four\n\n five six", Markup::Plain)
        };
        let chunks = split(&text, Sizing { tokens: 3, overlap: 0 }, &words, &|| false).unwrap();
        let seen: Vec<_> = chunks.iter().map(|chunk| (chunk.content.as_str(), chunk.page)).collect();
        assert_eq!(seen, [("Ä one two", Some(1)), ("three four", Some(2)), ("five six", Some(3))]);
    }

    #[test]
    fn no_chunk_spans_two_pages_that_stand_apart() {
        let text = Text {
            pages: pages(&[(2, 0), (5, 9)]),
            apart: true,
            ..whole("# Ö\n\none\nanother two", Markup::Markdown)
        };
        let chunks = split(&text, Sizing { tokens: 50, overlap: 0 }, &words, &|| false).unwrap();
        let characters: Vec<char> = text.text.chars().collect();
        let seen: Vec<_> = chunks
            .iter()
            .map(|chunk| (String::from_iter(&characters[chunk.span.clone()]), chunk.page))
            .collect();
        assert_eq!(seen, [("# Ö\n\none".to_owned(), Some(2)), ("another two".to_owned(), Some(5))]);
        assert_eq!(chunks[1].heading, None, "the headings of one page say nothing about another");
    }

    #[test]
    fn a_record_is_never_split_and_none_is_lost() {
        let record = |i: usize| format!("Name: Größe {i}\nPrice: {i} euros and {} more", i % 7);
        let text = (0..100).map(record).collect::<Vec<_>>().join("\n\n");
        let chunks = split_words(&text, Markup::Records, 40, 5);
        let joined = chunks.iter().map(|chunk| chunk.content.as_str()).collect::<Vec<_>>().join("\n\n");
        assert_eq!(joined, text);
        assert!(chunks.iter().all(|chunk| chunk.tokens <= 40));
        let characters: Vec<char> = text.chars().collect();
        for chunk in &chunks {
            assert_eq!(String::from_iter(&characters[chunk.span.clone()]), chunk.content);
        }
    }

    #[test]
    fn a_record_larger_than_a_chunk_stays_whole_while_the_model_can_read_it() {
        let large = format!("Text: {}", "word ".repeat(300).trim_end());
        let chunks = split_words(&format!("A: 1\n\n{large}\n\nB: 2"), Markup::Records, 40, 0);
        assert_eq!(chunks.iter().map(|c| c.content.as_str()).collect::<Vec<_>>(), ["A: 1", &large, "B: 2"]);
        let huge = format!("Text: {}", "word ".repeat(1000));
        assert!(split_words(&huge, Markup::Records, 40, 0).iter().all(|chunk| chunk.tokens <= 40));
    }
}
