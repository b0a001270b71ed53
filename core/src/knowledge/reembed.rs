//! Re-embedding: moves bots to a new embedding model, one at a time, in the background.
//!
//! Until all live chunks of a bot have a vector of the new model, searches use the vectors of the old one if
//! it is still loaded, and words in any case.

use pgvector::HalfVector;
use serde::{Deserialize, Serialize};

use super::index::{self, Watch};
use super::ingest::Unembedded;
use super::store;
use crate::context::Context;
use crate::error::{Error, Part, Result};
use crate::ids::{BotId, ChunkId, TenantId};
use crate::jobs::{self, About, Claim, Job, Kind, fleet};
use crate::platform::db::Db;
use crate::purge_job::{self, Purge};

/// Maximum number of bots per check.
const CHECK_BATCH: i64 = 100;

/// Chunks embedded and stored per batch.
const BATCH: i64 = 32;

/// Job: embeds a bot's chunks with another model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reembed {
    /// The bot.
    pub bot: BotId,
    /// The model.
    pub model: String,
}

impl Job for Reembed {
    const KIND: Kind = Kind::Reembed;
}

/// Enqueues a job for each bot not yet on the configured model. Does nothing while workers with different
/// models are alive, as in a rolling restart: they would move the bots back and forth.
///
/// # Errors
/// When a statement fails.
pub async fn look_for_old_models(ctx: &Context) -> Result<()> {
    let model = ctx.embedder().id();
    let old = store::list_old_models(ctx.db().platform(), model, CHECK_BATCH).await?;
    if old.is_empty() || !fleet::has_one_model(ctx).await? {
        return Ok(());
    }
    for bot in &old {
        let about = About { tenant: bot.tenant, bot: Some(bot.bot), source: None, parent: None };
        let mut tx = ctx.db().begin(bot.tenant).await?;
        jobs::enqueue(ctx, &mut tx, about, &Reembed { bot: bot.bot, model: model.to_owned() }).await?;
        tx.commit().await?;
    }
    jobs::dispatch::nudge(ctx, Kind::Reembed);
    Ok(())
}

/// Searched models other than `model`, with their number of bots.
///
/// # Errors
/// When the statement fails.
pub async fn count_old_models(db: &Db, model: &str) -> Result<Vec<(String, i64)>> {
    Ok(store::count_old_models(db.platform(), model).await?)
}

/// Number of live chunks without a vector of the model.
///
/// # Errors
/// [`Error::Unavailable`] when this process runs another model; a worker with the right one will take the
/// job.
pub async fn begin(ctx: &Context, tenant: TenantId, job: &Reembed) -> Result<usize> {
    if ctx.embedder().id() != job.model {
        let message = format!("this worker runs the model {}, not {}", ctx.embedder().id(), job.model);
        return Err(Error::unavailable(Part::Embedding, message));
    }
    let db = ctx.db().reading(tenant);
    let lacking = store::count_unembedded_of_bot(db, tenant, job.bot, &job.model).await?;
    Ok(usize::try_from(lacking).unwrap_or(0))
}

/// Next batch of live chunks without a vector of the model, after a chunk id.
///
/// # Errors
/// When the statement fails.
pub async fn batch(
    ctx: &Context,
    tenant: TenantId,
    job: &Reembed,
    after: Option<ChunkId>,
) -> Result<Vec<Unembedded>> {
    let db = ctx.db().reading(tenant);
    Ok(store::list_unembedded_of_bot(db, tenant, job.bot, &job.model, after, BATCH).await?)
}

/// Stores a batch of vectors.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now.
pub async fn keep(
    ctx: &Context,
    claim: &Claim,
    job: &Reembed,
    ids: &[ChunkId],
    vectors: &[Vec<f32>],
) -> Result<()> {
    let tenant = claim.about.tenant;
    let halves: Vec<HalfVector> = vectors.iter().map(|vector| HalfVector::from_f32_slice(vector)).collect();
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    let embedded = store::insert_vectors(&mut **tx, tenant, &job.model, ids, &halves).await?;
    tx.commit().await?;
    ctx.meters().embedded(embedded);
    Ok(())
}

/// Settles a [`Reembed`]: switches searches to the new vectors, indexed if the bot is large, and enqueues
/// removal of the old ones. False if chunks without a vector went live meanwhile.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now.
pub async fn settle(ctx: &Context, claim: &Claim, job: &Reembed, watch: Watch<'_>) -> Result<bool> {
    let tenant = claim.about.tenant;
    let has_graph = index::prepare(ctx, tenant, job.bot, &job.model, watch).await?;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    if store::count_unembedded_of_bot(&mut **tx, tenant, job.bot, &job.model).await? > 0 {
        return Ok(false);
    }
    jobs::succeed(&mut tx, claim).await?;
    store::set_model(&mut **tx, tenant, job.bot, &job.model, has_graph.then_some(&*job.model)).await?;
    purge_job::enqueue(ctx, &mut tx, tenant, Purge::Vectors { bot: job.bot }).await?;
    tx.commit().await?;
    jobs::dispatch::nudge(ctx, Kind::Purge);
    Ok(true)
}
