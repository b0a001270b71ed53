//! Pure: evidence for a generated answer, and lexical support of its sentences.
//!
//! Takes milliseconds for long texts, so the checker runs it off the request threads.

use super::attribution::{AnswerContext, DECIDED_BY_WORDS, Passage, SentenceRole, Statement};
use super::splitter::Sentence;
use crate::bots::{Bot, Language};
use crate::knowledge::search::Hit;
use crate::words;

/// Passage sentences compared with a sentence by cosine. Each costs an inference, unless its vector is
/// cached.
const COMPARED: usize = 6;

/// The same across languages, where lexical overlap carries no information.
const COMPARED_ACROSS_LANGUAGES: usize = 16;

/// Bonus for sentences of a passage that the model's markers cite.
const MARKER_BONUS: f32 = 0.2;

/// Penalty per rank of a passage.
const RANK_PENALTY: f32 = 0.01;

/// The question, the bot's instructions and the passages, prepared for comparison.
pub struct Evidence {
    pub(super) strict: bool,
    language: Language,
    context: AnswerContext,
    passages: Vec<Passage>,
    /// Length of the texts, in bytes.
    length: usize,
}

/// A sentence of an answer, with its lexical support.
pub(super) struct Weighed {
    pub(super) statement: Statement,
    /// Whether it makes a claim that passages should support.
    pub(super) is_checked: bool,
    /// Support by each passage. Empty if cosines decide, or if the sentence is not checked.
    pub(super) by_words: Vec<f32>,
    /// Sentences of passages to compare by cosine, with passage indexes, most likely first.
    pub(super) compared: Vec<(usize, String)>,
}

impl Evidence {
    /// Prepares the evidence; `passages` are in the order of their marker numbers.
    #[must_use]
    pub fn new(bot: &Bot, question: &str, passages: &[Hit]) -> Self {
        let about: Vec<&str> =
            std::iter::once(bot.name.as_str()).chain(bot.system_prompt.as_deref()).collect();
        let prepared = passages.iter().map(|hit| {
            let titles = format!("{} {}", hit.heading.as_deref().unwrap_or_default(), hit.source_name);
            Passage::new(&hit.content, &titles, words::language(&hit.content))
        });
        let contents = passages.iter().map(|hit| hit.content.len());
        Self {
            strict: bot.strict,
            language: words::language(question).unwrap_or(bot.language),
            context: AnswerContext::new(question, &about),
            passages: prepared.collect(),
            length: contents.sum::<usize>() + about.iter().map(|text| text.len()).sum::<usize>(),
        }
    }

    /// Number of passages.
    pub(super) fn passages(&self) -> usize {
        self.passages.len()
    }

    /// Length of the comparison with a sentence, for [`Cpu::analyse`](crate::platform::cpu::Cpu::analyse): five passages
    /// of common length and a sentence of 100 bytes take a millisecond.
    pub(super) fn extent(&self, sentence: &Sentence) -> usize {
        sentence.text.len() * self.length / 1024
    }

    /// Computes a sentence's lexical support; `may_check` is false for a truncated sentence, and after the refusal
    /// token.
    pub(super) fn weigh(&self, sentence: &Sentence, may_check: bool) -> Weighed {
        let own = words::language(&sentence.text);
        let mut statement = Statement::new(&sentence.text, &self.context, own, self.language);
        // A sentence that reads as a refusal may be a fact of a passage: something is "not included".
        if statement.role == SentenceRole::Refusal && self.is_decided_by_words(&statement) {
            statement.role = SentenceRole::Statement;
        }
        let is_claim = matches!(statement.role, SentenceRole::Statement | SentenceRole::Optional);
        let is_checked = may_check && is_claim;
        let compared = if is_checked && !self.is_decided_by_words(&statement) {
            self.likely_sentences(&statement, &sentence.markers)
        } else {
            Vec::new()
        };
        let by_words = if is_checked && compared.is_empty() { self.by_words(&statement) } else { Vec::new() };
        Weighed { statement, is_checked, by_words, compared }
    }

    /// Support of a statement by each passage, from words alone.
    pub(super) fn by_words(&self, statement: &Statement) -> Vec<f32> {
        self.passages.iter().map(|passage| passage.support(statement, &self.context, None)).collect()
    }

    /// Support of a statement by each passage, from words and the similarity of its nearest sentence.
    pub(super) fn by_similarity(&self, statement: &Statement, nearest: Vec<Option<f32>>) -> Vec<f32> {
        let passages = self.passages.iter().zip(nearest);
        passages.map(|(passage, similarity)| passage.support(statement, &self.context, similarity)).collect()
    }

    /// Whether the words of some passage alone support a statement.
    fn is_decided_by_words(&self, statement: &Statement) -> bool {
        self.passages.iter().any(|passage| {
            passage.shared_words(statement) >= DECIDED_BY_WORDS
                && !passage.lacks_facts(statement, &self.context)
        })
    }

    /// Passage sentences that may support a statement.
    fn likely_sentences(&self, statement: &Statement, markers: &[usize]) -> Vec<(usize, String)> {
        let mut likely: Vec<(f32, usize, &str)> = Vec::new();
        let mut limit = COMPARED;
        for ((place, passage), rank) in self.passages.iter().enumerate().zip(0_u16..) {
            if passage.lacks_facts(statement, &self.context) {
                continue;
            }
            if passage.is_foreign(statement) {
                limit = COMPARED_ACROSS_LANGUAGES;
            }
            let marked = if markers.contains(&(place + 1)) { MARKER_BONUS } else { 0.0 };
            let sentences = passage.nearest(statement).into_iter();
            likely.extend(sentences.filter_map(|(at, share)| {
                let text = passage.sentences.get(at)?;
                Some((share + marked - RANK_PENALTY * f32::from(rank), place, text.as_str()))
            }));
        }
        likely.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
        likely.truncate(limit);
        likely.into_iter().map(|(_, place, text)| (place, text.to_owned())).collect()
    }
}
