//! Outcome of a question: the input of reports and the lines of `--details`.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use parlance_core::conversations::confidence::Features;
use parlance_core::conversations::{Citation, Confidence, Support};
use parlance_core::knowledge::search::{Hit, Ranking};
use serde::{Serialize, Serializer};

use super::score::Score;
use super::suite::Class;

/// Outcome of a question.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) set: String,
    pub(crate) bot: String,
    pub(crate) language: String,
    pub(crate) class: Class,
    pub(crate) kind: String,
    pub(crate) question: String,
    /// Gold facts: a right answer contains one of them.
    pub(crate) gold: Vec<String>,
    /// Whether the knowledge has an answer.
    pub(crate) answerable: bool,
    /// Ranking scores by search mode. Empty for unanswerable questions.
    pub(crate) scores: BTreeMap<&'static str, Score>,
    /// Hits of hybrid search, best first.
    pub(crate) candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<AnswerOutcome>,
}

/// A search hit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Candidate {
    pub(crate) relevant: bool,
    source: String,
    ordinal: i32,
    start: i32,
    end: i32,
    #[serde(flatten)]
    ranking: Ranking,
}

impl Candidate {
    pub(crate) fn from_hit(hit: &Hit, relevant: bool) -> Self {
        Self {
            relevant,
            source: hit.source_name.clone(),
            ordinal: hit.ordinal,
            start: hit.start,
            end: hit.end,
            ranking: hit.ranking,
        }
    }
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Confident,
    Tentative,
    Unknown,
}

impl Ending {
    pub(crate) const fn classify(answered: bool, confidence: Option<Confidence>) -> Self {
        match (answered, confidence) {
            (false, _) => Ending::Unknown,
            (true, Some(Confidence::Low)) => Ending::Tentative,
            (true, _) => Ending::Confident,
        }
    }
}

/// An answer and its quality.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AnswerOutcome {
    pub(crate) ending: Ending,
    pub(crate) confidence: Option<Confidence>,
    pub(crate) confidence_score: f32,
    /// Whether the answer states a gold fact, or cites it if the fact is a whole paragraph. `None`: the question is
    /// answerable, but no gold fact is known.
    pub(crate) right: Option<bool>,
    /// Whether the answer cites an expected passage.
    pub(crate) cites_expected: bool,
    /// Number of sentences that state something.
    pub(crate) sentences: usize,
    /// Number of those that state the gold fact or cite an expected passage.
    pub(crate) belonging: usize,
    pub(crate) ms: f64,
    pub(crate) text: String,
    pub(crate) grounded: bool,
    pub(crate) support: Vec<Support>,
    #[serde(serialize_with = "serialize_citations")]
    pub(crate) sources: Vec<Citation>,
    /// Inputs of the confidence score. `None` for generated answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) features: Option<Features>,
}

impl AnswerOutcome {
    /// Whether the answer is right; judged by its citations if no gold fact is known.
    pub(crate) fn is_right(&self) -> bool {
        self.ending != Ending::Unknown && self.right.unwrap_or(self.cites_expected)
    }
}

#[derive(Serialize)]
struct CitationRecord<'a> {
    index: usize,
    source: &'a str,
    chunk_index: i32,
    start: i32,
    end: i32,
    score: f32,
    snippet: &'a str,
}

fn serialize_citations<S: Serializer>(sources: &[Citation], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(sources.iter().map(|source| CitationRecord {
        index: source.index,
        source: &source.source_name,
        chunk_index: source.chunk_index,
        start: source.start,
        end: source.end,
        score: source.score,
        snippet: &source.snippet,
    }))
}

/// Writes one JSON line per question.
pub(crate) fn write_details(path: &Path, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let write = || -> anyhow::Result<()> {
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        for outcome in outcomes {
            serde_json::to_writer(&mut file, outcome)?;
            file.write_all(b"\n")?;
        }
        Ok(file.flush()?)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
