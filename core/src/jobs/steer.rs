//! Jobs that ended are brought to life again, and forgotten at last.

use std::time::Duration;

use sqlx::PgTransaction;

use super::{Kind, Subject, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::{JobId, TenantId};

/// How long a job that went well, or was cancelled, is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Jobs forgotten at once.
const STEP: i64 = 1_000;

/// Holds the jobs of a version that failed or were cancelled, until the transaction ends.
///
/// # Errors
/// When the statement fails.
pub async fn hold_ended(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    subject: Subject,
) -> Result<Vec<JobId>> {
    Ok(store::hold_ended(&mut **tx, tenant, subject).await?)
}

/// Queues jobs that failed or were cancelled once more, with all their tries before them and a new deadline.
/// Gives the queues that have work now.
///
/// # Errors
/// When the statement fails.
pub async fn revive(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    jobs: &[JobId],
) -> Result<Vec<Kind>> {
    Ok(store::revive(&mut **tx, tenant, jobs, ctx.config().jobs.deadline).await?)
}

/// Forgets some jobs that ended long ago; gives how many. Dead letters stay until somebody deletes their
/// source.
///
/// # Errors
/// When the statement fails.
pub async fn forget_old(ctx: &Context) -> Result<u64> {
    Ok(store::forget_old(ctx.db().platform(), KEPT, STEP).await?)
}
