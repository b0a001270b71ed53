//! First step of an answer: retrieves the passages for a message.

use std::sync::Arc;
use std::time::Instant;

use super::{courtesy, followup};
use crate::bots::Bot;
use crate::calibration::{self, Calibration};
use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;
use crate::knowledge::search::{self, Hit, Mode, Search, SearchResults};
use crate::platform::fair_queue::Caller;
use crate::providers::chat::Turn;
use crate::providers::embed::Embedder;

/// Passages used for an answer.
const TOP_K: usize = 5;

/// Passages recorded in a trace.
const TRACED: usize = 20;

/// Result of retrieval.
pub(super) enum Retrieved {
    /// Reply to a greeting, thanks or the like; nothing was searched.
    Courtesy(String),
    /// Search results for a question.
    Question(Box<Retrieval>),
}

/// Search results for a question.
pub(super) struct Retrieval {
    pub(super) begun: Instant,
    pub(super) caller: Caller,
    pub(super) query: String,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) calibration: Calibration,
    pub(super) found: SearchResults,
}

/// Retrieves passages for a message; `history` resolves follow-up questions.
///
/// # Errors
/// When the database or the embedding model fails.
pub(super) async fn retrieve(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    history: &[Turn],
    message: &str,
) -> Result<Retrieved> {
    if let Some(reply) = courtesy::reply(bot, message) {
        return Ok(Retrieved::Courtesy(reply));
    }
    let begun = Instant::now();
    let query = search::window(&followup::query(history, message)).to_owned();
    let embedder = search::embedder_of(ctx, tenant, bot.id).await?;
    let calibration = calibration::for_model(ctx, &embedder).await?;
    let search = Search { question: &query, mode: Mode::Hybrid, sources: None, top_k: TRACED };
    let found = search::find(ctx, &*embedder, tenant, bot, &search).await?;
    let caller = Caller::interactive(tenant);
    Ok(Retrieved::Question(Box::new(Retrieval { begun, caller, query, embedder, calibration, found })))
}

impl Retrieval {
    /// Passages used for the answer.
    pub(super) fn best(&self) -> &[Hit] {
        let hits = &self.found.hits;
        hits.get(..TOP_K.min(hits.len())).unwrap_or_default()
    }
}

/// Length in bytes of a question and its passages, for [`Cpu::analyse`](crate::platform::cpu::Cpu::analyse).
pub(super) fn extent(question: &str, passages: &[Hit]) -> usize {
    question.len() + passages.iter().map(|hit| hit.content.len()).sum::<usize>()
}

/// Cosine similarity of a passage to the question; 0 without a vector.
pub(super) fn similarity(hit: &Hit) -> f32 {
    hit.ranking.cosine.unwrap_or(0.0)
}
