//! Who is next.

use sqlx::PgExecutor;

use crate::ids::JobId;
use crate::jobs::Kind;

/// Held until the transaction ends.
pub(in crate::jobs) async fn lock_dispatch(db: impl PgExecutor<'_>, kind: Kind) -> sqlx::Result<()> {
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
pub(in crate::jobs) async fn pick(
    db: impl PgExecutor<'_>,
    kind: Kind,
    window: i64,
) -> sqlx::Result<Vec<JobId>> {
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

pub(in crate::jobs) async fn return_to_queue(db: impl PgExecutor<'_>, jobs: &[JobId]) -> sqlx::Result<()> {
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
