//! Jobs as their tenants and operators see them.

use chrono::{DateTime, Utc};

use super::{Kind, State, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{JobId, SourceId, TenantId};

/// A job as its tenant and its operator see it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The job.
    pub id: JobId,
    /// What it does.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Tries begun.
    pub attempt: i32,
    /// Units done.
    pub progress_done: i64,
    /// Units in all, when known.
    pub progress_total: Option<i64>,
    /// What is counted.
    pub progress_unit: Option<String>,
    /// Why the last try failed.
    pub error_code: Option<String>,
    /// The same, as a sentence.
    pub error_message: Option<String>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A job of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such job.
pub async fn get(ctx: &Context, tenant: TenantId, job: JobId) -> Result<Report> {
    store::find(&mut *ctx.db().of(tenant).await?, tenant, job).await?.ok_or(Error::NotFound(Thing::Job))
}

/// The jobs of a tenant's source, oldest first.
///
/// # Errors
/// When the statement fails.
pub async fn list_for_source(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Vec<Report>> {
    Ok(store::list_for_source(&mut *ctx.db().of(tenant).await?, tenant, source).await?)
}

/// Jobs by state, over all tenants: what the harness asserts and operators watch.
///
/// # Errors
/// When the statement fails.
pub async fn count_by_state(ctx: &Context) -> Result<Vec<(Kind, State, i64)>> {
    Ok(store::count_by_state(ctx.db().platform()).await?)
}
