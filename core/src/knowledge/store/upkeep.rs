//! Consistency checks: orphaned chunks and the stored check results.

use sqlx::PgExecutor;

use crate::ids::{SourceId, TenantId};

/// A source with chunks that no search returns and no purge job will delete.
pub(in crate::knowledge) struct Orphan {
    pub(in crate::knowledge) tenant: TenantId,
    pub(in crate::knowledge) source: SourceId,
    pub(in crate::knowledge) is_deleted: bool,
    pub(in crate::knowledge) chunks: i64,
}

/// Deleted sources and sources with a replaced version, of tenants without a pending purge job. Finds them
/// through versions, which are far fewer than chunks.
pub(in crate::knowledge) async fn count_orphans(
    db: impl PgExecutor<'_>,
    limit: i64,
) -> sqlx::Result<Vec<Orphan>> {
    sqlx::query!(
        r#"
        select source.tenant_id as "tenant: TenantId", source.id as "source: SourceId",
            source.deleted_at is not null as "is_deleted!",
            (
                select count(*) from chunk
                where chunk.source_id = source.id
                    and (source.deleted_at is not null or chunk.version < live_version)
            ) as "chunks!"
        from source
        join bot on bot.id = source.bot_id and bot.deleted_at is null
        where (
                source.deleted_at < now() - interval '1 minute'
                or exists (
                    select 1 from source_version
                    where source_version.source_id = source.id and source_version.version < live_version
                )
            )
            and not exists (
                select 1 from job
                where job.tenant_id = source.tenant_id and job.kind = 'purge'
                    and job.state in ('queued', 'dispatched', 'running')
            )
        limit $1
        "#,
        limit,
    )
    .map(|row| Orphan {
        tenant: row.tenant,
        source: row.source,
        is_deleted: row.is_deleted,
        chunks: row.chunks,
    })
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn note_count(
    db: impl PgExecutor<'_>,
    name: &str,
    value: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into upkeep (name, value) values ($1, $2)
        on conflict (name) do update set value = excluded.value, checked_at = now()
        "#,
        name,
        value,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn list_counts(
    db: impl PgExecutor<'_>,
) -> sqlx::Result<Vec<(String, i64, f64)>> {
    sqlx::query!(
        r#"
        select name, value, extract(epoch from now() - checked_at)::float8 as "age!"
        from upkeep
        order by name
        "#,
    )
    .map(|row| (row.name, row.value, row.age))
    .fetch_all(db)
    .await
}
