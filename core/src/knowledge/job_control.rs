//! Cancelling and retrying jobs, together with the source version they build.

use super::end_version::end_version;
use super::{failed_files, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{JobId, TenantId};
use crate::jobs::{self, Ended, Failure, Kind, Report, State, Subject};

/// Cancels a job and all others of its version. Waiting jobs end immediately, running ones within two seconds.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such job; [`Error::Conflict`] when it has ended, or is a
/// maintenance job: purge and reindex jobs must complete.
pub async fn cancel_job(ctx: &Context, tenant: TenantId, job: JobId) -> Result<Report> {
    let report = jobs::get(ctx, tenant, job).await?;
    let (source, version) = report.source_id.zip(report.source_version).ok_or_else(|| Error::Conflict {
        code: "job_not_cancellable",
        message: "A job that tidies up cannot be cancelled".to_owned(),
    })?;
    let mut tx = ctx.db().begin(tenant).await?;
    let held = jobs::hold(&mut tx, tenant, Subject::Version(source, version)).await?;
    if !held.has(job) {
        return Err(Error::Conflict { code: "job_ended", message: "The job has ended already".to_owned() });
    }
    jobs::cancel(&mut tx, tenant, &held).await?;
    let about = jobs::About { tenant, bot: report.bot_id, source: Some((source, version)), parent: None };
    let ended = Ended { id: job, about, state: State::Cancelled, failure: Failure::cancelled() };
    end_version(&mut tx, &ended).await?;
    tx.commit().await?;
    jobs::get(ctx, tenant, job).await
}

/// Retries a failed or cancelled job, with all other failed or cancelled jobs of its version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such job; [`Error::Conflict`] when it did not fail, its source
/// was replaced or deleted meanwhile, its file was removed, or another source now has the same content.
pub async fn retry_job(ctx: &Context, tenant: TenantId, job: JobId) -> Result<Report> {
    let report = jobs::get(ctx, tenant, job).await?;
    let mut tx = ctx.db().begin(tenant).await?;
    let ended = match report.source_id.zip(report.source_version) {
        Some((source, version)) => {
            jobs::hold_ended(&mut tx, tenant, Subject::Version(source, version)).await?
        }
        None if matches!(report.state, State::Failed | State::Cancelled) => vec![job],
        None => Vec::new(),
    };
    if !ended.contains(&job) {
        return Err(Error::Conflict {
            code: "job_not_retryable",
            message: "Only a job that failed or was cancelled can be tried again".to_owned(),
        });
    }
    if let Some((source, version)) = report.source_id.zip(report.source_version) {
        let revived = store::revive_version(&mut **tx, tenant, source, version).await;
        if !revived.map_err(super::change::duplicate)? {
            return Err(Error::Conflict {
                code: "source_replaced",
                message: "The job's knowledge source was changed or deleted since".to_owned(),
            });
        }
        // Now that the source is locked: the removal of its file may have been on its way.
        if store::is_removed(&mut **tx, tenant, source, version).await? {
            return Err(failed_files::removed());
        }
        if report.kind == Kind::Scrape {
            store::requeue_failed_pages(&mut **tx, tenant, source, version).await?;
        }
    }
    let queues = jobs::revive(ctx, &mut tx, tenant, &ended).await?;
    tx.commit().await?;
    for kind in queues {
        jobs::dispatch::nudge(ctx, kind);
    }
    jobs::get(ctx, tenant, job).await
}

/// [`cancel_job`] for operators, of any tenant.
///
/// # Errors
/// As [`cancel_job`].
pub async fn cancel_any_job(ctx: &Context, job: JobId) -> Result<Report> {
    let found = jobs::find(ctx, job).await?.ok_or(Error::NotFound(Thing::Job))?;
    cancel_job(ctx, found.tenant_id, job).await
}

/// [`retry_job`] for operators, of any tenant.
///
/// # Errors
/// As [`retry_job`].
pub async fn retry_any_job(ctx: &Context, job: JobId) -> Result<Report> {
    let found = jobs::find(ctx, job).await?.ok_or(Error::NotFound(Thing::Job))?;
    retry_job(ctx, found.tenant_id, job).await
}
