//! Checks a generated answer while it streams.
//!
//! Removes the model's own markers, attributes each sentence to the passage that supports it, and appends that
//! passage's marker to the sentence.

use super::attribution::{self, AnswerContext, DECIDED_BY_WORDS, Passage, SentenceRole, Statement};
use super::citation_markers::MarkerFilter;
use super::splitter::{self, Sentence, SentenceSplitter, Step};
use super::{SentenceVectors, Support, extractive};
use crate::bots::{Bot, Language};
use crate::calibration::Calibration;
use crate::error::Chain;
use crate::knowledge::search::Hit;
use crate::platform::fair_queue::Caller;
use crate::providers::embed::{Embedder, cosine};
use crate::words;

/// Passage sentences compared with a sentence by cosine. Each costs an inference, unless its vector is
/// cached.
const COMPARED: usize = 6;

/// The same across languages, where shared words carry no information.
const COMPARED_ACROSS_LANGUAGES: usize = 16;

/// Bonus for sentences of a passage that the model's markers cite.
const MARKER_BONUS: f32 = 0.2;

/// Penalty per rank of a passage.
const RANK_PENALTY: f32 = 0.01;

/// What a generated answer is checked against: the question, the bot's instructions and the passages, prepared.
pub struct Evidence {
    language: Language,
    strict: bool,
    context: AnswerContext,
    passages: Vec<Passage>,
}

impl Evidence {
    /// Prepares the evidence; `passages` are in the order of their marker numbers. Takes milliseconds for long texts.
    #[must_use]
    pub fn new(bot: &Bot, question: &str, passages: &[Hit]) -> Self {
        let about: Vec<&str> =
            std::iter::once(bot.name.as_str()).chain(bot.system_prompt.as_deref()).collect();
        let prepared = passages.iter().map(|hit| {
            let titles = format!("{} {}", hit.heading.as_deref().unwrap_or_default(), hit.source_name);
            Passage::new(&hit.content, &titles, words::language(&hit.content))
        });
        Self {
            language: words::language(question).unwrap_or(bot.language),
            strict: bot.strict,
            context: AnswerContext::new(question, &about),
            passages: prepared.collect(),
        }
    }
}

/// Streaming checker of a generated answer.
pub struct AnswerChecker<'a> {
    embedder: &'a dyn Embedder,
    caller: Caller,
    vectors: &'a SentenceVectors,
    calibration: Calibration,
    language: Language,
    strict: bool,
    context: AnswerContext,
    passages: Vec<Passage>,
    markers: MarkerFilter,
    splitter: SentenceSplitter,
    text: String,
    /// Text of the unfinished sentence of a strict answer.
    buffered: String,
    support: Vec<Support>,
    cited: Vec<usize>,
    has_refusal: bool,
    is_closed: bool,
}

/// Checked answer with its citations and support.
#[derive(Clone, Debug)]
pub struct CheckedAnswer {
    /// Text, with citation markers.
    pub text: String,
    /// Numbers of the cited passages, in order of first citation.
    pub cited: Vec<usize>,
    /// Support of each factual sentence.
    pub support: Vec<Support>,
    /// Whether a passage supports some sentence and the model did not refuse.
    pub answered: bool,
    /// Whether a passage supports every factual sentence.
    pub grounded: bool,
    /// Whether a sentence refuses to answer something.
    pub has_refusal: bool,
    /// Mean support of the sentences.
    pub score: f32,
}

impl<'a> AnswerChecker<'a> {
    /// Starts an answer.
    #[must_use]
    pub fn new(
        embedder: &'a dyn Embedder,
        caller: Caller,
        vectors: &'a SentenceVectors,
        calibration: Calibration,
        evidence: Evidence,
    ) -> Self {
        let Evidence { language, strict, context, passages } = evidence;
        Self {
            embedder,
            caller,
            vectors,
            calibration,
            language,
            strict,
            context,
            markers: MarkerFilter::new(passages.len()),
            passages,
            splitter: SentenceSplitter::default(),
            text: String::new(),
            buffered: String::new(),
            support: Vec::new(),
            cited: Vec::new(),
            has_refusal: false,
            is_closed: false,
        }
    }

    /// Whether no text was emitted yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds a piece of the model's output; [`AnswerChecker::next`] yields the text to send.
    pub fn push(&mut self, piece: &str) {
        for part in self.markers.read(piece) {
            self.splitter.push(part);
        }
    }

    /// Ends the model's output; [`AnswerChecker::next`] yields the rest.
    pub fn close(&mut self) {
        for part in self.markers.finish() {
            self.splitter.push(part);
        }
        self.is_closed = true;
    }

    /// Next text to send; `None` when more output is needed, or at the end. With `complete` false, a
    /// truncated last sentence is not attributed.
    pub async fn next(&mut self, complete: bool) -> Option<String> {
        while let Some(step) = self.splitter.next(self.is_closed) {
            let added = match step {
                Step::Text(text) if self.strict => {
                    self.buffered.push_str(&text);
                    continue;
                }
                Step::Text(text) => self.emit(&text),
                Step::End(sentence) => {
                    let is_truncated =
                        self.is_closed && !complete && !splitter::ends_sentence(&sentence.text);
                    self.end(&sentence, is_truncated).await
                }
            };
            if !added.is_empty() {
                return Some(added);
            }
        }
        None
    }

