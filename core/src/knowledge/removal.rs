//! Deletion: a source is hidden immediately; purge jobs remove its rows and files later.

use super::{index, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::idempotency;
use crate::ids::{BotId, SourceId, TenantId};
use crate::jobs::{self, Kind, Subject, dispatch};
use crate::purge_job::{self, Purge};
use crate::tenants;

/// Deletes a source in any state: hides it from every query, and cancels its jobs.
///
/// Does not wait for locked jobs: a job that is settling holds its own row while it writes chunks. Such a job succeeds;
/// the jobs that it enqueues find the source deleted, and its chunks are purged.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn delete(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<()> {
    let mut tx = ctx.db().begin(tenant).await?;
    let live = jobs::hold_free(&mut tx, tenant, Subject::Source(source)).await?;
    if !store::hide(&mut **tx, tenant, source).await? {
        return Err(Error::NotFound(Thing::Source));
    }
    jobs::cancel(&mut tx, tenant, &live).await?;
    purge_job::enqueue(ctx, &mut tx, tenant, Purge::Source { source }).await?;
    // Before the stored responses, as a deletion of a bot locks them: the trigger that uncounts the source needs the
    // tenant's row at the commit.
    tenants::hold(&mut tx, tenant).await?;
    idempotency::forget(&mut tx, tenant, &["knowledge"]).await?;
    tx.commit().await?;
    dispatch::nudge(ctx, Kind::Purge);
    Ok(())
}

/// Removes a batch of a deleted bot's knowledge. Returns its size, 0 when done.
///
/// # Errors
/// When the database or the storage fails.
pub(crate) async fn purge_bot(ctx: &Context, tenant: TenantId, bot: BotId, limit: i64) -> Result<u64> {
    match store::find_any(ctx.db().reading(tenant), tenant, bot).await? {
        Some(source) => purge_source(ctx, tenant, source, limit).await,
        None => {
            index::drop_all(ctx, bot).await?;
            Ok(0)
        }
    }
}

/// Removes a batch of a bot's vectors of models no longer searched. Returns its size, 0 when done.
///
/// # Errors
/// When the database or the storage fails.
pub(crate) async fn purge_vectors(ctx: &Context, tenant: TenantId, bot: BotId, limit: i64) -> Result<u64> {
    let removed =
        store::delete_old_vectors(&mut *ctx.db().for_tenant(tenant).await?, tenant, bot, limit).await?;
    if removed == 0 {
        index::drop_old(ctx, tenant, bot).await?;
    }
    Ok(removed)
}

/// Removes a batch of a deleted source's chunks, and at last its files and row. Returns its size, 0 when
/// done.
///
/// # Errors
/// When the database or the storage fails.
pub(crate) async fn purge_source(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    limit: i64,
) -> Result<u64> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    let chunks = store::delete_chunks(&mut *db, tenant, source, i32::MAX, limit).await?;
    if chunks > 0 {
        return Ok(chunks);
    }
    for key in store::list_blobs(&mut *db, tenant, source, i32::MAX).await? {
        ctx.blob().delete(&key).await?;
    }
    Ok(store::remove_source(&mut *db, tenant, source).await?)
}

/// Removes a batch of a source's replaced chunks, and at last files and versions. Returns its size, 0 when
/// done.
///
/// # Errors
/// When the database or the storage fails.
pub(crate) async fn purge_versions(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    limit: i64,
) -> Result<u64> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    let Some(live) = store::find_live_version(&mut *db, tenant, source).await? else { return Ok(0) };
    let chunks = store::delete_chunks(&mut *db, tenant, source, live, limit).await?;
    if chunks > 0 {
        return Ok(chunks);
    }
    for key in store::list_blobs(&mut *db, tenant, source, live).await? {
        ctx.blob().delete(&key).await?;
    }
    Ok(store::remove_versions(&mut *db, tenant, source, live).await?)
}
