//! Sources: made, found, shown.

use sqlx::PgExecutor;

use crate::ids::{BotId, ChunkId, JobId, SourceId, TenantId};
use crate::knowledge::{ChunkRow, Source, SourceType, Status};

pub(in crate::knowledge) struct NewSource<'a> {
    pub(in crate::knowledge) id: SourceId,
    pub(in crate::knowledge) tenant: TenantId,
    pub(in crate::knowledge) bot: BotId,
    pub(in crate::knowledge) name: &'a str,
    pub(in crate::knowledge) source_type: SourceType,
    pub(in crate::knowledge) file_name: Option<String>,
    pub(in crate::knowledge) media_type: Option<&'a str>,
    pub(in crate::knowledge) blob_key: Option<&'a str>,
    pub(in crate::knowledge) size_bytes: Option<i64>,
    pub(in crate::knowledge) content_hash: &'a [u8],
}

/// False when the bot has the same content already.
pub(in crate::knowledge) async fn insert_source(
    db: impl PgExecutor<'_>,
    source: &NewSource<'_>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        r#"
        insert into source (
            id, tenant_id, bot_id, name, source_type, file_name, media_type, blob_key, size_bytes,
            content_hash
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (bot_id, content_hash)
            where deleted_at is null and status not in ('failed', 'cancelled')
            do nothing
        "#,
        source.id.uuid(),
        source.tenant.uuid(),
        source.bot.uuid(),
        source.name,
        source.source_type as SourceType,
        source.file_name,
        source.media_type,
        source.blob_key,
        source.size_bytes,
        source.content_hash,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(in crate::knowledge) async fn insert_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into source_version (source_id, version, tenant_id) values ($1, $2, $3)",
        source.uuid(),
        version,
        tenant.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn set_job(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    job: JobId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update source set job_id = $3 where tenant_id = $1 and id = $2",
        tenant.uuid(),
        source.uuid(),
        job.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn find_by_content(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    content_hash: &[u8],
) -> sqlx::Result<Option<SourceId>> {
    sqlx::query_scalar!(
        r#"
        select id as "id: SourceId"
        from source
        where tenant_id = $1 and bot_id = $2 and content_hash = $3 and deleted_at is null
            and status not in ('failed', 'cancelled')
        "#,
        tenant.uuid(),
        bot.uuid(),
        content_hash,
    )
    .fetch_optional(db)
    .await
}

pub(in crate::knowledge) async fn find_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    preview_length: i32,
) -> sqlx::Result<Option<Source>> {
    sqlx::query_as!(
        Source,
        r#"
        select source.id as "id: SourceId", source.bot_id as "bot_id: BotId", bot.name as bot_name,
            source.name, source_type as "source_type: SourceType", status as "status: Status",
            source.version, file_name, url, size_bytes, job_id as "job_id: JobId", error_code,
            error_message, source.created_at, source.updated_at,
            left(source_version.content, $3) as content_preview, chunk_count,
            (
                select count(*) from chunk
                where chunk.source_id = source.id and chunk.version = source.version
                    and embedding is not null
            ) as "embedded_count!"
        from source
        join bot on bot.id = source.bot_id and bot.deleted_at is null
        join source_version
            on source_version.source_id = source.id and source_version.version = source.version
        where source.tenant_id = $1 and source.id = $2 and source.deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        preview_length,
    )
    .fetch_optional(db)
    .await
}

pub(in crate::knowledge) async fn find_content(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Option<String>> {
    let content = sqlx::query_scalar!(
        r#"
        select content
        from source_version
        join source on source.id = source_version.source_id
            and source_version.version = coalesce(live_version, source.version)
        where source.tenant_id = $1 and source.id = $2 and deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(content.flatten())
}

pub(in crate::knowledge) async fn list_chunks(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Vec<ChunkRow>> {
    sqlx::query_as!(
        ChunkRow,
        r#"
        select chunk.id as "id: ChunkId", content, ordinal, chunk.created_at
        from chunk
        join source on source.id = chunk.source_id
            and chunk.version = coalesce(live_version, source.version)
        where source.tenant_id = $1 and source.id = $2 and deleted_at is null
        order by ordinal
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_all(db)
    .await
}
