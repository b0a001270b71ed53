//! A passage found by a search, and its ranking.

use serde::{Deserialize, Serialize};

use crate::ids::{ChunkId, SourceId};

/// A passage found by a search.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its source.
    pub source: SourceId,
    /// The source's name.
    pub source_name: String,
    /// The source's address, if it has one.
    pub url: Option<String>,
    /// Position in the source, from 0.
    pub ordinal: i32,
    /// Page, if the source has pages.
    pub page: Option<i32>,
    /// Headings above the chunk.
    pub heading: Option<String>,
    /// Text.
    pub content: String,
    /// Start in the source's text, in characters.
    pub start: i32,
    /// End, exclusive.
    pub end: i32,
    /// Scores and ranks.
    pub ranking: Ranking,
}

/// Scores and ranks of a passage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Cosine of the passage's and the question's vectors, if compared.
    pub cosine: Option<f32>,
    /// Rank by meaning, from 1, if among the nearest.
    pub dense_rank: Option<i64>,
    /// Lexical score; comparable within one search only.
    pub text_score: Option<f32>,
    /// Rank by words, from 1, if among the best.
    pub text_rank: Option<i64>,
    /// Reranker's score of question and passage, from 0 to 1, if reranked.
    #[serde(default)]
    pub rerank_score: Option<f32>,
    /// Fused score, from 0 to 1; comparable within one search only.
    pub score: f32,
}
