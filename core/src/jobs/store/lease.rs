//! Statements of a job's lifecycle: insertion, claim, heartbeat and settling.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use super::{about, interval};
use crate::ids::{BotId, JobId, LeaseToken, SourceId, TenantId, WorkerId};
use crate::jobs::{About, Claim, Failure, Kind, Progress, State, Subject};

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

pub(in crate::jobs) async fn claim(
    db: impl PgExecutor<'_>,
    job: JobId,
    worker: WorkerId,
    lease: LeaseToken,
    lease_for: Duration,
) -> sqlx::Result<Option<Claim>> {
    sqlx::query!(
        r#"
        update job
        set state = 'running', attempt = attempt + 1, lease_token = $2, worker_id = $3,
            lease_expires_at = now() + $4, started_at = coalesce(started_at, now()),
            updated_at = now()
        where id = $1 and state in ('queued', 'dispatched') and not_before <= now()
            and deadline_at > now()
        returning tenant_id, bot_id, source_id, source_version, parent_id, kind as "kind: Kind",
            payload, attempt, max_attempts, deadline_at, trace_context
        "#,
        job.uuid(),
        lease.uuid(),
        worker.uuid(),
        interval(lease_for),
    )
    .map(|row| Claim {
        id: job,
        kind: row.kind,
        about: about(row.tenant_id, row.bot_id, row.source_id, row.source_version, row.parent_id),
        payload: row.payload,
        attempt: row.attempt,
        max_attempts: row.max_attempts,
        deadline_at: row.deadline_at,
        lease,
        trace_context: row.trace_context,
    })
    .fetch_optional(db)
    .await
}

/// Claims up to `limit` dispatched jobs of a queue, which are a window's worth: each from the tenant with the fewest
/// running jobs, these claims included. Concurrent workers get different jobs: the row lock rechecks that the job
/// is still dispatched. `state || ''` keeps the planner off the partial indexes, which it would
/// read whole for every job of the window.
///
/// The commit does not wait for the disk: after a crash of Postgres, the holder of a lost claim cannot settle.
pub(in crate::jobs) async fn claim_next(
    db: impl PgExecutor<'_>,
    kind: Kind,
    worker: WorkerId,
    lease_for: Duration,
    limit: i64,
) -> sqlx::Result<Vec<Claim>> {
    sqlx::query!(
        r#"
        with unsynced as materialized (
            select set_config('synchronous_commit', 'off', true)
        ),
        at_work as materialized (
            select tenant_id, count(*) as jobs from job
            where kind = $1 and state = 'running'
            group by tenant_id
        ),
        turns as materialized (
            select job.id, job.priority,
                coalesce(at_work.jobs, 0)
                    + row_number() over (partition by tenant_id order by job.priority desc, job.id) as turn
            from job
            cross join unsynced
            left join at_work using (tenant_id)
            where kind = $1 and state = 'dispatched' and not_before <= now() and deadline_at > now()
        ),
        next as materialized (
            select job.id
            from turns
            join job on job.id = turns.id
            where job.state || '' = 'dispatched'
            order by turns.priority desc, turns.turn, turns.id
            limit $4
            for no key update of job skip locked
        )
        update job
        set state = 'running', attempt = attempt + 1, lease_token = gen_random_uuid(), worker_id = $2,
            lease_expires_at = now() + $3, started_at = coalesce(started_at, now()),
            updated_at = now()
        where id = any(array(select id from next))
        returning id as "id: JobId", tenant_id, bot_id, source_id, source_version, parent_id,
            kind as "kind: Kind", payload, attempt, max_attempts, deadline_at,
            lease_token as "lease_token!: LeaseToken", trace_context
        "#,
        kind.as_str(),
        worker.uuid(),
        interval(lease_for),
        limit,
    )
    .map(|row| Claim {
        id: row.id,
        kind: row.kind,
        about: about(row.tenant_id, row.bot_id, row.source_id, row.source_version, row.parent_id),
        payload: row.payload,
        attempt: row.attempt,
        max_attempts: row.max_attempts,
        deadline_at: row.deadline_at,
        lease: row.lease_token,
        trace_context: row.trace_context,
    })
    .fetch_all(db)
    .await
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

/// Returns `cancel_requested`; `None`: the lease is lost.
pub(in crate::jobs) async fn renew(
    db: impl PgExecutor<'_>,
    job: JobId,
    lease: LeaseToken,
    lease_for: Duration,
    progress: Progress,
) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar!(
        r#"
        update job
        set lease_expires_at = now() + $3,
            progress_done = greatest(progress_done, $4),
            progress_total = coalesce($5, progress_total),
            progress_unit = coalesce($6, progress_unit),
            updated_at = now()
        where id = $1 and lease_token = $2
        returning cancel_requested
        "#,
        job.uuid(),
        lease.uuid(),
        interval(lease_for),
        progress.done,
        progress.total,
        progress.unit,
    )
    .fetch_optional(db)
    .await
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
