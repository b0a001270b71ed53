//! Response body of `searchKnowledge`.

use parlance_core::knowledge::search::{self, Hit, Mode, SearchRequest};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::response::types::{Id, OrNull};

/// Results of a search.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SearchResults {
    /// Unique identifier of the bot.
    pub(crate) bot_id: Id,
    /// Search query.
    pub(crate) query: String,
    /// Search mode.
    pub(crate) mode: Word<Mode>,
    /// Passages, best first.
    pub(crate) results: Vec<Passage>,
    /// Timings, in milliseconds.
    pub(crate) timings_ms: SearchTimings,
}

/// A passage found by a search.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Passage {
    /// Unique identifier of the chunk.
    pub(crate) chunk_id: Id,
    /// Unique identifier of the knowledge source.
    pub(crate) source_id: Id,
    /// Name of the knowledge source.
    pub(crate) source_name: String,
    /// Index of the chunk in the source, from 0.
    pub(crate) chunk_index: i32,
    /// Page number, if the source has pages.
    pub(crate) page: OrNull<i32>,
    /// Headings above the passage.
    pub(crate) heading: OrNull<String>,
    /// Text of the passage.
    pub(crate) content: String,
    /// Start of the passage in the source's content, in characters.
    pub(crate) start: i32,
    /// End of the passage, exclusive, in characters.
    pub(crate) end: i32,
    /// URL of the source, if it has one.
    pub(crate) url: OrNull<String>,
    /// Score that determines the rank. In mode `hybrid` without reranking: the sum of 1 / (1 + rank) over the
    /// rankings that contain the passage.
    pub(crate) score: f32,
    /// Cosine similarity to the query; at most 1.
    pub(crate) vector_score: OrNull<f32>,
    /// Rank in the vector search, from 1.
    pub(crate) vector_rank: OrNull<i64>,
    /// Score of the full-text search; comparable within one response only.
    pub(crate) text_score: OrNull<f32>,
    /// Rank in the full-text search, from 1.
    pub(crate) text_rank: OrNull<i64>,
    /// Relevance according to the reranking model, from 0 to 1; it determines the rank if present.
    pub(crate) rerank_score: OrNull<f32>,
}

/// Timings of a search, in milliseconds.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SearchTimings {
    /// Embedding the query.
    pub(crate) embed: f64,
    /// Searching the knowledge.
    pub(crate) search: f64,
    /// Reranking the passages, if a reranking model is configured.
    pub(crate) rerank: f64,
}

impl SearchResults {
    pub(super) fn of(request: &SearchRequest, found: search::SearchResults) -> Self {
        Self {
            bot_id: request.bot.into(),
            query: request.query.to_string(),
            mode: request.mode.into(),
            results: found.hits.into_iter().map(Passage::of).collect(),
            timings_ms: SearchTimings {
                embed: found.embed_ms,
                search: found.search_ms,
                rerank: found.rerank_ms,
            },
        }
    }
}

impl Passage {
    fn of(hit: Hit) -> Self {
        Self {
            chunk_id: hit.chunk.into(),
            source_id: hit.source.into(),
            source_name: hit.source_name,
            chunk_index: hit.ordinal,
            page: OrNull(hit.page),
            heading: OrNull(hit.heading),
            content: hit.content,
            start: hit.start,
            end: hit.end,
            url: OrNull(hit.url),
            score: hit.ranking.score,
            vector_score: OrNull(hit.ranking.cosine),
            vector_rank: OrNull(hit.ranking.dense_rank),
            text_score: OrNull(hit.ranking.text_score),
            text_rank: OrNull(hit.ranking.text_rank),
            rerank_score: OrNull(hit.ranking.rerank_score),
        }
    }
}
