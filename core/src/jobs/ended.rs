//! Requeueing failed and cancelled jobs, and deleting old ones.

use std::time::Duration;

use sqlx::PgTransaction;

use super::{Kind, Subject, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::{JobId, TenantId};

/// Retention of succeeded and cancelled jobs.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Maximum number of jobs deleted per step.
const STEP: i64 = 1_000;

/// Locks the failed and cancelled jobs of a subject until the transaction ends.
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

/// Requeues failed and cancelled jobs with reset attempts and a new deadline, that of their kind. Returns the kinds of the
/// requeued jobs.
///
/// # Errors
/// When the statement fails.
pub async fn revive(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    jobs: &[JobId],
) -> Result<Vec<Kind>> {
    let deadlines = Kind::ALL.map(|kind| (kind, kind.deadline(&ctx.config().jobs)));
    Ok(store::revive(&mut **tx, tenant, jobs, &deadlines).await?)
}

/// Deletes one batch of old jobs and returns their number. Dead letters stay until their source is deleted.
///
/// # Errors
/// When the statement fails.
pub async fn forget_old(ctx: &Context) -> Result<u64> {
    Ok(store::forget_old(ctx.db().platform(), KEPT, STEP).await?)
}
