//! Lines that run along the edges of the pages: headers, footers and page numbers. They are told
//! from text by repeating, so a document of one or two pages keeps them.

use std::collections::HashMap;

/// Fewer pages repeat nothing that can be told from text.
const MIN_PAGES: usize = 3;

/// How many lines at each edge may run along it.
const EDGE_LINES: usize = 3;

/// A running line comes back within this many pages: left and right pages alternate, and the first
/// page of a chapter often has none.
const REACH: usize = 4;

/// Longer lines are text, even when they repeat.
const MAX_CHARS: usize = 160;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    top: bool,
    shape: String,
}

struct Seen {
    page: usize,
    line: usize,
    text: String,
    numbers: Vec<u64>,
}

/// Drops the running lines of all pages.
pub(super) fn drop_lines(pages: &mut [String]) {
    if pages.len() < MIN_PAGES {
        return;
    }
    let mut groups: HashMap<Key, Vec<Seen>> = HashMap::new();
    for (page, text) in pages.iter().enumerate() {
        for (top, line, text) in edges(text) {
            let (shape, numbers) = shape(text);
            let seen = Seen { page, line, text: text.to_owned(), numbers };
            groups.entry(Key { top, shape }).or_default().push(seen);
        }
    }
    let mut doomed: Vec<Vec<usize>> = vec![Vec::new(); pages.len()];
    for seen in groups.into_values().flat_map(running) {
        if let Some(lines) = doomed.get_mut(seen.page) {
            lines.push(seen.line);
        }
    }
    for (page, lines) in pages.iter_mut().zip(doomed).filter(|(_, lines)| !lines.is_empty()) {
        let kept = page.lines().enumerate().filter(|(line, _)| !lines.contains(line)).map(|(_, text)| text);
        *page = kept.collect::<Vec<_>>().join("\n");
    }
}

/// The first and the last lines of a page that are not blank. A page too short to have a middle is
/// looked at as well: what repeats on it repeats on others.
fn edges(page: &str) -> impl Iterator<Item = (bool, usize, &str)> {
    let lines: Vec<(usize, &str)> = page
        .lines()
        .enumerate()
        .map(|(number, line)| (number, line.trim()))
        // A table that goes on over pages repeats its header, and it is the table's.
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('|') && line.chars().count() <= MAX_CHARS)
        .collect();
    let top: Vec<_> = lines.iter().take(EDGE_LINES).map(|(number, line)| (true, *number, *line)).collect();
    let bottom: Vec<_> =
        lines.iter().rev().take(EDGE_LINES).map(|(number, line)| (false, *number, *line)).collect();
    top.into_iter().chain(bottom)
}

/// A line without its marks, each number replaced, and the numbers.
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

/// Those of the lines of one shape that run along an edge: all, when a number in them counts the
/// pages, or those that say the very same on enough pages. "Step 1", "Step 2" at the head of slides
/// are text.
fn running(mut group: Vec<Seen>) -> Vec<Seen> {
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
    group.into_iter().zip(same).filter(|(_, same)| *same).map(|(seen, _)| seen).collect()
}

/// Whether lines are on enough pages near one another.
fn repeats(group: &[Seen]) -> bool {
    let mut pages: Vec<usize> = group.iter().map(|seen| seen.page).collect();
    pages.dedup();
    pages.windows(MIN_PAGES).any(near)
}

fn near(run: &[usize]) -> bool {
    run.windows(2).all(|pair| matches!(pair, [a, b] if b - a <= REACH))
}

/// Whether the number at some place differs from the page by the same amount nearly always.
fn counts_pages(group: &[Seen]) -> bool {
    let places = group.iter().map(|seen| seen.numbers.len()).min().unwrap_or_default();
    (0..places).any(|place| {
        let offsets: Vec<i64> = group
            .iter()
            .filter_map(|seen| {
                let number = i64::try_from(*seen.numbers.get(place)?).ok()?;
                Some(number.wrapping_sub(i64::try_from(seen.page).ok()?))
            })
            .collect();
        let steady = offsets.windows(2).filter(|pair| matches!(pair, [a, b] if a == b)).count();
        // A number that never changes is not what tells the pages apart.
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
    fn lines_that_repeat_at_the_edges_are_dropped() {
        let mut text =
            pages(|n| format!("ACME Handbook\n\nWords of page {}.\n\nPage {n} of 5", "x".repeat(n)), 5);
        drop_lines(&mut text);
        for (n, page) in text.iter().enumerate() {
            assert_eq!(page.trim(), format!("Words of page {}.", "x".repeat(n + 1)));
        }
    }

    #[test]
    fn left_and_right_pages_may_differ() {
        let mut text = pages(
            |n| format!("{}\n\nBody {}", if n % 2 == 0 { "Title" } else { "Author" }, "y".repeat(n)),
            8,
        );
        drop_lines(&mut text);
        assert!(text.iter().all(|page| page.trim().starts_with("Body")), "{text:?}");
    }

    #[test]
    fn a_header_may_name_the_part() {
        let mut text = pages(|n| format!("Part {}\n\nBody {}", 1 + n / 6, "y".repeat(n)), 10);
        drop_lines(&mut text);
        assert!(text.iter().all(|page| page.trim().starts_with("Body")), "{text:?}");
    }

    #[test]
    fn numbered_headings_and_table_heads_stay() {
        let mut text = pages(|n| format!("## Step {}\n\n| a | b |\n| {n} | {n} |", n * 10), 5);
        let before = text.clone();
        drop_lines(&mut text);
        assert_eq!(text, before);
    }

    #[test]
    fn two_pages_keep_all() {
        let mut text = pages(|n| format!("Head\n\nBody {n}"), 2);
        drop_lines(&mut text);
        assert!(text.iter().all(|page| page.starts_with("Head")));
    }
}
