//! Removal of running headers, footers and page numbers.
//!
//! They are recognised by repetition, so a document of one or two pages keeps them.

use std::collections::HashMap;

/// Minimum number of pages to recognise a repetition.
const MIN_PAGES: usize = 3;

/// Lines inspected at the top and at the bottom of a page.
const EDGE_LINES: usize = 3;

/// Maximum distance between two occurrences, in pages: left and right pages alternate, and the first page
/// of a chapter often has no header.
const REACH: usize = 4;

/// Maximum length of a running line, in characters. Longer lines are text, even when they repeat.
const MAX_CHARS: usize = 160;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    top: bool,
    shape: String,
}

struct Occurrence {
    page: usize,
    line: usize,
    text: String,
    numbers: Vec<u64>,
}

/// Removes the running lines of all pages.
pub(super) fn remove(pages: &mut [String]) {
    if pages.len() < MIN_PAGES {
        return;
    }
    let mut groups: HashMap<Key, Vec<Occurrence>> = HashMap::new();
    for (page, text) in pages.iter().enumerate() {
        for (top, line, text) in edges(text) {
            let (shape, numbers) = shape(text);
            let occurrence = Occurrence { page, line, text: text.to_owned(), numbers };
            groups.entry(Key { top, shape }).or_default().push(occurrence);
        }
    }
    let mut dropped: Vec<Vec<usize>> = vec![Vec::new(); pages.len()];
    for line in groups.into_values().flat_map(running_lines) {
        if let Some(lines) = dropped.get_mut(line.page) {
            lines.push(line.line);
        }
    }
    for (page, lines) in pages.iter_mut().zip(dropped).filter(|(_, lines)| !lines.is_empty()) {
        let kept = page.lines().enumerate().filter(|(line, _)| !lines.contains(line)).map(|(_, text)| text);
        let mut text = String::with_capacity(page.len());
        for line in kept {
            // A dropped line leaves one blank line, not two.
            if !(line.is_empty() && (text.is_empty() || text.ends_with("\n\n"))) {
                text.push_str(line);
                text.push('\n');
            }
        }
        *page = text.trim_end().to_owned();
    }
}

/// The first and last non-blank lines of a page, as (is top, line number, text). Lines of a short page may
/// count as both.
fn edges(page: &str) -> impl Iterator<Item = (bool, usize, &str)> {
    let lines: Vec<(usize, &str)> = page
        .lines()
        .enumerate()
        .map(|(number, line)| (number, line.trim()))
        // A table that spans pages repeats its header, which belongs to the table.
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('|') && line.chars().count() <= MAX_CHARS)
        .collect();
    let top: Vec<_> = lines.iter().take(EDGE_LINES).map(|(number, line)| (true, *number, *line)).collect();
    let bottom: Vec<_> =
        lines.iter().rev().take(EDGE_LINES).map(|(number, line)| (false, *number, *line)).collect();
    top.into_iter().chain(bottom)
}

/// A line without markup and white space, each number replaced by `0`; and the numbers.
fn shape(line: &str) -> (String, Vec<u64>) {
    let mut shape = String::new();
    let mut numbers = Vec::new();
    let mut digits = String::new();
    let bare =
        line.trim_start_matches('#').chars().filter(|character| !matches!(character, '*' | '_' | '\\'));
    for character in bare.chain([' ']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if !digits.is_empty() {
            shape.push('0');
            numbers.extend(digits.parse::<u64>());
            digits.clear();
        }
        if !character.is_whitespace() {
            shape.extend(character.to_lowercase());
        }
    }
    (shape, numbers)
}

/// The running lines among the lines of one shape: all of them if a number in them counts the pages, else
/// those with identical text on enough pages. Slide titles such as "Step 1", "Step 2" are text.
fn running_lines(mut group: Vec<Occurrence>) -> Vec<Occurrence> {
    if !repeats(&group) {
        return Vec::new();
    }
    if counts_pages(&group) {
        return group;
    }
    group.sort_by(|a, b| (&a.text, a.page).cmp(&(&b.text, b.page)));
    let same: Vec<bool> = group
        .chunk_by(|a, b| a.text == b.text)
        .flat_map(|same| std::iter::repeat_n(repeats(same), same.len()))
        .collect();
    group.into_iter().zip(same).filter(|(_, same)| *same).map(|(line, _)| line).collect()
}

/// Whether the lines occur on enough pages close together.
fn repeats(group: &[Occurrence]) -> bool {
    let mut pages: Vec<usize> = group.iter().map(|line| line.page).collect();
    pages.dedup();
    pages.windows(MIN_PAGES).any(near)
}

fn near(run: &[usize]) -> bool {
    run.windows(2).all(|pair| matches!(pair, [a, b] if b - a <= REACH))
}

/// Whether a number in the lines differs from the page number by a constant in at least four of five steps.
fn counts_pages(group: &[Occurrence]) -> bool {
    let columns = group.iter().map(|line| line.numbers.len()).min().unwrap_or_default();
    (0..columns).any(|column| {
        let offsets: Vec<i64> = group
            .iter()
            .filter_map(|line| {
                let number = i64::try_from(*line.numbers.get(column)?).ok()?;
                Some(number.wrapping_sub(i64::try_from(line.page).ok()?))
            })
            .collect();
        let steady = offsets.windows(2).filter(|pair| matches!(pair, [a, b] if a == b)).count();
        // A number that never changes fails here: its difference to the page changes with every page.
        steady * 5 >= (offsets.len().saturating_sub(1)) * 4
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(make: impl Fn(usize) -> String, count: usize) -> Vec<String> {
        (1..=count).map(make).collect()
    }

    #[test]
    fn repeated_lines_at_the_edges_are_removed() {
        let mut text =
            pages(|n| format!("ACME Handbook\n\nWords of page {}.\n\nPage {n} of 5", "x".repeat(n)), 5);
        remove(&mut text);
        for (n, page) in text.iter().enumerate() {
            assert_eq!(page.trim(), format!("Words of page {}.", "x".repeat(n + 1)));
        }
    }

    #[test]
    fn left_and_right_headers_may_differ() {
        let mut text = pages(
            |n| format!("{}\n\nBody {}", if n % 2 == 0 { "Title" } else { "Author" }, "y".repeat(n)),
            8,
        );
        remove(&mut text);
        assert!(text.iter().all(|page| page.trim().starts_with("Body")), "{text:?}");
    }

    #[test]
    fn a_header_may_change_with_the_part() {
        let mut text = pages(|n| format!("Part {}\n\nBody {}", 1 + n / 6, "y".repeat(n)), 10);
        remove(&mut text);
        assert!(text.iter().all(|page| page.trim().starts_with("Body")), "{text:?}");
    }

    #[test]
    fn numbered_headings_and_table_headers_stay() {
        let mut text = pages(|n| format!("## Step {}\n\n| a | b |\n| {n} | {n} |", n * 10), 5);
        let before = text.clone();
        remove(&mut text);
        assert_eq!(text, before);
    }

    #[test]
    fn two_pages_keep_their_headers() {
        let mut text = pages(|n| format!("Head\n\nBody {n}"), 2);
        remove(&mut text);
        assert!(text.iter().all(|page| page.starts_with("Head")));
    }
}
