//! Checks a generated answer while it streams.
//!
//! Removes the model's own markers, attributes each sentence to the passage that supports it, and appends that
//! passage's marker to the sentence.

use std::sync::Arc;

use super::attribution::{self, SentenceRole};
use super::citation_markers::MarkerFilter;
use super::evidence::{Evidence, Weighed};
use super::splitter::{self, Sentence, SentenceSplitter, Step};
use super::{SentenceVectors, Support, extractive};
use crate::bots::Language;
use crate::calibration::Calibration;
use crate::error::Chain;
use crate::platform::cpu::Cpu;
use crate::platform::fair_queue::Caller;
use crate::providers::embed::{Embedder, cosine};

/// Streaming checker of a generated answer.
pub struct AnswerChecker<'a> {
    cpu: &'a Cpu,
    embedder: &'a dyn Embedder,
    caller: Caller,
    vectors: &'a SentenceVectors,
    calibration: Calibration,
    evidence: Arc<Evidence>,
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
        cpu: &'a Cpu,
        embedder: &'a dyn Embedder,
        caller: Caller,
        vectors: &'a SentenceVectors,
        calibration: Calibration,
        evidence: Evidence,
    ) -> Self {
        Self {
            cpu,
            embedder,
            caller,
            vectors,
            calibration,
            markers: MarkerFilter::new(evidence.passages()),
            evidence: Arc::new(evidence),
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
                Step::Text(text) if self.evidence.strict => {
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
        // Text beside the refusal token makes no claim about the passages.
        let may_check = !is_truncated && !self.markers.refused();
        let weighed = self.weigh(sentence, may_check).await;
        let (role, is_checked) = (weighed.statement.role, weighed.is_checked);
        let supports = if is_checked { self.supports(weighed).await } else { Vec::new() };
        let cited = attribution::cited(&supports, &sentence.markers);
        self.has_refusal |= role == SentenceRole::Refusal;
        if self.evidence.strict && cited.is_empty() && (is_truncated || role == SentenceRole::Statement) {
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
        if is_checked && (role == SentenceRole::Statement || !cited.is_empty()) {
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

    /// Computes a sentence's lexical support, off this thread if the texts are long.
    async fn weigh(&self, sentence: &Sentence, may_check: bool) -> Weighed {
        let work = {
            let (evidence, sentence) = (Arc::clone(&self.evidence), sentence.clone());
            move || evidence.weigh(&sentence, may_check)
        };
        let weighed = self.cpu.analyse(self.caller, self.evidence.extent(sentence), work).await;
        weighed.unwrap_or_else(|error| {
            tracing::error!(error = %Chain(&error), "checking a sentence failed; it stays unsupported");
            let mut unsupported = self.evidence.weigh(&Sentence::default(), false);
            (unsupported.statement.role, unsupported.is_checked) = (SentenceRole::Statement, true);
            unsupported
        })
    }

    /// Support of a sentence by each passage: from words where they decide, else from cosines.
    async fn supports(&self, weighed: Weighed) -> Vec<f32> {
        let Weighed { statement, by_words, compared, .. } = weighed;
        if compared.is_empty() {
            return by_words;
        }
        let mut texts = vec![statement.text.as_str()];
        texts.extend(compared.iter().map(|(_, text)| text.as_str()));
        let vectors = match self.vectors.of(self.embedder, self.caller, &texts).await {
            Ok(vectors) => vectors,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "sentence embedding failed; attributing by words alone");
                return self.evidence.by_words(&statement);
            }
        };
        let Some((own, others)) = vectors.split_first() else { return self.evidence.by_words(&statement) };
        let mut nearest: Vec<Option<f32>> = vec![None; self.evidence.passages()];
        for ((passage, _), other) in compared.iter().zip(others) {
            let similarity = self.relative(cosine(own, other));
            if let Some(place) = nearest.get_mut(*passage) {
                *place = Some(place.map_or(similarity, |before: f32| before.max(similarity)));
            }
        }
        self.evidence.by_similarity(&statement, nearest)
    }

    fn relative(&self, cosine: f32) -> f32 {
        attribution::relative(cosine, self.calibration.unrelated, self.calibration.same_question())
    }
}
