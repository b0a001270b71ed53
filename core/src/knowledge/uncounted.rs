//! Counts the bytes of sources from before the counting triggers.

use super::store;
use crate::context::Context;
use crate::error::Result;

/// Maximum number of sources per step.
const STEP: i64 = 200;

/// Counts a batch of one tenant's uncounted sources. Returns their number, 0 when none is left anywhere. Exact under
/// concurrent writes: every change of a source's content updates its row, which is locked here.
///
/// # Errors
/// When a statement fails.
pub async fn count(ctx: &Context) -> Result<u64> {
    let Some(tenant) = store::find_uncounted_tenant(ctx.db().platform()).await? else { return Ok(0) };
    let mut tx = ctx.db().begin(tenant).await?;
    let sources = store::lock_uncounted(&mut **tx, tenant, STEP).await?;
    // After the lock, so that both statements see all earlier commits.
    store::set_original_bytes(&mut **tx, tenant, &sources).await?;
    store::set_stored_bytes(&mut **tx, tenant, &sources).await?;
    tx.commit().await?;
    // At least one: another process may have counted this batch but not the next.
    Ok(u64::try_from(sources.len()).unwrap_or(u64::MAX).max(1))
}
