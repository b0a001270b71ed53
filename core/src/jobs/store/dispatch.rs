//! Statements of the dispatcher.

use sqlx::PgExecutor;

use crate::ids::{JobId, TenantId};
use crate::jobs::Kind;

/// Locks the dispatch of a queue until the transaction ends.
pub(in crate::jobs) async fn lock_dispatch(db: impl PgExecutor<'_>, kind: Kind) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended('parlance.dispatch.' || $1, 0)) as "locked: ()""#,
        kind.as_str(),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// Dispatches the next jobs of a queue, up to the free places of the window: by priority, then round-robin over
/// tenants, then by the tenants' last claims (see [`claim_next`]), then by age. A tenant's dispatched and running jobs
/// count as turns taken. A tenant without such jobs gets one place beyond the window, which therefore at most doubles.
///
/// The cost grows with the number of waiting tenants, not of their jobs: the recursive part skips over the index
/// from tenant to tenant, each count reads one partial index, and the lock finds its rows by id. `state || ''`
/// keeps the planner off the partial index, which it would read whole if its statistics saw an empty queue. The
/// commit does not wait for the disk: a dispatch lost in a crash of Postgres is repeated.
///
/// A job that another transaction has locked is left for the next time: the statement runs under the queue's lock, and
/// would delay every tenant.
///
/// [`claim_next`]: super::claim_next
///
/// `per_tenant`: the maximum number of a tenant's dispatched and running jobs.
///
/// `backpressure`: a kind and its maximum number of waiting jobs per tenant. A tenant at the maximum gets no turn.
pub(in crate::jobs) async fn pick(
    db: impl PgExecutor<'_>,
    kind: Kind,
    window: i64,
    per_tenant: i64,
    backpressure: Option<(Kind, i64)>,
    served: &[TenantId],
) -> sqlx::Result<Vec<JobId>> {
    let served: Vec<_> = served.iter().map(|tenant| tenant.uuid()).collect();
    sqlx::query_scalar!(
        r#"
        with recursive unsynced as materialized (
            select set_config('synchronous_commit', 'off', true)
        ),
        waiting (tenant_id) as (
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
        on_their_way as materialized (
            select tenant_id, count(*) as jobs
            from (
                select tenant_id from job where kind = $1 and state = 'dispatched'
                union all
                select tenant_id from job where kind = $1 and state = 'running'
            ) as under_way
            group by tenant_id
        ),
        room as materialized (
            select greatest($2 - count(*), 0) as places, greatest(2 * $2 - count(*), 0) as with_beside from job
            where kind = $1 and state = 'dispatched'
        ),
        turns as (
            select mine.id, mine.priority, mine.turn, array_position($5::uuid[], tenant_id) as served
            from waiting
            left join on_their_way using (tenant_id)
            cross join lateral (
                select first.id, first.priority,
                    coalesce(on_their_way.jobs, 0)
                        + row_number() over (order by first.priority desc, first.id) as turn
                from (
                    select id, priority from job
                    where kind = $1 and state = 'queued' and job.tenant_id = waiting.tenant_id
                        and not_before <= now()
                    order by priority desc, id
                    limit (
                        select least(greatest(places, 1), greatest($6 - coalesce(on_their_way.jobs, 0), 0))
                        from room
                    )
                ) as first
            ) as mine
            where $3::text is null or (
                select count(*) from (
                    select 1 from job
                    where kind = $3 and state = 'queued' and job.tenant_id = waiting.tenant_id
                    limit $4
                ) as next
            ) < $4
        ),
        next as (
            select id, turn, row_number() over (order by priority desc, turn, served nulls first, id) as place
            from turns
            cross join unsynced
        ),
        free as materialized (
            select id from job
            where id = any(array(
                    select id from next
                    where place <= (select places from room)
                        or (turn = 1 and place <= (select with_beside from room))
                ))
                and state || '' = 'queued'
            order by id
            for no key update skip locked
        )
        update job
        set state = 'dispatched', dispatched_at = now(), updated_at = now()
        where id = any(array(select id from free))
        returning id as "id: JobId"
        "#,
        kind.as_str(),
        window,
        backpressure.map(|(kind, _)| kind.as_str()),
        backpressure.map(|(_, backlog)| backlog),
        &served,
        per_tenant,
    )
    .fetch_all(db)
    .await
}

/// Undoes a dispatch. Skips jobs that are locked: they are being claimed or ended, or their hint times out.
pub(in crate::jobs) async fn return_to_queue(db: impl PgExecutor<'_>, jobs: &[JobId]) -> sqlx::Result<()> {
    let jobs: Vec<_> = jobs.iter().map(|job| job.uuid()).collect();
    sqlx::query!(
        r#"
        with free as materialized (
            select id from job
            where id = any($1) and state || '' = 'dispatched'
            order by id
            for no key update skip locked
        )
        update job
        set state = 'queued', dispatched_at = null, updated_at = now()
        where id = any(array(select id from free))
        "#,
        &jobs,
    )
    .execute(db)
    .await?;
    Ok(())
}
