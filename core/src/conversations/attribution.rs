//! Pure: decides which passage supports a sentence of a generated answer, and how well.
//!
//! Support combines three signals. Facts are strict: the passage must contain each number, date, amount, code
//! and address of the sentence, and its names if both have the same language. Words: the share of the
//! sentence's content words in two adjacent sentences of the passage. Similarity: the cosine to a sentence of
//! the passage, computed by the caller where words do not decide.

use super::facts::{self, Fact};
use super::phrases::{content_words, words};

mod names;
mod passage;
mod statement;

pub use passage::Passage;
pub use statement::{SentenceRole, Statement};

/// Share of content words from which words alone decide.
pub const DECIDED_BY_WORDS: f32 = 0.8;

/// Minimum support of a supported sentence.
pub const SUPPORTED: f32 = 0.5;

/// A cited passage with this much less support than the best one is replaced by it.
const MARKER_MARGIN: f32 = 0.25;

/// Information available besides the passages.
#[derive(Clone, Debug, Default)]
pub struct AnswerContext {
    question: String,
    question_words: Vec<String>,
    question_facts: Vec<Fact>,
    /// Words of the question, the bot's name and its instructions.
    words: Vec<String>,
}

impl AnswerContext {
    /// Takes the question and the texts that describe the bot.
    #[must_use]
    pub fn new(question: &str, about: &[&str]) -> Self {
        let mut known = words(question);
        known.extend(about.iter().flat_map(|text| words(text)));
        Self {
            question: question.to_owned(),
            question_words: content_words(question),
            question_facts: facts::of_passage(question),
            words: known,
        }
    }
}

/// Rescales a cosine to 0 for unrelated sentences and 1 for equivalent ones.
#[must_use]
pub fn relative(cosine: f32, unrelated: f32, same: f32) -> f32 {
    ((cosine - unrelated) / (same - unrelated).max(0.01)).clamp(0.0, 1.0)
}

/// Passages a sentence cites, best first. The model's own markers are kept if their passages support it and
/// none is far better; otherwise the best passage is cited, if it supports the sentence.
#[must_use]
pub fn cited(supports: &[f32], markers: &[usize]) -> Vec<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (number, support) in (1..).zip(supports) {
        if best.is_none_or(|(_, most)| *support > most) {
            best = Some((number, *support));
        }
    }
    let Some((best, most)) = best.filter(|(_, most)| *most >= SUPPORTED) else { return Vec::new() };
    let support_of =
        |number: usize| number.checked_sub(1).and_then(|at| supports.get(at)).copied().unwrap_or_default();
    let mut kept: Vec<usize> = markers
        .iter()
        .copied()
        .filter(|number| support_of(*number) >= SUPPORTED.max(most - MARKER_MARGIN))
        .collect();
    kept.sort_by(|a, b| support_of(*b).total_cmp(&support_of(*a)));
    if kept.is_empty() { vec![best] } else { kept }
}

/// Strips marks of lists, headings and emphasis.
fn plain(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '-' | '*' | '+' | '•' | '#' | '>')
        });
        let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
        match digits.strip_prefix(['.', ')']) {
            Some(item) if digits.len() < line.len() && item.starts_with(' ') => item.trim_start(),
            _ => line,
        }
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    text.replace("**", "").replace(['`', '|'], " ").replace("__", "").trim().to_owned()
}

#[cfg(test)]
mod tests;
