//! Statements of the sweep.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{about, interval};
use crate::jobs::{Ended, Failure, Kind, State};

pub(in crate::jobs) async fn requeue_lost_hints(
    db: impl PgExecutor<'_>,
    timeout: Duration,
) -> sqlx::Result<u64> {
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

/// Requeues the dispatched jobs of a queue. Skips jobs that are locked: they are being claimed or ended, or their hint
/// times out.
pub(in crate::jobs) async fn requeue_dispatched(db: impl PgExecutor<'_>, kind: Kind) -> sqlx::Result<u64> {
    let requeued = sqlx::query!(
        r#"
        with free as materialized (
            select id from job
            where kind = $1 and state = 'dispatched'
            order by id
            for no key update skip locked
        )
        update job
        set state = 'queued', dispatched_at = null, updated_at = now()
        where id = any(array(select id from free))
        "#,
        kind.as_str(),
    )
    .execute(db)
    .await?;
    Ok(requeued.rows_affected())
}

/// Requeues jobs whose lease had expired at the time `as_of`.
pub(in crate::jobs) async fn requeue_expired_leases(
    db: impl PgExecutor<'_>,
    as_of: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let requeued = sqlx::query!(
        r#"
        update job
        set state = 'queued', lease_token = null, lease_expires_at = null, worker_id = null,
            dispatched_at = null, error_code = 'worker_lost',
            error_message = 'The worker that ran it went silent.', updated_at = now()
        where id in (
            select id from job
            where state = 'running' and lease_expires_at < $1 and attempt < max_attempts
                and not cancel_requested
            for update skip locked
        )
        "#,
        as_of,
    )
    .execute(db)
    .await?;
    Ok(requeued.rows_affected())
}

/// Ends jobs past their deadline, and jobs whose lease had expired at the time `as_of` that have no attempt left or a
/// requested cancellation.
pub(in crate::jobs) async fn end_expired(
    db: impl PgExecutor<'_>,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Vec<Ended>> {
    sqlx::query!(
        r#"
        with late as (
            select id, 'failed' as state, 'deadline_exceeded' as code,
                'It was not done by its deadline.' || coalesce(' The last try: ' || error_message, '')
                    as message
            from job
            where finished_at is null and deadline_at < now()
            for update skip locked
        ),
        lost as (
            select id, case when cancel_requested then 'cancelled' else 'failed' end as state,
                case when cancel_requested then 'cancelled' else 'worker_lost' end as code,
                case when cancel_requested then 'The job was cancelled.'
                    else 'Every worker that ran it went silent.' end as message
            from job
            where state = 'running' and lease_expires_at < $1 and deadline_at >= now()
                and (attempt >= max_attempts or cancel_requested)
            for update skip locked
        ),
        hopeless as (
            select * from late union all select * from lost
        )
        update job
        set state = hopeless.state, lease_token = null, lease_expires_at = null,
            finished_at = now(), error_code = hopeless.code, error_message = hopeless.message,
            updated_at = now()
        from hopeless
        where job.id = hopeless.id and job.state in ('queued', 'dispatched', 'running')
            and (job.deadline_at < now() or job.lease_expires_at < $1)
        returning job.id, tenant_id, bot_id, source_id, source_version, parent_id,
            job.state as "state: State", error_code as "code!", error_message as "message!"
        "#,
        as_of,
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
