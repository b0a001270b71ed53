//! Erasing a tenant: everything of it is removed by jobs, as what its own people delete is, and then the tenant.
//!
//! Each verb can be repeated: whoever was interrupted begins anew, and finds less to do.

use super::{set_active, store};
use crate::bots;
use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;

/// Shuts a tenant out and deletes its bots, with all that they know and said.
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

/// Bots of which something is left: their files, rows and indexes are removed by `purge` jobs.
///
/// # Errors
/// When the statement fails.
pub async fn left(ctx: &Context, tenant: TenantId) -> Result<i64> {
    bots::count_any(ctx, tenant).await
}

/// Removes a tenant of whose bots nothing is left, with its keys, jobs and counts. Gives whether it is gone.
///
/// # Errors
/// When a statement fails.
pub async fn finish(ctx: &Context, tenant: TenantId) -> Result<bool> {
    Ok(left(ctx, tenant).await? == 0 && store::delete(ctx.db().platform(), tenant).await?)
}

/// The rows that name a tenant, in each table that has a column for one, whether there are any or not.
///
/// # Errors
/// When a statement fails.
pub async fn remains(ctx: &Context, tenant: TenantId) -> Result<Vec<(String, i64)>> {
    Ok(store::count_everywhere(ctx.db().platform(), tenant).await?)
}
