//! Removal of blocks that nearly all pages of a site have, except on the first page. Pure: no IO.
//!
//! Examples are navigation bars above and footers below the content. Works on blocks of Markdown: paragraphs,
//! lists, headings. Tables, code, and lists that differ in an item stay.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::sameness::without_addresses;

/// Minimum number of pages with a block for it to count as repeated.
const MIN_PAGES: usize = 3;

/// Fewer pages than this may share real content: only sentences at their edges are removed.
const FEW_PAGES: usize = 4;

/// Minimum share of pages with a repeated block, in percent.
const SHARE: usize = 70;

/// Minimum number of words of a long block. A shorter block inside a page may be a fact about it ("In
/// stock"): it stays.
const LONG_WORDS: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Heading(usize),
    Text,
    List,
    /// A table or code.
    Verbatim,
}

/// A block of a page.
#[derive(Debug)]
struct Block {
    kind: Kind,
    /// Its lines.
    lines: Range<usize>,
    /// Its words without markup and URLs.
    words: String,
    /// Whether all words are in links.
    is_link: bool,
}

/// Removes from each page the blocks that nearly all pages have, unless the page is the first that has them.
pub(super) fn keep_once(pages: &mut [String]) {
    let blocks: Vec<Vec<Block>> = pages.iter().map(|page| blocks(page)).collect();
    let needed = (pages.len() * SHARE).div_ceil(100).max(pages.len().clamp(MIN_PAGES, FEW_PAGES));
    let is_few = pages.len() < FEW_PAGES;
    let mut holders: HashMap<&str, (usize, usize)> = HashMap::new();
    for (index, page) in blocks.iter().enumerate() {
        let compared = page.iter().filter(|block| block.kind != Kind::Verbatim);
        let distinct: HashSet<&str> = compared.map(|block| block.words.as_str()).collect();
        for words in distinct.into_iter().filter(|words| !words.is_empty()) {
            let (_first, count) = holders.entry(words).or_insert((index, 0));
            *count += 1;
        }
    }
    let is_repeated =
        |block: &Block| holders.get(block.words.as_str()).is_some_and(|(_, count)| *count >= needed);
    let first = |block: &Block| holders.get(block.words.as_str()).map(|(first, _)| *first);
    for (index, (page, blocks)) in pages.iter_mut().zip(&blocks).enumerate() {
        let repeated: Vec<bool> = blocks.iter().map(is_repeated).collect();
        let elsewhere: Vec<bool> = blocks.iter().map(|block| first(block) != Some(index)).collect();
        let dropped = dropped(blocks, &repeated, &elsewhere, is_few);
        if dropped.contains(&true) {
            *page = without(page, blocks, &dropped);
        }
    }
}

/// Selects the blocks of a page to remove. `repeated`: nearly all pages have the block. `elsewhere`: an
/// earlier page keeps it.
fn dropped(blocks: &[Block], repeated: &[bool], elsewhere: &[bool], is_few: bool) -> Vec<bool> {
    let is_frame = |(block, repeated): (&Block, &bool)| *repeated || block.words.is_empty();
    // The title of a page precedes its navigation bar.
    let titles = usize::from(blocks.first().is_some_and(|block| block.kind == Kind::Heading(1)));
    let above = titles + blocks.iter().zip(repeated).skip(titles).take_while(|pair| is_frame(*pair)).count();
    let below = blocks.iter().zip(repeated).rev().take_while(|pair| is_frame(*pair)).count();
    let below = blocks.len() - below;
    let mut dropped: Vec<bool> = blocks
        .iter()
        .zip(repeated.iter().zip(elsewhere))
        .enumerate()
        .map(|(at, (block, (repeated, elsewhere)))| {
            let is_text = matches!(block.kind, Kind::Text | Kind::List);
            let is_at_edge = at < above || at >= below;
            let may_go = if is_few { is_at_edge && is_long(block) } else { may_go(block, is_at_edge) };
            *repeated && *elsewhere && is_text && may_go
        })
        .collect();
    // A heading is removed if its whole section is. Bottom-up, so that subheadings are decided first.
    for (at, block) in blocks.iter().enumerate().rev() {
        let Kind::Heading(level) = block.kind else { continue };
        let may_go = repeated.get(at) == Some(&true) && elsewhere.get(at) == Some(&true);
        let rest = (blocks.get(at + 1..).unwrap_or_default(), dropped.get(at + 1..).unwrap_or_default());
        let section = rest.0.iter().zip(rest.1);
        let mut section = section.take_while(|(block, _)| match block.kind {
            Kind::Heading(other) => other > level,
            _ => true,
        });
        if may_go
            && section.all(|(block, dropped)| *dropped || block.words.is_empty())
            && let Some(dropped) = dropped.get_mut(at)
        {
            *dropped = true;
        }
    }
    dropped
}

