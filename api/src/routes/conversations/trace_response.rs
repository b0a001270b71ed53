//! Response body of `traceAnswer`.

use parlance_core::conversations::{self, Confidence};
use poem_openapi::Object;

use super::responses::{SentenceSupport, Timings, TokenUsage, score};
use crate::extract::enums::Word;
use crate::response::types::{Id, OrNull};

/// Trace of an answer: how it was generated.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct AnswerTrace {
    /// Unique identifier of the answer.
    pub(crate) message_id: Id,
    /// Search query: the question, preceded by the previous question if it depends on it.
    pub(crate) query: String,
    /// Passages found, best first.
    pub(crate) candidates: Vec<TraceCandidate>,
    /// Whether the knowledge had an answer.
    pub(crate) answered: bool,
    /// Confidence that the knowledge answers the question: `high`, or `low` for a tentative answer. Null for unknown
    /// answers, and for answers of a version without confidence.
    pub(crate) confidence: OrNull<Word<Confidence>>,
    /// Estimated probability that the knowledge answers the question, from 0 to 1, rounded to three digits. Null for
    /// answers of a version without confidence.
    pub(crate) confidence_score: OrNull<f64>,
    /// Support of each factual sentence, in the order of the text; empty without factual sentences.
    pub(crate) support: Vec<SentenceSupport>,
    /// Whether a passage supports every factual sentence. Null for answers of a version without confidence.
    pub(crate) grounded: OrNull<bool>,
    /// Whether the built-in answer replaced that of an unavailable language model.
    pub(crate) degraded: bool,
    /// Model that generated the answer.
    pub(crate) model: String,
    /// Token usage of the model.
    pub(crate) usage: TokenUsage,
    /// Timings, in milliseconds.
    pub(crate) timings_ms: Timings,
}

/// A passage found by the search.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct TraceCandidate {
    /// Unique identifier of the chunk.
    pub(crate) chunk_id: Id,
    /// Unique identifier of the knowledge source.
    pub(crate) source_id: Id,
    /// Name of the knowledge source.
    pub(crate) source_name: String,
    /// Index of the chunk in the source, from 0.
    pub(crate) chunk_index: i32,
    /// Headings above the passage.
    pub(crate) heading: OrNull<String>,
    /// Fused score, from 0 to 1; comparable within one search only.
    pub(crate) score: f32,
    /// Cosine similarity to the query; at most 1.
    pub(crate) vector_score: OrNull<f32>,
    /// Rank in the vector search, from 1.
    pub(crate) vector_rank: OrNull<i64>,
    /// Score of the full-text search.
    pub(crate) text_score: OrNull<f32>,
    /// Rank in the full-text search, from 1.
    pub(crate) text_rank: OrNull<i64>,
    /// Relevance according to the reranking model, from 0 to 1.
    pub(crate) rerank_score: OrNull<f32>,
    /// Number among the passages given to the answer; null if it was not used.
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

impl From<conversations::TraceCandidate> for TraceCandidate {
    fn from(considered: conversations::TraceCandidate) -> Self {
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
