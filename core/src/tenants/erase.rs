//! Tenant erasure: purge jobs remove all data, then the tenant row is deleted.
//!
//! Every step is idempotent: an interrupted erasure can be started again.

use super::{set_active, store};
use crate::bots;
use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;

/// Deactivates a tenant and deletes its bots with their knowledge and conversations.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is no such tenant.
pub async fn begin(ctx: &Context, tenant: TenantId) -> Result<()> {
    set_active(ctx, tenant, false).await?;
    for bot in bots::list_all(ctx, tenant).await? {
        bots::delete(ctx, tenant, bot.id).await?;
    }
    Ok(())
}

/// Number of bots not yet purged. `purge` jobs remove their files, rows and indexes.
///
/// # Errors
/// When the statement fails.
pub async fn left(ctx: &Context, tenant: TenantId) -> Result<i64> {
    bots::count_any(ctx, tenant).await
}

/// Deletes a tenant, its keys, jobs and counters once all bots are purged. Returns whether it was deleted.
///
/// # Errors
/// When a statement fails.
pub async fn finish(ctx: &Context, tenant: TenantId) -> Result<bool> {
    Ok(left(ctx, tenant).await? == 0 && store::delete(ctx.db().platform(), tenant).await?)
}

/// Rows left per table with a `tenant_id` column, tables without any included.
///
/// # Errors
/// When a statement fails.
pub async fn remains(ctx: &Context, tenant: TenantId) -> Result<Vec<(String, i64)>> {
    Ok(store::count_everywhere(ctx.db().platform(), tenant).await?)
}
