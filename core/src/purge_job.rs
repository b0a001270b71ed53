//! Payload of the purge job, enqueued by the slices. Its steps are in [`crate::maintenance::purge`].

use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;

use crate::context::Context;
use crate::error::Result;
use crate::ids::{BotId, JobId, SourceId, TenantId};
use crate::jobs::{self, About, Job, Kind};

/// Data to remove.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purge {
    /// A deleted bot with its conversations and knowledge.
    Bot {
        /// The bot.
        bot: BotId,
    },
    /// A deleted source.
    Source {
        /// The source.
        source: SourceId,
    },
    /// Vectors of a bot from models other than its search model.
    Vectors {
        /// The bot.
        bot: BotId,
    },
    /// Replaced versions of a source.
    Versions {
        /// The source.
        source: SourceId,
    },
}

impl Job for Purge {
    const KIND: Kind = Kind::Purge;
}

/// Enqueues a purge, in the caller's transaction.
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
    // No source: the failure of a purge must not mark a source as failed.
    let about = About { tenant, bot, source: None, parent: None };
    jobs::enqueue(ctx, tx, about, &purge).await
}