/// Whether a repeated block may be removed: long blocks and links anywhere, others only at the edges of a
/// page and without digits.
fn may_go(block: &Block, is_at_edge: bool) -> bool {
    let is_fact = block.words.bytes().any(|byte| byte.is_ascii_digit());
    is_long(block) || block.is_link || (is_at_edge && !is_fact)
}

fn is_long(block: &Block) -> bool {
    word_count(&block.words) >= LONG_WORDS
}

/// The number of words. A letter of a script without spaces counts as half a word.
fn word_count(words: &str) -> usize {
    let is_unspaced =
        |c: &char| matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}');
    words.split(' ').count() + words.chars().filter(is_unspaced).count() / 2
}

/// A page without the dropped blocks.
fn without(page: &str, blocks: &[Block], dropped: &[bool]) -> String {
    let lines: Vec<&str> = page.lines().collect();
    let mut kept: Vec<&str> = Vec::with_capacity(lines.len());
    let mut next = 0;
    let gone = blocks.iter().zip(dropped).filter(|(_, dropped)| **dropped);
    for (block, _) in gone {
        kept.extend(lines.get(next..block.lines.start).unwrap_or_default());
        next = block.lines.end;
        // The blank lines after a block are removed, too.
        while lines.get(next).is_some_and(|line| line.trim().is_empty()) {
            next += 1;
        }
    }
    kept.extend(lines.get(next..).unwrap_or_default());
    kept.join("\n").trim_end().to_owned()
}

/// The blocks of a page. A list with blank lines between its items is one block.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let lines: Vec<&str> = page.lines().collect();
    let mut fence: Option<(char, usize)> = None;
    // Whether the next line continues the last block.
    let mut is_open = false;
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if let Some(mark) = fence {
            extend(&mut blocks, at);
            if fence_of(trimmed).is_some_and(|end| end.0 == mark.0 && end.1 >= mark.1) {
                (fence, is_open) = (None, false);
            }
            continue;
        }
        if trimmed.is_empty() {
            is_open = false;
            continue;
        }
        let last = blocks.last().map(|block| block.kind);
        fence = fence_of(trimmed);
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        let kind = if fence.is_some() {
            Kind::Verbatim
        } else if is_indented && last == Some(Kind::List) {
            // Indented text continues a list item, even after a blank line.
            Kind::List
        } else if trimmed.starts_with('|') || is_indented {
            Kind::Verbatim
        } else if let Some(level) = heading(line) {
            Kind::Heading(level)
        } else if is_item(trimmed) {
            Kind::List
        } else if is_open && matches!(last, Some(Kind::List | Kind::Text)) {
            // A lazy continuation line (CommonMark).
            last.unwrap_or(Kind::Text)
        } else {
            Kind::Text
        };
        let continues = last == Some(kind)
            && fence.is_none()
            && !matches!(kind, Kind::Heading(_))
            && (is_open || kind == Kind::List);
        if continues {
            extend(&mut blocks, at);
        } else {
            blocks.push(Block { kind, lines: at..at + 1, words: String::new(), is_link: false });
        }
        is_open = !matches!(kind, Kind::Heading(_));
    }
    for block in &mut blocks {
        if block.kind == Kind::Verbatim {
            // Not empty: blocks without words extend the frame of a page. Never compared.
            "\u{0}".clone_into(&mut block.words);
            continue;
        }
        let text = lines.get(block.lines.clone()).unwrap_or_default().join("\n");
        let plain = without_addresses(&text);
        block.words = words(&plain);
        block.is_link = text.contains("](") && words(&outside_links(&plain)).is_empty();
    }
    blocks
}

fn extend(blocks: &mut [Block], line: usize) {
    if let Some(block) = blocks.last_mut() {
        block.lines.end = line + 1;
    }
}

/// The mark and length of a code fence.
fn fence_of(line: &str) -> Option<(char, usize)> {
    ['`', '~'].into_iter().find_map(|mark| {
        let length = line.chars().take_while(|c| *c == mark).count();
        (length >= 3).then_some((mark, length))
    })
}

fn heading(line: &str) -> Option<usize> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    ((1..=6).contains(&level) && line.get(level..)?.starts_with([' ', '\t'])).then_some(level)
}

fn is_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let marker = match digits {
        0 => line.starts_with(['-', '*', '+']).then_some(1),
        1..=9 => line.get(digits..).is_some_and(|rest| rest.starts_with(['.', ')'])).then_some(digits + 1),
        _ => None,
    };
    marker.and_then(|end| line.get(end..)).is_some_and(|rest| rest.starts_with([' ', '\t']))
}

