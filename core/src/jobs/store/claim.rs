//! Statements that claim jobs.

use std::time::Duration;

use sqlx::PgExecutor;

use super::{about, interval};
use crate::ids::{JobId, LeaseToken, TenantId, WorkerId};
use crate::jobs::{Claim, Kind};

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

/// Claims up to `limit` of a queue's dispatched jobs: each from the tenant with the fewest running jobs, these claims
/// included, and among equals from the tenant with the least recent claim: absent from `served`, or first in it.
///
/// A tenant's running jobs of other kinds count only beyond its share, the mean over the tenants with running or
/// waiting jobs, so that one long job does not put its tenant's other jobs last. Kinds with [`Spec::waits`] count only
/// among themselves.
///
/// Concurrent workers get different jobs: the row lock rechecks that the job is still dispatched. `state || ''` keeps
/// the planner off the partial indexes, which it would read whole for every job of the window.
///
/// The commit does not wait for the disk: after a crash of Postgres, the holder of a lost claim cannot settle.
///
/// [`Spec::waits`]: crate::jobs::Spec::waits
pub(in crate::jobs) async fn claim_next(
    db: impl PgExecutor<'_>,
    kind: Kind,
    worker: WorkerId,
    lease_for: Duration,
    served: &[TenantId],
    limit: i64,
) -> sqlx::Result<Vec<Claim>> {
    let served: Vec<_> = served.iter().map(|tenant| tenant.uuid()).collect();
    let waiting: Vec<_> =
        Kind::ALL.into_iter().filter(|kind| kind.spec().waits).map(|kind| kind.as_str().to_owned()).collect();
    sqlx::query!(
        r#"
        with unsynced as materialized (
            select set_config('synchronous_commit', 'off', true)
        ),
        at_work as materialized (
            select tenant_id, count(*) filter (where kind = $1) as here, count(*) filter (where kind <> $1) as elsewhere
            from job
            where state = 'running' and (kind = $1 or kind <> all($6))
            group by tenant_id
        ),
        waiting as materialized (
            select id, tenant_id, priority from job
            cross join unsynced
            where kind = $1 and state = 'dispatched' and not_before <= now() and deadline_at > now()
        ),
        share as materialized (
            select ceil(sum(elsewhere) / count(*))::bigint as jobs
            from (
                select tenant_id, coalesce(elsewhere, 0) as elsewhere
                from at_work
                full join (select distinct tenant_id from waiting) as waiting using (tenant_id)
            ) as tenants
        ),
        turns as materialized (
            select waiting.id, priority, array_position($5::uuid[], tenant_id) as served,
                coalesce(here, 0) + greatest(coalesce(elsewhere, 0) - share.jobs, 0)
                    + row_number() over (partition by tenant_id order by priority desc, waiting.id) as turn
            from waiting
            cross join share
            left join at_work using (tenant_id)
        ),
        next as materialized (
            select job.id
            from turns
            join job on job.id = turns.id
            where job.state || '' = 'dispatched'
            order by turns.priority desc, turns.turn, turns.served nulls first, turns.id
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
        &served,
        &waiting,
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
