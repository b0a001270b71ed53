//! How an answer came about, as the API shows it.

use parlance_core::conversations::{self, Confidence};
use poem_openapi::Object;

use super::responses::{SentenceSupport, Timings, TokenUsage, score};
use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull};

/// How an answer came about.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct AnswerTrace {
    /// The answer.
    pub(crate) message_id: Id,
    /// The query as it was searched for: with the question before it, when the question cannot stand alone.
    pub(crate) query: String,
    /// The passages that were found, best first.
    pub(crate) candidates: Vec<TraceCandidate>,
    /// Whether the knowledge had an answer.
    pub(crate) answered: bool,
    /// Confidence that the knowledge answers the question: `high`, or `low` for a tentative answer. Null for an unknown
    /// answer, and for an answer of a version without confidence.
    pub(crate) confidence: OrNull<Word<Confidence>>,
    /// Estimated probability that the knowledge answers the question, from 0 to 1, rounded to three digits. Null for an
    /// answer of a version without confidence.
    pub(crate) confidence_score: OrNull<f64>,
    /// SentenceSupport of each sentence that states something, in the order of the text; empty when no sentence does.
    pub(crate) support: Vec<SentenceSupport>,
    /// Whether a passage supports every sentence that states something. Null for an answer of a version without
    /// confidence.
    pub(crate) grounded: OrNull<bool>,
    /// Whether the model was down and the built-in answer was given.
    pub(crate) degraded: bool,
    /// What wrote the answer.
    pub(crate) model: String,
    /// What the model read and wrote.
    pub(crate) usage: TokenUsage,
    /// How long it took, in milliseconds.
    pub(crate) timings_ms: Timings,
}

/// A passage that was found.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct TraceCandidate {
    /// The chunk.
    pub(crate) chunk_id: Id,
    /// Its knowledge source.
    pub(crate) source_id: Id,
    /// That source's name.
    pub(crate) source_name: String,
    /// Its place in the source, from 0.
    pub(crate) chunk_index: i32,
    /// The headings above it.
    pub(crate) heading: OrNull<String>,
    /// The fused score, from 0 to 1; comparable within one search only.
    pub(crate) score: f32,
    /// How near it is to the query by meaning: a cosine, at most 1.
    pub(crate) vector_score: OrNull<f32>,
    /// Its place by meaning, from 1.
    pub(crate) vector_rank: OrNull<i64>,
    /// How well its words match.
    pub(crate) text_score: OrNull<f32>,
    /// Its place by words, from 1.
    pub(crate) text_rank: OrNull<i64>,
    /// How well it answers the query, from 0 to 1, as a reranking model judged.
    pub(crate) rerank_score: OrNull<f32>,
    /// Its number among the passages from which the answer was made.
    pub(crate) passage: OrNull<u64>,
}

impl From<conversations::TracedAnswer> for AnswerTrace {
    fn from(traced: conversations::TracedAnswer) -> Self {
        Self {
            message_id: traced.message.into(),
            query: traced.trace.query,
            candidates: traced.trace.candidates.into_iter().map(TraceCandidate::from).collect(),
            answered: traced.answered,
            confidence: OrNull::of(traced.confidence),
            confidence_score: OrNull(traced.confidence_score.map(score)),
            support: traced.support.into_iter().map(Into::into).collect(),
            grounded: OrNull(traced.grounded),
            degraded: traced.degraded,
            model: traced.model,
            usage: TokenUsage {
                input_tokens: OrNull(traced.input_tokens),
                output_tokens: OrNull(traced.output_tokens),
            },
            timings_ms: traced.timings.into(),
        }
    }
}

impl From<conversations::Considered> for TraceCandidate {
    fn from(considered: conversations::Considered) -> Self {
        let ranking = considered.ranking;
        Self {
            chunk_id: considered.chunk.into(),
            source_id: considered.source.into(),
            source_name: considered.source_name,
            chunk_index: considered.ordinal,
            heading: OrNull(considered.heading),
            score: ranking.score,
            vector_score: OrNull(ranking.cosine),
            vector_rank: OrNull(ranking.dense_rank),
            text_score: OrNull(ranking.text_score),
            text_rank: OrNull(ranking.text_rank),
            rerank_score: OrNull(ranking.rerank_score),
            passage: OrNull(considered.passage.map(|number| number as u64)),
        }
    }
}
