//! Inserts, updates and soft deletion of sources.

use sqlx::PgExecutor;

use crate::ids::{BotId, JobId, SourceId, TenantId};
use crate::knowledge::SourceType;
use crate::knowledge::original::Hashed;

/// Current content of a source.
pub(in crate::knowledge) struct Current {
    pub(in crate::knowledge) version: i32,
    pub(in crate::knowledge) hash: Vec<u8>,
    /// False when the source failed or was cancelled.
    pub(in crate::knowledge) is_wanted: bool,
}

/// Inserts a source. False if the bot already has the same content.
pub(in crate::knowledge) async fn insert_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    source: SourceId,
    original: &Hashed,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        r#"
        insert into source (
            id, tenant_id, bot_id, name, source_type, file_name, media_type, size_bytes, content_hash, url,
            include_subpages, max_pages
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict (bot_id, content_hash)
            where deleted_at is null and status not in ('failed', 'cancelled')
            do nothing
        "#,
        source.uuid(),
        tenant.uuid(),
        bot.uuid(),
        original.name,
        original.source_type as SourceType,
        original.file_name,
        original.media_type,
        original.size(),
        &original.hash,
        original.site.as_ref().map(|site| site.url.as_str()),
        original.site.as_ref().is_some_and(|site| site.include_subpages),
        original.site.as_ref().map(|site| site.max_pages),
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
    blob_key: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into source_version (source_id, version, tenant_id, blob_key) values ($1, $2, $3, $4)",
        source.uuid(),
        version,
        tenant.uuid(),
        blob_key,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a version of the source has this file.
pub(in crate::knowledge) async fn uses_file(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    blob_key: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from source_version where tenant_id = $1 and source_id = $2 and blob_key = $3
        ) as "is_used!"
        "#,
        tenant.uuid(),
        source.uuid(),
        blob_key,
    )
    .fetch_one(db)
    .await
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

pub(in crate::knowledge) async fn rename(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    name: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set name = $3, updated_at = now()
        where tenant_id = $1 and id = $2 and deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        name,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Reads the current content and locks the row until the transaction ends.
pub(in crate::knowledge) async fn lock_content(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Option<Current>> {
    sqlx::query_as!(
        Current,
        r#"
        select version, content_hash as hash, status not in ('failed', 'cancelled') as "is_wanted!"
        from source
        where tenant_id = $1 and id = $2 and deleted_at is null
        for no key update
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub(in crate::knowledge) async fn begin_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
    original: &Hashed,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set version = $3, status = 'queued', file_name = $4, media_type = $5, size_bytes = $6,
            content_hash = $7, error_code = null, error_message = null, updated_at = now()
        where tenant_id = $1 and id = $2
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
        original.file_name,
        original.media_type,
        original.size(),
        &original.hash,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Starts a new version of the same web site.
pub(in crate::knowledge) async fn begin_refresh(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set version = $3, status = 'queued', error_code = null, error_message = null, updated_at = now()
        where tenant_id = $1 and id = $2
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Soft-deletes a source. False if there is none.
pub(in crate::knowledge) async fn hide(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<bool> {
    let hidden = sqlx::query!(
        r#"
        update source
        set deleted_at = now()
        where tenant_id = $1 and id = $2 and deleted_at is null
            and exists (select 1 from bot where bot.id = bot_id and bot.deleted_at is null)
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .execute(db)
    .await?;
    Ok(hidden.rows_affected() == 1)
}
