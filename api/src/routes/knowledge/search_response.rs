//! What a search found, as the API shows it.

use parlance_core::knowledge::search::{Found, Hit, Mode, SearchRequest};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull};

/// The passages that a search found.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SearchResults {
    /// The bot whose knowledge was searched.
    pub(crate) bot_id: Id,
    /// The query.
    pub(crate) query: String,
    /// What the passages are ranked by.
    pub(crate) mode: Word<Mode>,
    /// The passages, best first.
    pub(crate) results: Vec<Passage>,
    /// How long it took.
    pub(crate) timings_ms: SearchTimings,
}

/// A passage that was found.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Passage {
    /// The chunk.
    pub(crate) chunk_id: Id,
    /// Its knowledge source.
    pub(crate) source_id: Id,
    /// That source's name.
    pub(crate) source_name: String,
    /// Its place in the source, from 0.
    pub(crate) chunk_index: i32,
    /// The page, when the source has pages.
    pub(crate) page: OrNull<i32>,
    /// The headings above it.
    pub(crate) heading: OrNull<String>,
    /// Its text.
    pub(crate) content: String,
    /// Where it begins in the source's content, in characters.
    pub(crate) start: i32,
    /// Where it ends, excluded.
    pub(crate) end: i32,
    /// The source's address, when it has one.
    pub(crate) url: OrNull<String>,
    /// What it is ranked by: in mode `hybrid` and alone, the sum of 1 / (1 + its place) over the rankings
    /// that hold it.
    pub(crate) score: f32,
    /// How near it is to the query by meaning: a cosine, at most 1.
    pub(crate) vector_score: OrNull<f32>,
    /// Its place by meaning, from 1.
    pub(crate) vector_rank: OrNull<i64>,
    /// How well its words match; to be compared within one answer only.
    pub(crate) text_score: OrNull<f32>,
    /// Its place by words, from 1.
    pub(crate) text_rank: OrNull<i64>,
    /// How well it answers the query, from 0 to 1, as a reranking model judged: then this is what it is ranked by.
    pub(crate) rerank_score: OrNull<f32>,
}

/// How long the parts of a search took, in milliseconds.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SearchTimings {
    /// To embed the query.
    pub(crate) embed: f64,
    /// To search.
    pub(crate) search: f64,
    /// To rerank what was found, where a model is configured for it.
    pub(crate) rerank: f64,
}

impl SearchResults {
    pub(super) fn of(request: &SearchRequest, found: Found) -> Self {
        Self {
            bot_id: request.bot.into(),
            query: request.query.clone(),
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
