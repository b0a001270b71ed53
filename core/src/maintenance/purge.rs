//! The steps of a purge job: removes deleted rows and files, a bounded number at a time.
//!
//! Deleted data is hidden in the transaction of the request; nothing here is urgent, and every step is idempotent.

use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;
use crate::jobs::{self, Claim};
use crate::purge::Purge;
use crate::{analytics, bots, conversations, knowledge};

/// Most rows removed in one step.
const STEP: i64 = 2_000;

/// Removes some of what is to be purged; returns the number of rows, 0 when nothing is left.
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

/// Settles a purge with nothing left to remove except the subject itself.
///
/// # Errors
/// [`crate::Error::LeaseLost`] when another worker holds the job.
pub async fn settle(ctx: &Context, claim: &Claim, purge: Purge) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::succeed(&mut tx, claim).await?;
    if let Purge::Bot { bot } = purge {
        analytics::forget(&mut tx, tenant, bot).await?;
        bots::remove(&mut tx, tenant, bot).await?;
    }
    tx.commit().await?;
    Ok(())
}
