//! SQL of the table `job`. Private to the slice.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;
use sqlx::postgres::types::PgInterval;

use super::{About, Claim, Ended, Failure, Kind, Progress, Report, State};
use crate::ids::{BotId, JobId, LeaseToken, SourceId, TenantId, WorkerId};

pub(super) struct NewJob {
    pub(super) id: JobId,
    pub(super) about: About,
    pub(super) kind: Kind,
    pub(super) payload: Value,
    pub(super) max_attempts: i32,
    pub(super) deadline_at: DateTime<Utc>,
}

pub(super) async fn insert(db: impl PgExecutor<'_>, job: &NewJob) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into job (
            id, tenant_id, bot_id, source_id, source_version, parent_id,
            kind, payload, max_attempts, deadline_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
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
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn claim(
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
            payload, attempt, max_attempts, deadline_at
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
    })
    .fetch_optional(db)
    .await
}

/// `Some(cancel_requested)` while the lease holds.
pub(super) async fn renew(
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

pub(super) async fn succeed(
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

pub(super) async fn retry(
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

pub(super) async fn release(
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

pub(super) async fn end(
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

pub(super) async fn cancel_for_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
    except: JobId,
) -> sqlx::Result<()> {
    let cancelled = Failure::cancelled();
    sqlx::query!(
        r#"
        update job
        set cancel_requested = true, updated_at = now(),
            state = case when state = 'running' then state else 'cancelled' end,
            finished_at = case when state = 'running' then null else now() end,
            error_code = case when state = 'running' then error_code else $5 end,
            error_message = case when state = 'running' then error_message else $6 end
        where tenant_id = $1 and source_id = $2 and source_version = $3 and id <> $4
            and state in ('queued', 'dispatched', 'running')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
        except.uuid(),
        cancelled.code,
        cancelled.message,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn requeue_lost_hints(db: impl PgExecutor<'_>, timeout: Duration) -> sqlx::Result<u64> {
    let requeued = sqlx::query!(
        r#"
        update job
        set state = 'queued', dispatched_at = null, updated_at = now()
        where id in (
            select id from job
            where state = 'dispatched' and dispatched_at < now() - $1::interval
            for update skip locked
        )
        "#,
        interval(timeout),
    )
    .execute(db)
    .await?;
    Ok(requeued.rows_affected())
}

pub(super) async fn requeue_expired_leases(db: impl PgExecutor<'_>) -> sqlx::Result<u64> {
    let requeued = sqlx::query!(
        r#"
        update job
        set state = 'queued', lease_token = null, lease_expires_at = null, worker_id = null,
            dispatched_at = null, error_code = 'worker_lost',
            error_message = 'The worker that ran it went silent.', updated_at = now()
        where id in (
            select id from job
            where state = 'running' and lease_expires_at < now() and attempt < max_attempts
                and not cancel_requested
            for update skip locked
        )
        "#,
    )
    .execute(db)
    .await?;
    Ok(requeued.rows_affected())
}

/// Ends the jobs that nothing will end any more: past their deadline, or held by a silent worker
/// with no attempt left or a wish to cancel.
pub(super) async fn end_hopeless(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Ended>> {
    sqlx::query!(
        r#"
        with hopeless as (
            select id, 'failed' as state, 'deadline_exceeded' as code,
                'It was not done by its deadline.' || coalesce(' The last try: ' || error_message, '')
                    as message
            from job
            where state in ('queued', 'dispatched', 'running') and deadline_at < now()
            union all
            select id, case when cancel_requested then 'cancelled' else 'failed' end,
                case when cancel_requested then 'cancelled' else 'worker_lost' end,
                case when cancel_requested then 'The job was cancelled.'
                    else 'Every worker that ran it went silent.' end
            from job
            where state = 'running' and lease_expires_at < now() and deadline_at >= now()
                and (attempt >= max_attempts or cancel_requested)
        )
        update job
        set state = hopeless.state, lease_token = null, lease_expires_at = null,
            finished_at = now(), error_code = hopeless.code, error_message = hopeless.message,
            updated_at = now()
        from hopeless
        where job.id = hopeless.id and job.state in ('queued', 'dispatched', 'running')
            and (job.deadline_at < now() or job.lease_expires_at < now())
        returning job.id, tenant_id, bot_id, source_id, source_version, parent_id,
            job.state as "state: State", error_code as "code!", error_message as "message!"
        "#,
    )
    .map(|row| Ended {
        id: row.id.into(),
        about: about(row.tenant_id, row.bot_id, row.source_id, row.source_version, row.parent_id),
        state: row.state,
        failure: Failure::new(row.code, row.message),
    })
    .fetch_all(db)
    .await
}

pub(super) async fn find(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: JobId,
) -> sqlx::Result<Option<Report>> {
    sqlx::query_as!(
        Report,
        r#"
        select id as "id: JobId", kind as "kind: Kind", state as "state: State", attempt,
            progress_done, progress_total, progress_unit, error_code, error_message, created_at,
            finished_at
        from job
        where tenant_id = $1 and id = $2
        "#,
        tenant.uuid(),
        job.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn list_for_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Vec<Report>> {
    sqlx::query_as!(
        Report,
        r#"
        select id as "id: JobId", kind as "kind: Kind", state as "state: State", attempt,
            progress_done, progress_total, progress_unit, error_code, error_message, created_at,
            finished_at
        from job
        where tenant_id = $1 and source_id = $2
        order by id
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_all(db)
    .await
}

pub(super) async fn count_by_state(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(Kind, State, i64)>> {
    sqlx::query!(
        r#"
        select kind as "kind: Kind", state as "state: State", count(*) as "count!"
        from job
        group by kind, state
        order by kind, state
        "#,
    )
    .map(|row| (row.kind, row.state, row.count))
    .fetch_all(db)
    .await
}

fn about(
    tenant: uuid::Uuid,
    bot: Option<uuid::Uuid>,
    source: Option<uuid::Uuid>,
    version: Option<i32>,
    parent: Option<uuid::Uuid>,
) -> About {
    About {
        tenant: tenant.into(),
        bot: bot.map(BotId::from),
        source: source.map(SourceId::from).zip(version),
        parent: parent.map(JobId::from),
    }
}

/// Postgres counts an interval in microseconds; a duration beyond its range is as good as for ever.
pub(super) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2);
    PgInterval { months: 0, days: 0, microseconds }
}

/// Held until the transaction ends.
pub(super) async fn lock_dispatch(db: impl PgExecutor<'_>, kind: Kind) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended('parlance.dispatch.' || $1, 0)) as "locked: ()""#,
        kind.as_str(),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// The next jobs of a queue, as many as the window has room for: by priority, then round-robin over
/// tenants, then by age. The recursive part steps over the index from tenant to tenant, so that the
/// cost follows the number of tenants that wait and not the number of their jobs.
pub(super) async fn pick(db: impl PgExecutor<'_>, kind: Kind, window: i64) -> sqlx::Result<Vec<JobId>> {
    sqlx::query_scalar!(
        r#"
        with recursive waiting (tenant_id) as (
            (
                select tenant_id from job
                where kind = $1 and state = 'queued'
                order by tenant_id
                limit 1
            )
            union all
            select (
                select job.tenant_id from job
                where kind = $1 and state = 'queued' and job.tenant_id > waiting.tenant_id
                order by job.tenant_id
                limit 1
            )
            from waiting
            where waiting.tenant_id is not null
        ),
        room as (
            select greatest($2 - count(*), 0) as places from job
            where kind = $1 and state = 'dispatched'
        ),
        turns as (
            select mine.id, mine.priority, mine.turn
            from waiting
            cross join lateral (
                select first.id, first.priority,
                    row_number() over (order by first.priority desc, first.id) as turn
                from (
                    select id, priority from job
                    where kind = $1 and state = 'queued' and job.tenant_id = waiting.tenant_id
                        and not_before <= now()
                    order by priority desc, id
                    limit (select places from room)
                ) as first
            ) as mine
        )
        update job
        set state = 'dispatched', dispatched_at = now(), updated_at = now()
        where state = 'queued' and id in (
            select id from turns order by priority desc, turn, id limit (select places from room)
        )
        returning id as "id: JobId"
        "#,
        kind.as_str(),
        window,
    )
    .fetch_all(db)
    .await
}

pub(super) async fn return_to_queue(db: impl PgExecutor<'_>, jobs: &[JobId]) -> sqlx::Result<()> {
    let jobs: Vec<_> = jobs.iter().map(|job| job.uuid()).collect();
    sqlx::query!(
        r#"
        update job
        set state = 'queued', dispatched_at = null, updated_at = now()
        where id = any($1) and state = 'dispatched'
        "#,
        &jobs,
    )
    .execute(db)
    .await?;
    Ok(())
}
