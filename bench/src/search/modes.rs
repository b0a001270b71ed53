//! Latency and recall of each search mode.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use parlance_core::Context;
use parlance_core::ids::TenantId;
use parlance_core::knowledge::search::{self, Mode, Search};
use parlance_core::platform::fair_queue::Caller;
use parlance_core::providers::embed::Embedder;
use tokio_util::sync::CancellationToken;

use super::{GOAL_CHUNKS, MeasuredBot, TOP_K};
use crate::report::Row;
use crate::samples::Samples;

const MIN_RECALL: f64 = 0.99;

/// In milliseconds.
const MAX_P95: f64 = 15.0;

pub(super) async fn measure(
    ctx: &Context,
    tenant: TenantId,
    bot: &MeasuredBot,
    mode: Mode,
    model: &str,
) -> anyhow::Result<Vec<Row>> {
    let (took, recall) = search_all(ctx, tenant, bot, mode, model).await?;
    let name = format!("search, {} chunks, {}", bot.chunks, mode.as_str());
    let mut rows = vec![
        Row::plain(format!("{name}: median"), took.median(), "ms", took.len()),
        if bot.chunks <= GOAL_CHUNKS {
            Row::at_most(MAX_P95, format!("{name}: p95"), took.p95(), "ms", took.len())
        } else {
            Row::plain(format!("{name}: p95"), took.p95(), "ms", took.len())
        },
    ];
    if mode == Mode::Vector {
        rows.push(Row::at_least(MIN_RECALL, format!("{name}: recall@{TOP_K}"), recall, "", took.len()));
    }
    Ok(rows)
}

/// Searches a bot with all its questions, twice. Returns the milliseconds of the second round, and the
/// recall.
pub(super) async fn search_all(
    ctx: &Context,
    tenant: TenantId,
    bot: &MeasuredBot,
    mode: Mode,
    model: &str,
) -> anyhow::Result<(Samples, f64)> {
    let (mut took, mut found) = (Vec::new(), 0);
    for is_warm in [false, true] {
        for (question, truth) in bot.questions.iter().zip(&bot.truth) {
            let search = Search { question: &question.words, mode, sources: None, top_k: TOP_K };
            let embedder = FixedEmbedder { model, vector: &question.vector };
            let started = Instant::now();
            let hits = search::find(ctx, &embedder, tenant, &bot.bot, &search).await?.hits;
            if is_warm {
                took.push(started.elapsed().as_secs_f64() * 1_000.0);
                found += hits.iter().filter(|hit| truth.contains(&hit.chunk.uuid())).count();
            }
        }
    }
    let possible: usize = bot.truth.iter().map(HashSet::len).sum();
    Ok((took.into_iter().collect(), found as f64 / possible as f64))
}

/// Returns a precomputed vector of the question, so that only the search is timed.
struct FixedEmbedder<'a> {
    model: &'a str,
    vector: &'a [f32],
}

#[async_trait]
impl Embedder for FixedEmbedder<'_> {
    fn id(&self) -> &str {
        self.model
    }

    fn token_starts(&self, _: &str) -> Vec<usize> {
        Vec::new()
    }

    async fn embed_query(&self, _: Caller, _: String) -> parlance_core::Result<Vec<f32>> {
        Ok(self.vector.to_vec())
    }

    async fn embed_sentences(&self, _: Caller, texts: Vec<String>) -> parlance_core::Result<Vec<Vec<f32>>> {
        Ok(vec![self.vector.to_vec(); texts.len()])
    }

    async fn embed_passages(
        &self,
        _: Caller,
        _: Vec<String>,
        _: Arc<dyn Fn(usize) + Send + Sync>,
        _: CancellationToken,
    ) -> parlance_core::Result<Vec<Vec<f32>>> {
        Ok(Vec::new())
    }
}