    /// Text of an empty answer: the model refused, or no sentence of a strict answer is supported.
    pub fn unknown(&mut self, language: Language) -> Option<String> {
        if !self.text.trim().is_empty() {
            return None;
        }
        self.text = extractive::unknown(language).to_owned();
        Some(self.text.clone())
    }

    /// Returns the checked answer.
    #[must_use]
    pub fn finish(self) -> CheckedAnswer {
        let supported = self.support.iter().filter(|support| support.citation.is_some()).count();
        let sum: f32 = self.support.iter().map(|support| support.score).sum();
        let count = f32::from(u16::try_from(self.support.len()).unwrap_or(u16::MAX));
        CheckedAnswer {
            answered: supported > 0 && !self.markers.refused(),
            grounded: supported == self.support.len(),
            score: if count > 0.0 { sum / count } else { 0.0 },
            text: self.text,
            cited: self.cited,
            support: self.support,
            has_refusal: self.has_refusal,
        }
    }

    fn emit(&mut self, text: &str) -> String {
        let text = if self.text.is_empty() { text.trim_start() } else { text };
        self.text.push_str(text);
        text.to_owned()
    }

    /// Ends a sentence with its marker; a strict answer drops unsupported factual sentences.
    async fn end(&mut self, sentence: &Sentence, is_truncated: bool) -> String {
        let own = words::language(&sentence.text);
        let mut statement = Statement::new(&sentence.text, &self.context, own, self.language);
        // A sentence that reads as a refusal may be a fact of a passage: something is "not included".
        if statement.role == SentenceRole::Refusal && self.is_decided_by_words(&statement) {
            statement.role = SentenceRole::Statement;
        }
        // Text beside the refusal token makes no claim about the passages.
        let is_checked = !is_truncated
            && !self.markers.refused()
            && matches!(statement.role, SentenceRole::Statement | SentenceRole::Optional);
        let supports =
            if is_checked { self.supports(&statement, &sentence.markers).await } else { Vec::new() };
        let cited = attribution::cited(&supports, &sentence.markers);
        self.has_refusal |= statement.role == SentenceRole::Refusal;
        if self.strict && cited.is_empty() && (is_truncated || statement.role == SentenceRole::Statement) {
            self.buffered.clear();
            return String::new();
        }
        let buffered = std::mem::take(&mut self.buffered);
        let mut added = self.emit(&buffered);
        let end = self.text.chars().count();
        let start = end.saturating_sub(sentence.text.chars().count());
        if !cited.is_empty() {
            let marker: String = cited.iter().map(|number| format!("[{number}]")).collect();
            added += &self.emit(&format!(" {marker}"));
        }
        if is_checked && (statement.role == SentenceRole::Statement || !cited.is_empty()) {
            let best = supports.iter().copied().fold(0.0, f32::max);
            let of = |number: &usize| number.checked_sub(1).and_then(|at| supports.get(at)).copied();
            self.support.push(Support {
                start,
                end: self.text.chars().count(),
                citation: cited.first().copied(),
                score: cited.first().and_then(of).unwrap_or(best),
            });
        }
        for number in cited {
            if !self.cited.contains(&number) {
                self.cited.push(number);
            }
        }
        added + &self.emit(sentence.tail)
    }

    /// Support of a statement by each passage: from words where they decide, else from cosines.
    async fn supports(&self, statement: &Statement, markers: &[usize]) -> Vec<f32> {
        let by_words =
            || self.passages.iter().map(|passage| passage.support(statement, &self.context, None)).collect();
        let decides = |passage: &Passage| {
            passage.shared_words(statement) >= DECIDED_BY_WORDS
                && !passage.lacks_facts(statement, &self.context)
        };
        if self.passages.iter().any(decides) {
            return by_words();
        }
        let compared = self.likely_sentences(statement, markers);
        let mut texts = vec![statement.text.as_str()];
        texts.extend(compared.iter().map(|(_, text)| *text));
        if texts.len() == 1 {
            return by_words();
        }
        let vectors = match self.vectors.of(self.embedder, self.caller, &texts).await {
            Ok(vectors) => vectors,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "sentence embedding failed; attributing by words alone");
                return by_words();
            }
        };
        let Some((own, others)) = vectors.split_first() else { return by_words() };
        let mut nearest: Vec<Option<f32>> = vec![None; self.passages.len()];
        for ((passage, _), other) in compared.iter().zip(others) {
            let similarity = self.relative(cosine(own, other));
            if let Some(place) = nearest.get_mut(*passage) {
                *place = Some(place.map_or(similarity, |before: f32| before.max(similarity)));
            }
        }
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

    fn relative(&self, cosine: f32) -> f32 {
        attribution::relative(cosine, self.calibration.unrelated, self.calibration.same_question())
    }

    /// Passage sentences that may support a statement, with passage indexes, likeliest first.
    fn likely_sentences(&self, statement: &Statement, markers: &[usize]) -> Vec<(usize, &str)> {
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
        likely.into_iter().map(|(_, place, text)| (place, text)).collect()
    }
}
