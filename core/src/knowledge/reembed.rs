//! Reembed: the embedding model is another one now, and every bot changes over to it, one at a time, in the
//! background. Until all of a bot's live chunks have a vector of the new model it is searched by those of the old
//! one, if questions can still be embedded with that, and by words in any case.

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
use crate::purge::{self, Purge};

/// Bots that one look takes care of.
const STEP: i64 = 100;

/// Chunks whose vectors are kept at once.
const BATCH: i64 = 32;

/// Gives a bot's chunks vectors of another model.
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

/// Enqueues a job for each bot that is searched by vectors of another model than the configured one. Not while
/// workers of both live, as in a rolling restart: they would move the bots to and fro.
///
/// # Errors
/// When a statement fails.
pub async fn look_for_old_models(ctx: &Context) -> Result<()> {
    let model = ctx.embedder().id();
    let old = store::list_old_models(ctx.db().platform(), model, STEP).await?;
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

/// The other models whose vectors bots are searched by, each with its number of bots.
///
/// # Errors
/// When the statement fails.
pub async fn count_old_models(db: &Db, model: &str) -> Result<Vec<(String, i64)>> {
    Ok(store::count_old_models(db.platform(), model).await?)
}

/// How many live chunks have no vector of the model.
///
/// # Errors
/// [`Error::Unavailable`] when this process has another model: one that has it will take the job.
pub async fn begin(ctx: &Context, tenant: TenantId, job: &Reembed) -> Result<usize> {
    if ctx.embedder().id() != job.model {
        let message = format!("this worker's model is {}, and not {}", ctx.embedder().id(), job.model);
        return Err(Error::unavailable(Part::Embedding, message));
    }
    let mut db = ctx.db().of(tenant).await?;
    let lacking = store::count_unembedded_of_bot(&mut *db, tenant, job.bot, &job.model).await?;
    Ok(usize::try_from(lacking).unwrap_or(0))
}

/// The next live chunks, after one, that have no vector of the model.
///
/// # Errors
/// When the statement fails.
pub async fn batch(
    ctx: &Context,
    tenant: TenantId,
    job: &Reembed,
    after: Option<ChunkId>,
) -> Result<Vec<Unembedded>> {
    let mut db = ctx.db().of(tenant).await?;
    Ok(store::list_unembedded_of_bot(&mut *db, tenant, job.bot, &job.model, after, BATCH).await?)
}

/// Keeps some vectors.
///
/// # Errors
/// [`Error::LeaseLost`] when the job is another's now.
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
    let embedded = store::insert_vectors(&mut *tx, tenant, &job.model, ids, &halves).await?;
    tx.commit().await?;
    ctx.meters().embedded(embedded);
    Ok(())
}

/// Settles a [`Reembed`]: the bot is searched by the new vectors from now on, with an index if it is large, and the
/// old ones will be removed. False when chunks went live meanwhile that lack a vector.
///
/// # Errors
/// [`Error::LeaseLost`] when the job is another's now.
pub async fn settle(ctx: &Context, claim: &Claim, job: &Reembed, watch: Watch<'_>) -> Result<bool> {
    let tenant = claim.about.tenant;
    let has_graph = index::prepare(ctx, tenant, job.bot, &job.model, watch).await?;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    if store::count_unembedded_of_bot(&mut *tx, tenant, job.bot, &job.model).await? > 0 {
        return Ok(false);
    }
    jobs::succeed(&mut tx, claim).await?;
    store::set_model(&mut *tx, tenant, job.bot, &job.model, has_graph.then_some(&*job.model)).await?;
    purge::enqueue(ctx, &mut tx, tenant, Purge::Vectors { bot: job.bot }).await?;
    tx.commit().await?;
    jobs::dispatch::nudge(ctx, Kind::Purge);
    Ok(true)
}
