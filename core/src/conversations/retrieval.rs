//! The first half of an answer: what a bot finds for a message.

use std::sync::Arc;
use std::time::Instant;

use super::{courtesy, followup};
use crate::bots::Bot;
use crate::calibration::{self, Calibration};
use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;
use crate::knowledge::search::{self, Found, Hit, Mode, Search};
use crate::providers::chat::Turn;
use crate::providers::embed::Embedder;

/// Passages that an answer is made from.
const TOP_K: usize = 5;

/// Passages that a trace shows.
const TRACED: usize = 20;

/// What a bot found for a message.
pub(super) enum Retrieved {
    /// A greeting, thanks or the like: its reply. Nothing was searched.
    Courtesy(String),
    /// A question, and what was found for it.
    Question(Box<Retrieval>),
}

/// What was found for a question.
pub(super) struct Retrieval {
    pub(super) begun: Instant,
    pub(super) query: String,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) calibration: Calibration,
    pub(super) found: Found,
}

/// Looks a message up in a bot's knowledge; `history` resolves a question that cannot stand alone.
///
/// # Errors
/// When the database or the embedding model does not answer.
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
    let query = followup::query(history, message);
    let embedder = search::embedder_of(ctx, tenant, bot.id).await?;
    let calibration = calibration::for_model(ctx, &embedder).await?;
    let search = Search { question: &query, mode: Mode::Hybrid, sources: None, top_k: TRACED };
    let found = search::find(ctx, &*embedder, tenant, bot, &search).await?;
    Ok(Retrieved::Question(Box::new(Retrieval { begun, query, embedder, calibration, found })))
}

impl Retrieval {
    /// The passages that an answer is made from.
    pub(super) fn best(&self) -> &[Hit] {
        let hits = &self.found.hits;
        hits.get(..TOP_K.min(hits.len())).unwrap_or_default()
    }
}

/// The cosine of a passage and the question; 0 without a vector.
pub(super) fn similarity(hit: &Hit) -> f32 {
    hit.ranking.cosine.unwrap_or(0.0)
}
