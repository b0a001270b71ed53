//! Steps of a purge job: remove deleted rows and files in bounded batches.
//!
//! Not urgent, because the request's transaction has hidden the data already. Every step is idempotent.

use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;
use crate::jobs::{self, Claim, Subject};
use crate::purge_job::Purge;
use crate::{analytics, bots, conversations, knowledge};

/// Maximum number of rows removed per step.
const STEP: i64 = 2_000;

/// Begins a purge: cancels the jobs that the deletion of the bot or source skipped because they were locked.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(ctx: &Context, claim: &Claim, purge: Purge) -> Result<()> {
    match purge {
        Purge::Bot { bot } => jobs::cancel_others(ctx, claim, Subject::Bot(bot)).await,
        Purge::Source { source } => jobs::cancel_others(ctx, claim, Subject::Source(source)).await,
        Purge::Vectors { .. } | Purge::Versions { .. } => Ok(()),
    }
}

/// Removes one batch. Returns the number of rows; 0 when nothing is left.
///
/// # Errors
/// When the database or the file storage does not answer.
pub async fn step(ctx: &Context, tenant: TenantId, purge: Purge) -> Result<u64> {
    match purge {
        Purge::Bot { bot } => {
            let removed = conversations::purge(ctx, tenant, bot, STEP).await?;
            if removed > 0 { Ok(removed) } else { knowledge::purge_bot(ctx, tenant, bot, STEP).await }
        }
        Purge::Vectors { bot } => knowledge::purge_vectors(ctx, tenant, bot, STEP).await,
        Purge::Source { source } => knowledge::purge_source(ctx, tenant, source, STEP).await,
        Purge::Versions { source } => knowledge::purge_versions(ctx, tenant, source, STEP).await,
    }
}

/// Settles a purge. The purge of a bot also deletes its row and its statistics, the last of its data.
///
/// # Errors
/// [`crate::Error::LeaseLost`] when another worker holds the job.
pub async fn settle(ctx: &Context, claim: &Claim, purge: Purge) -> Result<()> {
    let Purge::Bot { bot } = purge else {
        return jobs::succeed_without_results(ctx, claim).await;
    };
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::succeed(&mut tx, claim).await?;
    analytics::forget(&mut tx, tenant, bot).await?;
    bots::remove(&mut tx, tenant, bot).await?;
    tx.commit().await?;
    Ok(())
}
