//! Search: the passages of a bot that answer a question.
//!
//! Hybrid: the nearest by meaning and the best by words, fused by reciprocal rank.

use pgvector::HalfVector;

use super::store;
use crate::bots::Bot;
use crate::context::Context;
use crate::error::Result;
use crate::ids::{ChunkId, SourceId, TenantId};

/// How far down each ranking is read before the two are fused.
const CANDIDATES: i64 = 50;

/// The constant of reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009.
const RRF_K: f32 = 60.0;

/// A passage that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its source.
    pub source: SourceId,
    /// That source's name.
    pub source_name: String,
    /// That source's address, when it has one.
    pub url: Option<String>,
    /// Its place in the source, from 0.
    pub ordinal: i32,
    /// Its page, when the source has pages.
    pub page: Option<i32>,
    /// The headings above it.
    pub heading: Option<String>,
    /// Its text.
    pub content: String,
    /// Where its text begins in the source's, in characters.
    pub start: i32,
    /// Where it ends, excluded.
    pub end: i32,
    /// The cosine of its vector and the question's.
    pub cosine: f32,
    /// The fused score; only its order means something.
    pub score: f32,
}

/// A candidate with its places in the two rankings, from 1.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) hit: Hit,
    pub(super) dense_rank: Option<i64>,
    pub(super) text_rank: Option<i64>,
}

/// The best passages of a bot's live knowledge for a question, best first. `vector` is the question's.
///
/// # Errors
/// When the statement fails.
pub async fn hybrid(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    question: &str,
    vector: &[f32],
    top_k: usize,
) -> Result<Vec<Hit>> {
    let query = store::Query {
        tenant,
        bot: bot.id,
        model: ctx.embedder().id(),
        vector: HalfVector::from_f32_slice(vector),
        text: question,
        text_search: bot.language.text_search(),
        candidates: CANDIDATES,
    };
    let candidates = store::search(&mut *ctx.db().of(tenant).await?, &query).await?;
    Ok(fuse(candidates, top_k))
}

/// Orders candidates by `Σ 1 / (k + rank)` over the rankings that hold them.
fn fuse(candidates: Vec<Candidate>, top_k: usize) -> Vec<Hit> {
    let share = |rank: Option<i64>| rank.map_or(0.0, |rank| 1.0 / (RRF_K + rank as f32));
    let mut hits: Vec<Hit> = candidates
        .into_iter()
        .map(|candidate| Hit {
            score: share(candidate.dense_rank) + share(candidate.text_rank),
            ..candidate.hit
        })
        .collect();
    hits.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(b.cosine.total_cmp(&a.cosine)).then(a.chunk.cmp(&b.chunk))
    });
    hits.truncate(top_k);
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, dense_rank: Option<i64>, text_rank: Option<i64>) -> Candidate {
        let hit = Hit {
            chunk: ChunkId::fresh(),
            source: SourceId::fresh(),
            source_name: name.to_owned(),
            url: None,
            ordinal: 0,
            page: None,
            heading: None,
            content: String::new(),
            start: 0,
            end: 0,
            cosine: 0.0,
            score: 0.0,
        };
        Candidate { hit, dense_rank, text_rank }
    }

    #[test]
    fn what_both_rankings_hold_comes_before_what_one_holds_higher() {
        let fused = fuse(
            vec![
                candidate("dense only", Some(1), None),
                candidate("text only", None, Some(2)),
                candidate("both", Some(3), Some(3)),
            ],
            2,
        );
        let names: Vec<&str> = fused.iter().map(|hit| hit.source_name.as_str()).collect();
        assert_eq!(names, ["both", "dense only"]);
    }

    #[test]
    fn the_score_is_the_sum_of_reciprocal_ranks() {
        let fused = fuse(vec![candidate("both", Some(1), Some(4))], 10);
        assert!((fused[0].score - (1.0 / 61.0 + 1.0 / 64.0)).abs() < 1e-6);
    }
}
