//! Statements that read jobs for tenants and operators.

use sqlx::PgExecutor;
use sqlx::types::Json;

use crate::ids::{BotId, JobId, SourceId, TenantId, WorkerId};
use crate::jobs::{Filter, Kind, Moment, Outlook, Report, State};
use crate::page::PageRequest;

/// Children listed per job.
const CHILDREN: i64 = 200;

/// Period over which the rate of finished jobs is measured.
const RATE_MINUTES: i32 = 10;

pub(in crate::jobs) async fn find(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: JobId,
) -> sqlx::Result<Option<Report>> {
    sqlx::query_as!(
        Report,
        r#"
        select id as "id: JobId", tenant_id as "tenant_id: TenantId", bot_id as "bot_id: BotId",
            source_id as "source_id: SourceId", source_version, parent_id as "parent_id: JobId",
            kind as "kind: Kind", state as "state: State", revision, attempt, max_attempts, progress_done,
            progress_total, progress_unit, error_code, error_message, cancel_requested,
            worker_id as "worker_id: WorkerId", created_at, not_before, started_at, finished_at, deadline_at
        from job
        where tenant_id = $1 and id = $2
        "#,
        tenant.uuid(),
        job.uuid(),
    )
    .fetch_optional(db)
    .await
}

/// The owner of a job, for operators, whose requests have no tenant.
pub(in crate::jobs) async fn find_tenant(
    db: impl PgExecutor<'_>,
    job: JobId,
) -> sqlx::Result<Option<TenantId>> {
    sqlx::query_scalar!(r#"select tenant_id as "tenant: TenantId" from job where id = $1"#, job.uuid())
        .fetch_optional(db)
        .await
}

/// Only one branch of the union yields rows, and each reads its own index.
pub(in crate::jobs) async fn list(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
) -> sqlx::Result<Vec<Report>> {
    sqlx::query_as!(
        Report,
        r#"
        select id as "id: JobId", tenant_id as "tenant_id: TenantId", bot_id as "bot_id: BotId",
            source_id as "source_id: SourceId", source_version, parent_id as "parent_id: JobId",
            kind as "kind: Kind", state as "state: State", revision, attempt, max_attempts, progress_done,
            progress_total, progress_unit, error_code, error_message, cancel_requested,
            worker_id as "worker_id: WorkerId", created_at, not_before, started_at, finished_at, deadline_at
        from job
        where tenant_id = $1 and id in (
            select id from (
                select id from job
                where tenant_id = $1 and $2::text is null and $3::text is null and $4::uuid is null
                    and $5::uuid is null
                union all
                select id from job
                where tenant_id = $1 and source_id = $5 and ($4 is null or bot_id = $4)
                    and ($3 is null or state = $3) and ($2 is null or kind = $2)
                union all
                select id from job
                where tenant_id = $1 and bot_id = $4 and $5 is null and ($3 is null or state = $3)
                    and ($2 is null or kind = $2)
                union all
                select id from job
                where tenant_id = $1 and state = $3 and $4 is null and $5 is null and ($2 is null or kind = $2)
                union all
                select id from job
                where tenant_id = $1 and kind = $2 and $3 is null and $4 is null and $5 is null
            ) as matching
            order by id desc
            limit $6 offset $7
        )
        order by id desc
        "#,
        tenant.uuid(),
        filter.kind.map(Kind::as_str),
        filter.state.map(State::as_str),
        filter.bot.map(BotId::uuid),
        filter.source.map(SourceId::uuid),
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await
}

pub(in crate::jobs) async fn count(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    filter: Filter,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from (
            select id from job
            where tenant_id = $1 and $2::text is null and $3::text is null and $4::uuid is null
                and $5::uuid is null
            union all
            select id from job
            where tenant_id = $1 and source_id = $5 and ($4 is null or bot_id = $4)
                and ($3 is null or state = $3) and ($2 is null or kind = $2)
            union all
            select id from job
            where tenant_id = $1 and bot_id = $4 and $5 is null and ($3 is null or state = $3)
                and ($2 is null or kind = $2)
            union all
            select id from job
            where tenant_id = $1 and state = $3 and $4 is null and $5 is null and ($2 is null or kind = $2)
            union all
            select id from job
            where tenant_id = $1 and kind = $2 and $3 is null and $4 is null and $5 is null
        ) as matching
        "#,
        tenant.uuid(),
        filter.kind.map(Kind::as_str),
        filter.state.map(State::as_str),
        filter.bot.map(BotId::uuid),
        filter.source.map(SourceId::uuid),
    )
    .fetch_one(db)
    .await
}

pub(in crate::jobs) async fn list_children(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: JobId,
) -> sqlx::Result<Vec<Report>> {
    sqlx::query_as!(
        Report,
        r#"
        select id as "id: JobId", tenant_id as "tenant_id: TenantId", bot_id as "bot_id: BotId",
            source_id as "source_id: SourceId", source_version, parent_id as "parent_id: JobId",
            kind as "kind: Kind", state as "state: State", revision, attempt, max_attempts, progress_done,
            progress_total, progress_unit, error_code, error_message, cancel_requested,
            worker_id as "worker_id: WorkerId", created_at, not_before, started_at, finished_at, deadline_at
        from job
        where tenant_id = $1 and parent_id = $2
        order by id
        limit $3
        "#,
        tenant.uuid(),
        job.uuid(),
        CHILDREN,
    )
    .fetch_all(db)
    .await
}

/// Across tenants. Scans backwards from the newest job.
pub(in crate::jobs) async fn list_all(
    db: impl PgExecutor<'_>,
    filter: Filter,
    worker: Option<WorkerId>,
    limit: i64,
) -> sqlx::Result<Vec<Report>> {
    sqlx::query_as!(
        Report,
        r#"
        select id as "id: JobId", tenant_id as "tenant_id: TenantId", bot_id as "bot_id: BotId",
            source_id as "source_id: SourceId", source_version, parent_id as "parent_id: JobId",
            kind as "kind: Kind", state as "state: State", revision, attempt, max_attempts, progress_done,
            progress_total, progress_unit, error_code, error_message, cancel_requested,
            worker_id as "worker_id: WorkerId", created_at, not_before, started_at, finished_at, deadline_at
        from job
        where ($1::text is null or kind = $1) and ($2::text is null or state = $2)
            and ($3::uuid is null or bot_id = $3) and ($4::uuid is null or source_id = $4)
            and ($6::uuid is null or (worker_id = $6 and state = 'running'))
        order by id desc
        limit $5
        "#,
        filter.kind.map(Kind::as_str),
        filter.state.map(State::as_str),
        filter.bot.map(BotId::uuid),
        filter.source.map(SourceId::uuid),
        limit,
        worker.map(WorkerId::uuid),
    )
    .fetch_all(db)
    .await
}

/// Queue position of a job, and its expected wait from the tenant's recent throughput of this kind.
pub(in crate::jobs) async fn outlook(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    kind: Kind,
    job: JobId,
) -> sqlx::Result<Outlook> {
    let found = sqlx::query!(
        r#"
        with mine as (
            select id, priority from job where tenant_id = $1 and id = $3
        ),
        late as (
            select count(*) as ended, extract(epoch from now() - min(finished_at))::float8 as seconds
            from job
            where tenant_id = $1 and kind = $2 and state = 'succeeded'
                and finished_at > now() - make_interval(mins => $4)
        )
        select 1 + count(ahead.id) as "position!", max(late.ended) as "ended!", max(late.seconds) as seconds
        from late
        cross join mine
        left join job as ahead on ahead.tenant_id = $1 and ahead.kind = $2
            and ahead.state in ('queued', 'dispatched')
            and (ahead.priority > mine.priority or (ahead.priority = mine.priority and ahead.id < mine.id))
        "#,
        tenant.uuid(),
        kind.as_str(),
        job.uuid(),
        RATE_MINUTES,
    )
    .fetch_one(db)
    .await?;
    let seconds_per_job =
        found.seconds.filter(|_| found.ended > 0).map(|seconds| seconds / found.ended as f64);
    Ok(Outlook {
        position: found.position,
        wait_seconds: seconds_per_job.map(|seconds| seconds * found.position as f64),
    })
}

pub(in crate::jobs) async fn find_history(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: JobId,
) -> sqlx::Result<Vec<Moment>> {
    let history = sqlx::query_scalar!(
        r#"select history as "history: Json<Vec<Moment>>" from job where tenant_id = $1 and id = $2"#,
        tenant.uuid(),
        job.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(history.map(|Json(moments)| moments).unwrap_or_default())
}

/// Longest waiting time of a due job, in seconds, per kind.
pub(in crate::jobs) async fn list_oldest_waiting(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(Kind, f64)>> {
    sqlx::query!(
        r#"
        select kind as "kind: Kind",
            extract(epoch from now() - min(greatest(created_at, not_before)))::double precision as "seconds!"
        from job
        where state in ('queued', 'dispatched') and not_before <= now()
        group by kind
        "#,
    )
    .map(|row| (row.kind, row.seconds))
    .fetch_all(db)
    .await
}

pub(in crate::jobs) async fn count_by_state(
    db: impl PgExecutor<'_>,
) -> sqlx::Result<Vec<(Kind, State, i64)>> {
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
