//! Pure: a passage prepared for comparison, and its support of a statement.

use unicode_segmentation::UnicodeSegmentation;

use super::{AnswerContext, DECIDED_BY_WORDS, SUPPORTED, Statement, plain};
use crate::bots::Language;
use crate::conversations::facts::{self, Fact};
use crate::conversations::phrases::{content_words, similar_words, words};

/// Share of content words that supports a sentence when no cosine is available.
const SUPPORTED_BY_WORDS_ALONE: f32 = 0.6;

/// Weight of words relative to the cosine, within one language.
const WORDS_WEIGHT: f32 = 0.4;

/// Maximum support by a passage that lacks a fact of the sentence.
const MAX_WITHOUT_FACTS: f32 = 0.3;

/// Passage prepared for comparison.
#[derive(Clone, Debug)]
pub struct Passage {
    /// Sentences.
    pub sentences: Vec<String>,
    /// Content words of each sentence, the next one and the titles.
    windows: Vec<Vec<String>>,
    words: Vec<String>,
    facts: Vec<Fact>,
    text: String,
    language: Option<Language>,
}

impl Passage {
    /// Takes the passage's text and the titles above it.
    #[must_use]
    pub fn new(content: &str, titles: &str, language: Option<Language>) -> Self {
        let sentences = sentences(content);
        let words_of: Vec<Vec<String>> = sentences.iter().map(|sentence| content_words(sentence)).collect();
        let windows = words_of
            .iter()
            .enumerate()
            .map(|(at, own)| {
                let next = words_of.get(at + 1).into_iter().flatten();
                own.iter().chain(next).cloned().chain(content_words(titles)).collect()
            })
            .collect();
        let text = format!("{titles}\n{content}");
        Self { sentences, windows, words: words(&text), facts: facts::of_passage(&text), text, language }
    }

    /// Share of a statement's content words in the best window of two adjacent sentences.
    #[must_use]
    pub fn shared_words(&self, statement: &Statement) -> f32 {
        self.windows.iter().map(|window| share(&statement.words, window)).fold(0.0, f32::max)
    }

    /// Sentence indexes with the share of words they have in common with a statement, best first.
    #[must_use]
    pub fn nearest(&self, statement: &Statement) -> Vec<(usize, f32)> {
        let shares = self.windows.iter().map(|window| share(&statement.words, window));
        let mut nearest: Vec<(usize, f32)> = shares.enumerate().collect();
        nearest.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        nearest
    }

    /// Whether the passage lacks a fact or a name of a statement.
    #[must_use]
    pub fn lacks_facts(&self, statement: &Statement, context: &AnswerContext) -> bool {
        let has = |fact: &Fact| {
            facts::contains_fact(&self.facts, &self.text, fact)
                || facts::contains_fact(&context.question_facts, &context.question, fact)
        };
        if !statement.facts.iter().all(has) {
            return true;
        }
        let named =
            |name: &String| self.words.iter().chain(&context.words).any(|word| similar_words(word, name));
        !self.is_foreign(statement) && !statement.names.iter().all(named)
    }

    /// Whether a statement is in another language.
    #[must_use]
    pub fn is_foreign(&self, statement: &Statement) -> bool {
        matches!((self.language, statement.language), (Some(a), Some(b)) if a != b)
    }

    /// Support of a statement, from 0 to 1; `cosine` is rescaled by [`relative`](super::relative).
    #[must_use]
    pub fn support(&self, statement: &Statement, context: &AnswerContext, cosine: Option<f32>) -> f32 {
        let shared = self.shared_words(statement);
        let support = match cosine {
            _ if shared >= DECIDED_BY_WORDS => cosine.unwrap_or_default().max(shared),
            Some(cosine) if self.is_foreign(statement) => cosine.max(shared),
            Some(cosine) => WORDS_WEIGHT * shared + (1.0 - WORDS_WEIGHT) * cosine,
            None => shared * SUPPORTED / SUPPORTED_BY_WORDS_ALONE,
        };
        // The words that a short answer adds to the question's need support of their own.
        let is_added = |word: &String| self.words.iter().any(|own| similar_words(own, word));
        let lacks_all = !statement.added.is_empty() && !statement.added.iter().any(is_added);
        let is_unsupported =
            self.lacks_facts(statement, context) || (lacks_all && !self.is_foreign(statement));
        let max = if is_unsupported { MAX_WITHOUT_FACTS } else { 1.0 };
        support.clamp(0.0, max)
    }
}

/// Sentences of a passage: lines, split by UAX #29.
fn sentences(content: &str) -> Vec<String> {
    let lines = content.lines().map(plain).filter(|line| line.chars().any(char::is_alphanumeric));
    lines
        .flat_map(|line| {
            let bounds = line.split_sentence_bounds().map(|sentence| sentence.trim().to_owned());
            bounds.filter(|sentence| !sentence.is_empty()).collect::<Vec<String>>()
        })
        .collect()
}

fn share(words: &[(String, f32)], window: &[String]) -> f32 {
    let all: f32 = words.iter().map(|(_, weight)| weight).sum();
    let found = words.iter().filter(|(word, _)| window.iter().any(|own| similar_words(own, word)));
    let found: f32 = found.map(|(_, weight)| weight).sum();
    if all > 0.0 { found / all } else { 0.0 }
}
