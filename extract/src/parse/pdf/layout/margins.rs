//! Line numbers in the margin.

use std::collections::HashSet;

use super::lines::lines;
use super::piece::Piece;

/// Minimum number of line numbers: if every line has one, and if every fifth line has one.
const MIN_NUMBERS: usize = 5;
const MIN_FIFTHS: usize = 3;

/// Distance within which numbers are aligned, in points.
const ALIGNED: f32 = 3.0;

/// A number at the left or right end of its line.
#[derive(Clone, Copy, Debug)]
struct Number {
    value: u32,
    x0: f32,
    x1: f32,
    baseline: f32,
    order: u32,
    /// Whether text stands beside the number.
    accompanied: bool,
    /// Whether parts of the text are far from each other, as in a table.
    divided: bool,
    /// Whether the text stands at least 0.8 em away, is long or larger than the number, and starts in lower
    /// case.
    goes_on: bool,
}

/// Removes the line numbers of a page.
pub(super) fn remove_line_numbers(pieces: &mut Vec<Piece>) {
    let rows = lines(pieces.clone());
    let texts = rows.iter().filter(|row| row.pieces.iter().any(|piece| number(piece).is_none())).count();
    for left in [true, false] {
        let numbers: Vec<Number> = rows
            .iter()
            .filter_map(|row| {
                let (piece, rest) = if left { row.pieces.split_first()? } else { row.pieces.split_last()? };
                let beside = if left { rest.first() } else { rest.last() };
                let gap = beside.map(|beside| {
                    if left { beside.rect.x0 - piece.rect.x1 } else { piece.rect.x0 - beside.rect.x1 }
                });
                let free = gap.is_none_or(|gap| gap > 0.3 * row.size) && (left || !piece.glued);
                let divided = rest.windows(2).any(|pair| match pair {
                    [a, b] => b.rect.x0 - a.rect.x1 > 2.5 * row.size,
                    _ => false,
                });
                free.then_some(())?;
                Some(Number {
                    value: number(piece)?,
                    x0: piece.rect.x0,
                    x1: piece.rect.x1,
                    baseline: piece.baseline,
                    order: piece.order,
                    accompanied: beside.is_some(),
                    divided,
                    goes_on: gap.is_some_and(|gap| gap > 0.8 * row.size)
                        && (row.len() > 25 || piece.size < 0.85 * row.size)
                        && rest.first().is_some_and(|word| word.text.starts_with(char::is_lowercase)),
                })
            })
            .collect();
        let aligned = aligned(numbers);
        let beside = |piece: &Piece| {
            number(piece).is_some()
                || aligned.iter().all(|n| if left { piece.rect.x0 > n.x1 } else { piece.rect.x1 < n.x0 })
        };
        let outside = !aligned.is_empty() && pieces.iter().all(beside);
        if count_lines(&aligned, texts, outside) {
            let numbers: HashSet<(u32, u32)> =
                aligned.iter().map(|number| (number.order, number.x0.to_bits())).collect();
            pieces.retain(|piece| !numbers.contains(&(piece.order, piece.rect.x0.to_bits())));
            return;
        }
    }
}

fn number(piece: &Piece) -> Option<u32> {
    let digits = (1..=4).contains(&piece.text.len()) && piece.text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| piece.text.parse().ok()).flatten()
}

/// The largest group of numbers that share their left or right edge.
fn aligned(numbers: Vec<Number>) -> Vec<Number> {
    let mut best: Vec<Number> = Vec::new();
    for edge in [|number: &Number| number.x1, |number: &Number| number.x0] {
        let mut sorted = numbers.clone();
        sorted.sort_by(|a, b| edge(a).total_cmp(&edge(b)));
        for group in sorted.chunk_by(|a, b| edge(b) - edge(a) <= ALIGNED) {
            if group.len() > best.len() {
                best = group.to_vec();
            }
        }
    }
    best.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    best
}

/// Whether the numbers count the lines of the page. `texts` is the number of rows with text; `outside` says
/// that all text stands on the same side of the numbers.
fn count_lines(numbers: &[Number], texts: usize, outside: bool) -> bool {
    let steps: Vec<(i64, f32)> = numbers
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some((i64::from(b.value) - i64::from(a.value), b.baseline - a.baseline)),
            _ => None,
        })
        .collect();
    let Some(&(step, _)) = steps.first() else { return false };
    let steady = steps.iter().filter(|(other, _)| *other == step).count();
    if step < 1 || steady * 10 < steps.len() * 9 {
        return false;
    }
    let mut pitches: Vec<f32> = steps.iter().map(|(_, pitch)| *pitch).collect();
    pitches.sort_by(f32::total_cmp);
    let pitch = pitches.get(pitches.len() / 2).copied().unwrap_or_default();
    let regular = pitches.iter().filter(|other| (**other - pitch).abs() <= 0.15 * pitch).count();
    if regular * 10 < pitches.len() * 7 {
        return false;
    }
    let divided = numbers.iter().filter(|number| number.divided).count();
    if step > 1 {
        let fifths = outside && step == 5 && numbers.len() == 2 && numbers.iter().any(|n| n.value == 5);
        return (numbers.len() >= MIN_FIFTHS || fifths)
            && numbers.iter().all(|n| i64::from(n.value) % step == 0)
            && divided * 3 < numbers.len()
            && texts as i64 >= numbers.len() as i64 * (step - 2).max(1);
    }
    let blank = numbers.iter().filter(|number| !number.accompanied).count();
    // Every row of the page is numbered, but for a header and a footer.
    let all = numbers.len() - blank + 5 >= texts && numbers.len() * 10 >= texts * 8;
    // In running text, sentences continue from line to line. The items of a numbered list do not.
    let running = numbers.iter().filter(|number| number.goes_on).count() * 5 >= numbers.len() * 2;
    let few = outside && running && numbers.len() >= MIN_FIFTHS;
    all && divided * 3 < numbers.len()
        && (few || numbers.len() >= MIN_NUMBERS && (blank > 0 || numbers.len() >= 12))
}

/// Removes and returns the page number at the foot of a page, so that it never stands between two columns.
pub(super) fn take_page_number(pieces: &mut Vec<Piece>, height: f32) -> Option<String> {
    let last = pieces.iter().max_by(|a, b| a.baseline.total_cmp(&b.baseline))?;
    let (baseline, size) = (last.baseline, last.size);
    let row = |piece: &Piece| (piece.baseline - baseline).abs() < 0.3 * size;
    let above = pieces.iter().filter(|piece| !row(piece)).map(|piece| piece.baseline).fold(0.0, f32::max);
    if baseline < 0.88 * height || baseline - above < 1.4 * size || above == 0.0 {
        return None;
    }
    let line = lines(pieces.iter().filter(|piece| row(piece)).cloned().collect());
    let text = line.first().map(super::line_text::text)?;
    let bare = text.trim_matches(|c: char| matches!(c, '-' | '–' | '—' | ' ' | '|' | '.'));
    let bare = bare.strip_prefix("Page").or(bare.strip_prefix("Seite")).unwrap_or(bare).trim();
    let roman = bare.len() <= 6 && bare.bytes().all(|byte| b"ivxlc".contains(&byte));
    let digits = bare.len() <= 4 && bare.bytes().all(|byte| byte.is_ascii_digit());
    if bare.is_empty() || !(digits || roman) {
        return None;
    }
    pieces.retain(|piece| !row(piece));
    Some(text)
}
