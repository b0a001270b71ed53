//! Reindexing: restems the words of a bot's chunks after its language changed. Vectors are unaffected.

use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;

use super::store;
use crate::bots;
use crate::context::Context;
use crate::error::Result;
use crate::ids::{BotId, TenantId};
use crate::jobs::{self, About, Claim, Job, Kind};

/// Maximum number of chunks per step.
const STEP: i64 = 1_000;

/// Job: stems the words of a bot's chunks in its language.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reindex {
    /// The bot.
    pub bot: BotId,
}

impl Job for Reindex {
    const KIND: Kind = Kind::Reindex;
}

/// Enqueues a reindex, in the caller's transaction.
pub(crate) async fn enqueue(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    bot: BotId,
) -> Result<()> {
    let about = About { tenant, bot: Some(bot), source: None, parent: None };
    jobs::enqueue(ctx, tx, about, &Reindex { bot }).await.map(drop)
}

/// Restems one batch of chunks. Returns their number; 0 when done.
///
/// # Errors
/// [`crate::Error::NotFound`] when the bot was deleted meanwhile.
pub async fn step(ctx: &Context, tenant: TenantId, job: &Reindex) -> Result<u64> {
    // Read in every step: the language may have changed again.
    let language = bots::get(ctx, tenant, job.bot).await?.language;
    let mut db = ctx.db().for_tenant(tenant).await?;
    Ok(store::reindex(&mut *db, tenant, job.bot, language.text_search(), STEP).await?)
}

/// Settles a finished reindex.
///
/// # Errors
/// [`crate::Error::LeaseLost`] when another worker holds the job now.
pub async fn settle(ctx: &Context, claim: &Claim, job: &Reindex) -> Result<()> {
    let mut tx = ctx.db().begin(claim.about.tenant).await?;
    jobs::succeed(&mut tx, claim).await?;
    store::uncount_words(&mut **tx, claim.about.tenant, job.bot).await?;
    Ok(tx.commit().await?)
}
