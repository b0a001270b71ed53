//! Right-to-left text: conversion from visual order to reading order.

use super::characters::{is_digit, is_rtl, mirrored, plain};
use super::line_text::Span;
use super::piece::Piece;

/// Numbers of strong characters from right to left, and from left to right.
pub(super) fn strong(pieces: &[Piece]) -> (usize, usize) {
    let mut counts = (0, 0);
    for character in pieces.iter().flat_map(|piece| piece.text.chars()).filter(|c| c.is_alphabetic()) {
        if is_rtl(character) {
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }
    counts
}

/// Pieces of a right-to-left line in reading order: from right to left, except Latin runs, which are read
/// from left to right.
pub(super) fn rtl_order(pieces: &[Piece]) -> Vec<&Piece> {
    let mut order: Vec<&Piece> = pieces.iter().rev().collect();
    reverse_runs(&mut order, is_foreign);
    order
}

/// Reverses each maximal run of pieces that `inside` accepts.
pub(super) fn reverse_runs(pieces: &mut [&Piece], inside: impl Fn(&Piece) -> bool) {
    for run in pieces.chunk_by_mut(|a, b| inside(a) && inside(b)) {
        // Several numbers without words follow the order of the line.
        let words = run.iter().any(|piece| piece.text.chars().any(char::is_alphabetic));
        if run.len() > 1 && words {
            run.reverse();
        }
    }
}

/// Converts a piece from visual to logical order.
pub(super) fn logical(text: &str) -> String {
    if !text.chars().any(is_rtl) {
        return plain(text);
    }
    let reversed: Vec<char> = text.chars().rev().collect();
    let mut logical = String::with_capacity(text.len());
    // Numbers and Latin words inside keep their order.
    let foreign = |c: char| is_digit(c) || (c.is_alphabetic() && !is_rtl(c));
    let mut at = 0;
    while let Some(&character) = reversed.get(at) {
        if !foreign(character) {
            logical.push(character);
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while let Some(&next) = reversed.get(end) {
            let joins = matches!(next, '.' | ',' | ':' | '/' | '-' | '_')
                && reversed.get(end + 1).is_some_and(|&after| foreign(after));
            if !foreign(next) && !joins {
                break;
            }
            end += 1;
        }
        logical.extend(reversed.get(at..end).unwrap_or_default().iter().rev());
        at = end;
    }
    plain(&logical)
}

/// Marks that end or divide sentences, brackets and quotation marks: they take the direction of the line.
fn is_neutral(character: char) -> bool {
    matches!(character, '.' | ',' | ':' | ';' | '!' | '?' | '…') || is_paired(character)
}

fn is_paired(character: char) -> bool {
    is_bracket(character) || matches!(character, '"' | '\'' | '”' | '“' | '„' | '’' | '‘')
}

fn is_bracket(character: char) -> bool {
    matches!(character, '(' | ')' | '[' | ']' | '{' | '}' | '«' | '»')
}

/// The texts of the pieces of a right-to-left line, and whether each is a number or part of a Latin run.
/// `order` is the reading order. Numbers and Latin runs keep their order. Marks at their left end follow
/// them, and brackets and quotation marks at their right end precede them.
pub(super) fn texts(order: &[&Piece]) -> Vec<(String, bool)> {
    let mut all = Vec::with_capacity(order.len());
    for run in order.chunk_by(|a, b| is_foreign(a) && is_foreign(b)) {
        let latin = run.iter().any(|piece| is_foreign(piece) && piece.text.chars().any(char::is_alphabetic));
        // Each number is a run of its own, because several numbers follow each other from right to left.
        let length = if latin { run.len() } else { 1 };
        for part in run.chunks(length.max(1)) {
            if part.iter().all(|piece| is_foreign(piece)) {
                all.extend(turned(part).into_iter().map(|text| (plain(&text), true)));
            } else {
                all.extend(part.iter().map(|piece| (logical(&piece.text), false)));
            }
        }
    }
    all
}

/// Numbers and words that are written from left to right.
fn is_foreign(piece: &Piece) -> bool {
    !piece.text.chars().any(is_rtl) && piece.text.chars().any(|c| c.is_alphabetic() || is_digit(c))
}

/// The texts of a run from left to right inside right-to-left text.
fn turned(run: &[&Piece]) -> Vec<String> {
    let mut texts: Vec<String> = run.iter().map(|piece| piece.text.clone()).collect();
    let mut after = String::new();
    if let Some(first) = texts.first_mut() {
        let inner = first.trim_start_matches(is_neutral);
        after = first.chars().take(first.chars().count() - inner.chars().count()).collect();
        *first = inner.to_owned();
    }
    let mut before = String::new();
    if let Some(last) = texts.last_mut() {
        let inner = last.trim_end_matches(is_paired);
        before = last.chars().skip(inner.chars().count()).collect();
        *last = inner.to_owned();
        // A bracket opened within the run stays in it: the closing one of "Otter (2026)" is at the right end.
        let open =
            texts.iter().flat_map(|text| text.chars()).filter(|c| is_bracket(*c) && !is_close(*c)).count();
        let shut = texts.iter().flat_map(|text| text.chars()).filter(|c| is_close(*c)).count();
        if open > shut && before.starts_with(is_close) {
            let own: String = before.drain(..before.chars().next().map_or(0, char::len_utf8)).collect();
            if let Some(last) = texts.last_mut() {
                last.push_str(&own);
            }
        }
    }
    if let Some(last) = texts.last_mut() {
        last.extend(after.chars().rev().map(|c| if is_bracket(c) && !is_close(c) { mirrored(c) } else { c }));
    }
    if let Some(first) = texts.first_mut() {
        let before = before.chars().rev().map(|c| if is_close(c) { mirrored(c) } else { c });
        *first = before.chain(first.chars()).collect();
    }
    texts
}

fn is_close(character: char) -> bool {
    matches!(character, ')' | ']' | '}' | '»')
}

/// Corrects brackets, which are drawn mirrored in right-to-left text. Some files state the intended
/// character, others the drawn one. In the latter, a closing bracket comes first.
pub(super) fn mirror_brackets(spans: &mut [Span], texts: &[(String, bool)]) {
    let open = |c: char| matches!(c, '(' | '[' | '{' | '«');
    let is_foreign = |at: usize| texts.get(at).is_some_and(|(_, foreign)| *foreign);
    let all = spans.iter().enumerate().filter(|(at, _)| !is_foreign(*at));
    let first = all.flat_map(|(_, span)| span.text.chars()).find(|&c| open(c) || is_close(c));
    if first.is_some_and(is_close) {
        for (_, span) in spans.iter_mut().enumerate().filter(|(at, _)| !is_foreign(*at)) {
            span.text = span.text.chars().map(mirrored).collect();
        }
    }
}
