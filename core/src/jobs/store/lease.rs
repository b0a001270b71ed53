//! Statements of a job's lifecycle: insertion, settling and cancellation.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use super::interval;
use crate::ids::{BotId, JobId, LeaseToken, SourceId, TenantId};
use crate::jobs::{About, Claim, Failure, Kind, State, Subject};

pub(in crate::jobs) struct NewJob {
    pub(in crate::jobs) id: JobId,
    pub(in crate::jobs) about: About,
    pub(in crate::jobs) kind: Kind,
    pub(in crate::jobs) payload: Value,
    pub(in crate::jobs) max_attempts: i32,
    pub(in crate::jobs) deadline_at: DateTime<Utc>,
    pub(in crate::jobs) trace_context: Option<String>,
}

pub(in crate::jobs) async fn insert(db: impl PgExecutor<'_>, job: &NewJob) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into job (
            id, tenant_id, bot_id, source_id, source_version, parent_id,
            kind, payload, max_attempts, deadline_at, trace_context
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        "#,
        job.id.uuid(),
        job.about.tenant.uuid(),
        job.about.bot.map(BotId::uuid),
        job.about.source.map(|(source, _)| source.uuid()),
        job.about.source.map(|(_, version)| version),
        job.about.parent.map(JobId::uuid),
        job.kind.as_str(),
        job.payload,
        job.max_attempts,
        job.deadline_at,
        job.trace_context,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Locks the job until the transaction ends. `None`: the lease is lost.
pub(in crate::jobs) async fn hold_claim(
    db: impl PgExecutor<'_>,
    job: JobId,
    lease: LeaseToken,
) -> sqlx::Result<Option<()>> {
    let held = sqlx::query_scalar!(
        r#"select 1 as "one!" from job where id = $1 and lease_token = $2 for no key update"#,
        job.uuid(),
        lease.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(held.map(drop))
}

pub(in crate::jobs) async fn succeed(
    db: impl PgExecutor<'_>,
    job: JobId,
    lease: LeaseToken,
) -> sqlx::Result<Option<()>> {
    let settled = sqlx::query!(
        r#"
        update job
        set state = 'succeeded', lease_token = null, lease_expires_at = null, finished_at = now(),
            progress_done = coalesce(progress_total, progress_done), error_code = null,
            error_message = null, updated_at = now()
        where id = $1 and lease_token = $2
        "#,
        job.uuid(),
        lease.uuid(),
    )
    .execute(db)
    .await?;
    Ok((settled.rows_affected() == 1).then_some(()))
}

/// Marks jobs without results as succeeded, of any tenants. `held`: each job with its lease. Returns the jobs that it
/// settled. The leases of the others are lost, or another transaction has locked them: [`succeed`] decides. A lease
/// token is unique to one job, so matching tokens suffices. Rows are locked in the order of their ids, as by every
/// statement that locks several jobs.
pub(in crate::jobs) async fn succeed_all(
    db: impl PgExecutor<'_>,
    held: &[(JobId, LeaseToken)],
) -> sqlx::Result<HashSet<JobId>> {
    let (jobs, leases): (Vec<_>, Vec<_>) = held.iter().map(|(job, lease)| (job.uuid(), lease.uuid())).unzip();
    let settled = sqlx::query_scalar!(
        r#"
        with held as materialized (
            select id from job
            where id = any($1) and lease_token = any($2)
            order by id
            for no key update skip locked
        )
        update job
        set state = 'succeeded', lease_token = null, lease_expires_at = null, finished_at = now(),
            progress_done = coalesce(progress_total, progress_done), error_code = null,
            error_message = null, updated_at = now()
        where id = any(array(select id from held))
        returning id as "id: JobId"
        "#,
        &jobs,
        &leases,
    )
    .fetch_all(db)
    .await?;
    Ok(settled.into_iter().collect())
}

pub(in crate::jobs) async fn retry(
    db: impl PgExecutor<'_>,
    job: JobId,
    lease: LeaseToken,
    after: Duration,
    failure: &Failure,
) -> sqlx::Result<Option<()>> {
    let settled = sqlx::query!(
        r#"
        update job
        set state = 'queued', lease_token = null, lease_expires_at = null, worker_id = null,
            dispatched_at = null, not_before = now() + $3, error_code = $4, error_message = $5,
            updated_at = now()
        where id = $1 and lease_token = $2
        "#,
        job.uuid(),
        lease.uuid(),
        interval(after),
        failure.code,
        failure.message,
    )
    .execute(db)
    .await?;
    Ok((settled.rows_affected() == 1).then_some(()))
}

pub(in crate::jobs) async fn release(
    db: impl PgExecutor<'_>,
    job: JobId,
    lease: LeaseToken,
) -> sqlx::Result<Option<()>> {
    let settled = sqlx::query!(
        r#"
        update job
        set state = 'queued', lease_token = null, lease_expires_at = null, worker_id = null,
            dispatched_at = null, attempt = attempt - 1, updated_at = now()
        where id = $1 and lease_token = $2
        "#,
        job.uuid(),
        lease.uuid(),
    )
    .execute(db)
    .await?;
    Ok((settled.rows_affected() == 1).then_some(()))
}

pub(in crate::jobs) async fn end(
    db: impl PgExecutor<'_>,
    job: JobId,
    lease: LeaseToken,
    state: State,
    failure: &Failure,
) -> sqlx::Result<Option<()>> {
    let settled = sqlx::query!(
        r#"
        update job
        set state = $3, lease_token = null, lease_expires_at = null, finished_at = now(),
            error_code = $4, error_message = $5, updated_at = now()
        where id = $1 and lease_token = $2
        "#,
        job.uuid(),
        lease.uuid(),
        state as State,
        failure.code,
        failure.message,
    )
    .execute(db)
    .await?;
    Ok((settled.rows_affected() == 1).then_some(()))
}

/// Locks the unfinished jobs of `subject` until the transaction ends, oldest first. `wait`: whether to wait for
/// jobs locked by another transaction or to skip them.
pub(in crate::jobs) async fn hold(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    subject: Subject,
    wait: bool,
) -> sqlx::Result<Vec<JobId>> {
    let (bot, source, version) = subject.parts();
    if wait {
        return sqlx::query_scalar!(
            r#"
            select id as "id: JobId" from job
            where tenant_id = $1 and state in ('queued', 'dispatched', 'running')
                and ($2::uuid is null or bot_id = $2) and ($3::uuid is null or source_id = $3)
                and ($4::integer is null or source_version = $4)
            order by id
            for update
            "#,
            tenant.uuid(),
            bot,
            source,
            version,
        )
        .fetch_all(db)
        .await;
    }
    sqlx::query_scalar!(
        r#"
        select id as "id: JobId" from job
        where tenant_id = $1 and state in ('queued', 'dispatched', 'running')
            and ($2::uuid is null or bot_id = $2) and ($3::uuid is null or source_id = $3)
            and ($4::integer is null or source_version = $4)
        order by id
        for update skip locked
        "#,
        tenant.uuid(),
        bot,
        source,
        version,
    )
    .fetch_all(db)
    .await
}

/// Cancels jobs: waiting ones end immediately, running ones get `cancel_requested`.
pub(in crate::jobs) async fn cancel(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    jobs: &[JobId],
) -> sqlx::Result<()> {
    let jobs: Vec<_> = jobs.iter().map(|job| job.uuid()).collect();
    let cancelled = Failure::cancelled();
    sqlx::query!(
        r#"
        update job
        set cancel_requested = true, updated_at = now(),
            state = case when state = 'running' then state else 'cancelled' end,
            finished_at = case when state = 'running' then null else now() end,
            error_code = case when state = 'running' then error_code else $3 end,
            error_message = case when state = 'running' then error_message else $4 end
        where tenant_id = $1 and id = any($2) and state in ('queued', 'dispatched', 'running')
        "#,
        tenant.uuid(),
        &jobs,
        cancelled.code,
        cancelled.message,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether another job of the same kind and source version is unfinished.
pub(in crate::jobs) async fn has_sibling(db: impl PgExecutor<'_>, claim: &Claim) -> sqlx::Result<bool> {
    let (source, version) = claim.about.source.unzip();
    sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from job
            where tenant_id = $1 and source_id = $2 and source_version = $3 and kind = $4 and id <> $5
                and finished_at is null
        ) as "has_sibling!"
        "#,
        claim.about.tenant.uuid(),
        source.map(SourceId::uuid),
        version,
        claim.kind.as_str(),
        claim.id.uuid(),
    )
    .fetch_one(db)
    .await
}