/// The words of a text, separated by spaces, in lower case.
fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The text outside brackets. `plain` is a text without URLs.
fn outside_links(plain: &str) -> String {
    let mut depth = 0_usize;
    plain
        .chars()
        .filter(|character| {
            match character {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages with a title, a bar, a distinct body and a footer.
    fn site(count: usize, body: impl Fn(usize) -> String) -> Vec<String> {
        (0..count).map(|n| format!("# Title {n}\n\n{}", body(n))).collect()
    }

    fn once(mut pages: Vec<String>) -> Vec<String> {
        keep_once(&mut pages);
        pages
    }

    #[test]
    fn bars_and_footers_are_kept_once() {
        let pages = once(site(5, |n| {
            format!(
                "[![Logo](/l.png?{n})](/{n}) **Brook**\n\nText {n} of its own.\n\n### Need help?\n\nReach out to us, \
                 and we will be happy to help."
            )
        }));
        assert!(pages[0].contains("Logo") && pages[0].ends_with("happy to help."), "{}", pages[0]);
        for (n, page) in pages.iter().enumerate().skip(1) {
            assert_eq!(*page, format!("# Title {n}\n\nText {n} of its own."));
        }
    }

    #[test]
    fn pages_of_a_short_site_lose_only_sentences_at_their_edges() {
        let footer = "Reach out to us, and we will be happy to help.";
        let pages = |count| {
            site(count, |n| format!("[Brook](/)\n\nText {n}.\n\n{footer}\n\nMore {n}.\n\n{footer} Now."))
        };
        assert_eq!(once(pages(2)), pages(2));
        let three = once(pages(3));
        assert_eq!(three[0], pages(3)[0]);
        assert_eq!(three[1], format!("# Title 1\n\n[Brook](/)\n\nText 1.\n\n{footer}\n\nMore 1."));
    }

    #[test]
    fn a_table_is_no_part_of_the_frame_of_its_page() {
        let pages = site(5, |n| format!("| Model |\n|---|\n| {n} |\n\nIn stock.\n\nText {n} of its own."));
        assert_eq!(once(pages.clone()), pages);
    }

    #[test]
    fn a_block_of_few_pages_stays() {
        let pages = site(10, |n| {
            let footer = if n < 5 { "Reach out to us, and we will be happy to help." } else { "" };
            format!("Text {n}.\n\n{footer}").trim_end().to_owned()
        });
        assert_eq!(once(pages.clone()), pages);
    }

    #[test]
    fn a_heading_stays_with_its_own_text() {
        let pages = site(5, |n| {
            format!("## Ingredients\n\nFlour and {n} eggs.\n\n## Steps\n\n### Oven\n\nBake {n}.")
        });
        assert_eq!(once(pages.clone()), pages);
    }

    #[test]
    fn short_facts_of_each_page_stay() {
        let pages = site(5, |n| format!("Lamp {n}\n\nIn stock\n\nSold by {n} shops.\n\nPrice: 12 euros"));
        assert_eq!(once(pages.clone()), pages);
    }

    #[test]
    fn tables_code_and_lists_with_a_difference_stay() {
        for common in [
            "| Size | Price |\n| --- | --- |\n| Small one of the sizes | 5 |",
            "```\nlet us = repeat(this, line, five, times);\n\nand this one of the code\n```",
            "    indented code of more than five words",
        ] {
            let pages = site(5, |n| format!("Text {n}.\n\n{common}"));
            assert_eq!(once(pages.clone()), pages);
        }
        let pages = site(5, |n| {
            format!(
                "1. Open the settings of your account in the menu.\n\n2. Choose number {n}.\n3. Save what you have changed now."
            )
        });
        assert_eq!(once(pages.clone()), pages);
    }

    #[test]
    fn a_sentence_in_the_middle_is_kept_once() {
        let notice = "Our shop is closed for the whole of August.";
        let pages = once(site(6, |n| format!("Text {n}.\n\n{notice}\n\nMore of {n}.")));
        assert_eq!(pages.iter().filter(|page| page.contains(notice)).count(), 1);
        assert_eq!(pages[5], "# Title 5\n\nText 5.\n\nMore of 5.");
    }

    #[test]
    fn words_of_scripts_without_spaces_count() {
        let notice = "詳しくはお問い合わせフォームからご連絡ください。";
        let pages = once(site(5, |n| format!("本文 {n}\n\n{notice}\n\n続き {n}")));
        assert_eq!(pages.iter().filter(|page| page.contains(notice)).count(), 1);
    }

    #[test]
    fn hostile_markup_is_read_in_linear_time() {
        for part in ["[", "](", "](\n", "```\n", "# a\n", "- ", "https://", "h]", "\n\n"] {
            let page = part.repeat(50_000);
            let mut pages = vec![page; 5];
            keep_once(&mut pages);
        }
    }
}
