//! Purge: the rows and files of what was deleted, removed after the answer, a bounded number a time.
//!
//! What is deleted is hidden in the transaction that answers; nothing here is in a hurry, and everything
//! can be done twice.

use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;

use crate::context::Context;
use crate::error::Result;
use crate::ids::{BotId, JobId, SourceId, TenantId};
use crate::jobs::{self, About, Claim, Job, Kind};
use crate::{analytics, bots, conversations, knowledge};

/// Rows that one step removes at most.
const STEP: i64 = 2_000;

/// What is to be removed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purge {
    /// A bot that was deleted, with its conversations and its knowledge.
    Bot {
        /// The bot.
        bot: BotId,
    },
    /// A source that was deleted.
    Source {
        /// The source.
        source: SourceId,
    },
    /// Vectors of a bot that are of another model than the one that is searched.
    Vectors {
        /// The bot.
        bot: BotId,
    },
    /// Versions of a source that newer ones replaced.
    Versions {
        /// The source.
        source: SourceId,
    },
}

impl Job for Purge {
    const KIND: Kind = Kind::Purge;
    const MAX_ATTEMPTS: i32 = 20;
}

/// Writes a purge into the ledger, in the caller's transaction.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn enqueue(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    purge: Purge,
) -> Result<JobId> {
    let bot = match purge {
        Purge::Bot { bot } | Purge::Vectors { bot } => Some(bot),
        Purge::Source { .. } | Purge::Versions { .. } => None,
    };
    // It is about no source: a purge that fails says nothing about one.
    let about = About { tenant, bot, source: None, parent: None };
    jobs::enqueue(ctx, tx, about, &purge).await
}

/// Removes some of what is to be removed; gives how many rows, 0 when there are no more.
///
/// # Errors
/// When a part does not answer.
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

/// Settles a purge that has nothing left to remove but the thing itself.
///
/// # Errors
/// [`crate::Error::LeaseLost`] when the job is another's now.
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
