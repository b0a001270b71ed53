//! Jobs as others see them.

use sqlx::PgExecutor;

use crate::ids::{JobId, SourceId, TenantId};
use crate::jobs::{Kind, Report, State};

pub(in crate::jobs) async fn find(
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

pub(in crate::jobs) async fn list_for_source(
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
