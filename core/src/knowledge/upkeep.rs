//! Upkeep: what should never be there is looked for, told, and removed.

use crate::context::Context;
use crate::error::Result;
use crate::purge::{self, Purge};

use super::store;

/// The name under which the number of orphans is kept, for metrics.
pub const ORPHANS: &str = "orphan_chunks";

/// Sources whose orphans one look puts right.
const STEP: i64 = 100;

/// Looks for orphans: chunks of versions that were replaced, or of sources that were deleted, and that no
/// purge job is about to remove. Writes their number down and enqueues the purges that are missing.
///
/// # Errors
/// When a statement fails.
pub async fn look_for_orphans(ctx: &Context) -> Result<i64> {
    let orphans = store::count_orphans(ctx.db().platform(), STEP).await?;
    let chunks = orphans.iter().map(|orphan| orphan.chunks).sum();
    for orphan in &orphans {
        let mut tx = ctx.db().begin(orphan.tenant).await?;
        let what = if orphan.is_deleted {
            Purge::Source { source: orphan.source }
        } else {
            Purge::Versions { source: orphan.source }
        };
        purge::enqueue(ctx, &mut tx, orphan.tenant, what).await?;
        tx.commit().await?;
    }
    store::note_count(ctx.db().platform(), ORPHANS, chunks).await?;
    Ok(chunks)
}

/// What was last counted of everything that is looked for: name, number, and how many seconds ago.
///
/// # Errors
/// When the statement fails.
pub async fn counts(ctx: &Context) -> Result<Vec<(String, i64, f64)>> {
    Ok(store::list_counts(ctx.db().platform()).await?)
}
