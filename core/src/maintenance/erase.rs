//! Erasure of a tenant: `purge` jobs remove its bots, then [`finish`] deletes its own rows.
//!
//! Every function is idempotent: an interrupted erasure can be started again.

use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;
use crate::{bots, tenants};

/// Deactivates a tenant and deletes its bots with their knowledge and conversations.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is no such tenant.
pub async fn begin(ctx: &Context, tenant: TenantId) -> Result<()> {
    tenants::set_active(ctx, tenant, false).await?;
    for bot in bots::list_all(ctx, tenant).await? {
        bots::delete(ctx, tenant, bot.id).await?;
    }
    Ok(())
}

/// The number of bots not yet removed by their `purge` jobs, files, rows and indexes included.
///
/// # Errors
/// When the statement fails.
pub async fn remaining_bots(ctx: &Context, tenant: TenantId) -> Result<i64> {
    bots::count_any(ctx, tenant).await
}

/// Deletes a tenant that has no bots left, with its keys, jobs and usage. Returns whether it was deleted.
///
/// # Errors
/// When a statement fails.
pub async fn finish(ctx: &Context, tenant: TenantId) -> Result<bool> {
    Ok(remaining_bots(ctx, tenant).await? == 0 && tenants::delete(ctx, tenant).await?)
}

/// The number of rows of a tenant in each table with a tenant column, zeros included.
///
/// # Errors
/// When a statement fails.
pub async fn remaining_rows(ctx: &Context, tenant: TenantId) -> Result<Vec<(String, i64)>> {
    tenants::count_rows(ctx, tenant).await
}
