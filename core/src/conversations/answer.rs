//! Answers, their citations and how well passages support them.

use serde::{Deserialize, Serialize};

use crate::ids::{ChunkId, SourceId};
use crate::stored_enum;

/// Answer before it is stored as a message.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Text, with citation markers.
    pub text: String,
    /// Citations.
    pub sources: Vec<Citation>,
    /// Passages given to the model or the extractive answer, in the order of their marker numbers.
    pub passages: Vec<ChunkId>,
    /// Whether the knowledge base had an answer; false for "unknown" answers only.
    pub answered: bool,
    /// Confidence; `None` for "unknown" answers.
    pub confidence: Option<Confidence>,
    /// Probability that the knowledge base answers the question, from 0 to 1.
    pub confidence_score: f32,
    /// Support of each factual sentence, in text order.
    pub support: Vec<Support>,
    /// Whether a passage supports every factual sentence.
    pub grounded: bool,
    /// Whether the model was unavailable and the extractive answer replaced it.
    pub degraded: bool,
    /// Whether the model failed, or the client disconnected, before the end.
    pub is_partial: bool,
    /// Model that wrote the answer.
    pub model: String,
    /// Prompt tokens, if the model reports them.
    pub input_tokens: Option<i32>,
    /// Completion tokens, if the model reports them.
    pub output_tokens: Option<i32>,
    /// Durations.
    pub timings: Timings,
}

stored_enum! {
    /// Confidence of an answer.
    pub enum Confidence {
        /// The knowledge base answers the question.
        High = "high",
        /// The knowledge base may answer the question; the answer text states that it is tentative.
        Low = "low",
    }
}

/// Citation of a passage in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// Marker number: 1 for `[1]`.
    pub index: usize,
    /// Source id.
    pub source_id: SourceId,
    /// Source name.
    pub source_name: String,
    /// Chunk id.
    pub chunk_id: ChunkId,
    /// Ordinal of the chunk within the source, from 0.
    pub chunk_index: i32,
    /// Page, for sources with pages.
    pub page: Option<i32>,
    /// Headings above the chunk, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// Start of the cited text within the source's text, in characters.
    pub start: i32,
    /// End of the cited text, exclusive.
    pub end: i32,
    /// Cosine similarity to the question, at most 1.
    pub score: f32,
    /// Cited text.
    pub snippet: String,
    /// URL of the source, if any.
    pub url: Option<String>,
}

/// Support of one sentence of an answer by a passage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// Start of the sentence in the answer, in characters.
    pub start: usize,
    /// Its end, exclusive; the sentence's markers are included.
    pub end: usize,
    /// The `index` of the citation that supports it; `None` when no passage does.
    pub citation: Option<usize>,
    /// How well the best passage supports it, from 0 to 1.
    pub score: f32,
}

/// Durations of the steps of an answer, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// Embedding the question.
    pub embed: f64,
    /// Hybrid search.
    pub search: f64,
    /// Reranking the search results.
    #[serde(default)]
    pub rerank: f64,
    /// From the model call to its first token; for extractive answers, to the whole answer.
    pub first_token: f64,
    /// Total.
    pub total: f64,
}
