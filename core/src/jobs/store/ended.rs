//! Statements that requeue and delete ended jobs.

use std::time::Duration;

use sqlx::PgExecutor;

use super::interval;
use crate::ids::{JobId, TenantId};
use crate::jobs::{Kind, Subject};

/// Locks the failed and cancelled jobs of `subject` until the transaction ends, oldest first.
pub(in crate::jobs) async fn hold_ended(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    subject: Subject,
) -> sqlx::Result<Vec<JobId>> {
    let (bot, source, version) = subject.parts();
    sqlx::query_scalar!(
        r#"
        select id as "id: JobId" from job
        where tenant_id = $1 and state in ('failed', 'cancelled') and ($2::uuid is null or bot_id = $2)
            and ($3::uuid is null or source_id = $3) and ($4::integer is null or source_version = $4)
        order by id
        for update
        "#,
        tenant.uuid(),
        bot,
        source,
        version,
    )
    .fetch_all(db)
    .await
}

pub(in crate::jobs) async fn revive(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    jobs: &[JobId],
    deadlines: &[(Kind, Duration)],
) -> sqlx::Result<Vec<Kind>> {
    let jobs: Vec<_> = jobs.iter().map(|job| job.uuid()).collect();
    let (kinds, deadlines): (Vec<_>, Vec<_>) =
        deadlines.iter().map(|(kind, deadline)| (kind.as_str().to_owned(), interval(*deadline))).unzip();
    sqlx::query_scalar!(
        r#"
        update job
        set state = 'queued', attempt = 0, cancel_requested = false, not_before = now(),
            deadline_at = now() + deadline.value, dispatched_at = null, finished_at = null, worker_id = null,
            error_code = null, error_message = null, updated_at = now()
        from unnest($3::text[], $4::interval[]) as deadline (kind, value)
        where tenant_id = $1 and id = any($2) and state in ('failed', 'cancelled') and job.kind = deadline.kind
        returning job.kind as "kind: Kind"
        "#,
        tenant.uuid(),
        &jobs,
        &kinds,
        &deadlines,
    )
    .fetch_all(db)
    .await
}

pub(in crate::jobs) async fn forget_old(
    db: impl PgExecutor<'_>,
    kept: Duration,
    limit: i64,
) -> sqlx::Result<u64> {
    let forgotten = sqlx::query!(
        r#"
        delete from job
        where id in (
            select id from job
            where state in ('succeeded', 'cancelled') and finished_at < now() - $1::interval
            limit $2
            for update skip locked
        )
        "#,
        interval(kept),
        limit,
    )
    .execute(db)
    .await?;
    Ok(forgotten.rows_affected())
}
