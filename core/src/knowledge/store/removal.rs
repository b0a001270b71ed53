//! Batched deletion of deleted sources and replaced versions.

use sqlx::PgExecutor;

use crate::ids::{BotId, SourceId, TenantId};

/// Any source of a deleted bot, whether the source is deleted or not.
pub(in crate::knowledge) async fn find_any(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
) -> sqlx::Result<Option<SourceId>> {
    sqlx::query_scalar!(
        r#"select id as "id: SourceId" from source where tenant_id = $1 and bot_id = $2 limit 1"#,
        tenant.uuid(),
        bot.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub(in crate::knowledge) async fn find_live_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Option<i32>> {
    let live = sqlx::query_scalar!(
        "select live_version from source where tenant_id = $1 and id = $2",
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(live.flatten())
}

/// Deletes at most `limit` chunks of versions before `before`.
pub(in crate::knowledge) async fn delete_chunks(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    before: i32,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        r#"
        delete from chunk
        where tenant_id = $1 and id in (
            select id from chunk where tenant_id = $1 and source_id = $2 and version < $3 limit $4
        )
        "#,
        tenant.uuid(),
        source.uuid(),
        before,
        limit,
    )
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}

pub(in crate::knowledge) async fn list_blobs(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    before: i32,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        select blob_key as "blob_key!"
        from source_version
        where tenant_id = $1 and source_id = $2 and version < $3 and blob_key is not null
        "#,
        tenant.uuid(),
        source.uuid(),
        before,
    )
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn remove_versions(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    before: i32,
) -> sqlx::Result<u64> {
    let removed = sqlx::query!(
        r#"
        with pages as (
            delete from source_page where tenant_id = $1 and source_id = $2 and version < $3
        )
        delete from source_version where tenant_id = $1 and source_id = $2 and version < $3
        "#,
        tenant.uuid(),
        source.uuid(),
        before,
    )
    .execute(db)
    .await?;
    Ok(removed.rows_affected())
}

/// Deletes the row of a soft-deleted source, or of a soft-deleted bot's source.
pub(in crate::knowledge) async fn remove_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<u64> {
    let removed = sqlx::query!(
        r#"
        delete from source
        where tenant_id = $1 and id = $2 and (
            deleted_at is not null
            or exists (select 1 from bot where bot.id = bot_id and bot.deleted_at is not null)
        )
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .execute(db)
    .await?;
    Ok(removed.rows_affected())
}
