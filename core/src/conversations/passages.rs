//! Pure: the sentences of a Markdown passage, as a reader hears them, with their place in it.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use unicode_segmentation::UnicodeSegmentation;

/// A sentence of a passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// What it says, without markup, on one line.
    pub(super) text: String,
    /// Its place in the passage, in characters, markup included.
    pub(super) span: Range<usize>,
}

/// A run of plain text of one block, and where its parts stand in the passage.
#[derive(Default)]
struct Block {
    plain: String,
    /// Of each part: its bytes in `plain`, and in the passage.
    parts: Vec<(Range<usize>, Range<usize>)>,
}

impl Block {
    fn push(&mut self, text: &str, source: Range<usize>) {
        self.parts.push((self.plain.len()..self.plain.len() + text.len(), source));
        self.plain.push_str(text);
    }

    /// The bytes of the passage that a range of `plain` came from. Inside a part that reads as it is
    /// written the place is exact; an entity, or code that goes on on another line, counts whole.
    fn source(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let place = |at: usize, end: bool| {
            let begins = |begin: usize| if end { begin < at } else { begin <= at };
            let (part, source) = self.parts.iter().rev().find(|(part, _)| begins(part.start))?;
            Some(match (part.len() == source.len(), end) {
                (true, _) => source.start + at.checked_sub(part.start)?,
                (false, false) => source.start,
                (false, true) => source.end,
            })
        };
        Some(place(range.start, false)?..place(range.end, true)?)
    }
}

/// The sentences of a passage, in order. Headings and code are no sentences; a table's row is one.
pub(super) fn sentences(passage: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut block = Block::default();
    let mut silent = false;
    for (event, range) in Parser::new_ext(passage, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::CodeBlock(_)) => {
                flush(&mut block, passage, &mut found);
                silent = true;
            }
            Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock) => silent = false,
            Event::Start(
                Tag::Paragraph | Tag::Item | Tag::TableRow | Tag::TableHead | Tag::BlockQuote(_),
            )
            | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead) => {
                flush(&mut block, passage, &mut found);
            }
            Event::Start(Tag::TableCell) if !block.plain.is_empty() => {
                block.push(", ", range.start..range.start)
            }
            Event::Text(text) | Event::Code(text) if !silent => {
                // Code stands between back quotes that are part of the range.
                let from = passage.get(range.clone()).and_then(|source| source.find(&*text));
                let source = from.map_or(range.clone(), |from| {
                    let from = range.start + from;
                    from..from + text.len()
                });
                block.push(&text, source);
            }
            Event::SoftBreak | Event::HardBreak if !silent => block.push(" ", range),
            _ => {}
        }
    }
    flush(&mut block, passage, &mut found);
    found
}

fn flush(block: &mut Block, passage: &str, found: &mut Vec<Sentence>) {
    let block = std::mem::take(block);
    for (begin, sentence) in block.plain.split_sentence_bound_indices() {
        let trimmed = sentence.trim();
        if trimmed.is_empty() {
            continue;
        }
        let begin = begin + (sentence.len() - sentence.trim_start().len());
        let Some(source) = block.source(&(begin..begin + trimmed.len())) else { continue };
        let chars_before = |byte: usize| passage.get(..byte).map_or(0, |text| text.chars().count());
        found.push(Sentence {
            text: trimmed.to_owned(),
            span: chars_before(source.start)..chars_before(source.end),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::sentences;

    fn at(passage: &str, span: std::ops::Range<usize>) -> String {
        passage.chars().skip(span.start).take(span.len()).collect()
    }

    #[test]
    fn markup_is_not_heard_and_spans_point_at_the_original() {
        let passage = "## Leave\n\nEvery **employee** gets 25 days.\nÜber Ostern\nist zu. See `HR` & ask.\n\n- First item here.\n- Second one: yes.\n\n```\nlet code = 1;\n```\n";
        let heard: Vec<(String, String)> =
            sentences(passage).into_iter().map(|s| (s.text, at(passage, s.span))).collect();
        let expected = [
            ("Every employee gets 25 days.", "Every **employee** gets 25 days."),
            ("Über Ostern ist zu.", "Über Ostern\nist zu."),
            ("See HR & ask.", "See `HR` & ask."),
            ("First item here.", "First item here."),
            ("Second one: yes.", "Second one: yes."),
        ];
        let expected: Vec<(String, String)> =
            expected.map(|(text, source)| (text.to_owned(), source.to_owned())).to_vec();
        assert_eq!(heard, expected);
    }

    #[test]
    fn code_that_goes_on_on_another_line_counts_whole() {
        for (passage, written) in [
            ("See `one\ntwö` there. More.", "See `one\ntwö` there."),
            ("> See `one\n> twö` there. More.", "See `one\n> twö` there."),
            ("`one\ntwö`", "`one\ntwö`"),
        ] {
            let heard = sentences(passage);
            assert_eq!(at(passage, heard[0].span.clone()), written);
        }
    }

    #[test]
    fn a_row_of_a_table_is_one_sentence() {
        let passage = "| Plan | Price |\n|---|---|\n| Basic | 10 EUR |\n";
        let heard: Vec<String> = sentences(passage).into_iter().map(|s| s.text).collect();
        assert_eq!(heard, ["Plan, Price", "Basic, 10 EUR"]);
    }

    #[test]
    fn plain_text_is_heard_as_it_is() {
        let passage = "We open at 9 a.m. on weekdays. On Sundays we are closed!";
        let heard = sentences(passage);
        assert!(heard.iter().all(|s| at(passage, s.span.clone()) == s.text));
        assert_eq!(heard.last().unwrap().text, "On Sundays we are closed!");
    }
}
