//! Consistency checks: detects, reports and purges orphaned chunks.

use crate::context::Context;
use crate::error::Result;
use crate::purge_job::{self, Purge};

use super::store;

/// Name of the stored orphan count, for metrics.
pub const ORPHANS: &str = "orphan_chunks";

/// Maximum number of sources per check.
const CHECK_BATCH: i64 = 100;

/// Finds orphans: chunks of replaced versions or deleted sources that no pending purge job covers. Stores
/// their number and enqueues the missing purges.
///
/// # Errors
/// When a statement fails.
pub async fn look_for_orphans(ctx: &Context) -> Result<i64> {
    let orphans = store::count_orphans(ctx.db().platform(), CHECK_BATCH).await?;
    let chunks = orphans.iter().map(|orphan| orphan.chunks).sum();
    for orphan in &orphans {
        let mut tx = ctx.db().begin(orphan.tenant).await?;
        let purge = if orphan.is_deleted {
            Purge::Source { source: orphan.source }
        } else {
            Purge::Versions { source: orphan.source }
        };
        purge_job::enqueue(ctx, &mut tx, orphan.tenant, purge).await?;
        tx.commit().await?;
    }
    store::note_count(ctx.db().platform(), ORPHANS, chunks).await?;
    Ok(chunks)
}

/// Latest check results: name, count and age in seconds.
///
/// # Errors
/// When the statement fails.
pub async fn counts(ctx: &Context) -> Result<Vec<(String, i64, f64)>> {
    Ok(store::list_counts(ctx.db().platform()).await?)
}
