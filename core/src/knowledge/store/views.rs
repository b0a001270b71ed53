//! Read queries for sources, their text and their chunks.

use sqlx::PgExecutor;

use crate::ids::{BotId, ChunkId, JobId, SourceId, TenantId};
use crate::knowledge::{ChunkRow, Filter, Source, SourceType, Status};
use crate::page::PageRequest;

/// Stored original of a source.
pub(in crate::knowledge) struct StoredOriginal {
    /// `None` for a web site, or if the file was removed.
    pub(in crate::knowledge) blob_key: Option<String>,
    pub(in crate::knowledge) is_removed: bool,
    pub(in crate::knowledge) file_name: String,
    pub(in crate::knowledge) media_type: String,
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
            left(shown.content, $3) as content_preview, made.chunk_count, made.reused_chunks, made.notes,
            include_subpages, max_pages,
            (
                select count(distinct chunk_id) from chunk_vector
                where chunk_vector.bot_id = source.bot_id and chunk_vector.source_id = source.id
                    and chunk_vector.version = source.version
            ) as "embedded_count!"
        from source
        join bot on bot.id = source.bot_id and bot.deleted_at is null
        join source_version as made on made.source_id = source.id and made.version = source.version
        join source_version as shown
            on shown.source_id = source.id and shown.version = coalesce(live_version, source.version)
        where source.tenant_id = $1 and source.id = $2 and source.deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        preview_length,
    )
    .fetch_optional(db)
    .await
}

/// A page of the sources, with their total number. Embedded chunks are counted only for sources that are not
/// ready; a ready source has all of them embedded.
pub(in crate::knowledge) async fn list_sources(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
    preview_length: i32,
) -> sqlx::Result<(Vec<Source>, i64)> {
    let rows = sqlx::query!(
        r#"
        with living as not materialized (
            select source.id, source.bot_id, source_type
            from source
            join bot on bot.id = source.bot_id and bot.deleted_at is null
            where source.tenant_id = $1 and source.deleted_at is null
        ),
        -- One of the three, each by its index.
        matching as materialized (
            select id from living where $2::uuid is null and $3::text is null
            union all
            select id from living where bot_id = $2 and ($3 is null or source_type = $3)
            union all
            select id from living where $2 is null and source_type = $3
        )
        select total as "total!", page.id as "id?: SourceId", page.bot_id as "bot_id?: BotId",
            bot_name as "bot_name?", name as "name?", source_type as "source_type?: SourceType",
            status as "status?: Status", page.version as "version?", file_name, url, size_bytes,
            job_id as "job_id: JobId", error_code, error_message, page.created_at as "created_at?",
            updated_at as "updated_at?", left(shown.content, $6) as content_preview,
            made.chunk_count as "chunk_count?", made.reused_chunks as "reused_chunks?",
            made.notes as "notes?", include_subpages as "include_subpages?", max_pages,
            case when status = 'ready' then made.chunk_count else (
                select count(distinct chunk_id) from chunk_vector
                where chunk_vector.bot_id = page.bot_id and chunk_vector.source_id = page.id
                    and chunk_vector.version = page.version
            ) end as "embedded_count"
        from (
            select count(*) as total
            from matching
        ) as counted
        left join lateral (
            select source.*, bot.name as bot_name
            from (select id from matching order by id desc limit $4 offset $5) as newest
            join source using (id)
            join bot on bot.id = source.bot_id
            where source.tenant_id = $1
        ) as page on true
        left join source_version as made on made.source_id = page.id and made.version = page.version
        left join source_version as shown
            on shown.source_id = page.id and shown.version = coalesce(live_version, page.version)
        order by page.id desc
        "#,
        tenant.uuid(),
        filter.bot.map(BotId::uuid),
        filter.source_type as Option<SourceType>,
        page.limit(),
        page.offset(),
        preview_length,
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let sources = rows.into_iter().filter_map(|row| {
        Some(Source {
            id: row.id?,
            bot_id: row.bot_id?,
            bot_name: row.bot_name?,
            name: row.name?,
            source_type: row.source_type?,
            status: row.status?,
            version: row.version?,
            file_name: row.file_name,
            url: row.url,
            size_bytes: row.size_bytes,
            content_preview: row.content_preview,
            chunk_count: row.chunk_count,
            reused_chunks: row.reused_chunks,
            notes: row.notes.unwrap_or_default(),
            include_subpages: row.include_subpages?,
            max_pages: row.max_pages,
            embedded_count: row.embedded_count.unwrap_or(0),
            job_id: row.job_id,
            error_code: row.error_code,
            error_message: row.error_message,
            created_at: row.created_at?,
            updated_at: row.updated_at?,
        })
    });
    Ok((sources.collect(), total))
}

pub(in crate::knowledge) async fn find_original(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Option<StoredOriginal>> {
    sqlx::query_as!(
        StoredOriginal,
        r#"
        select blob_key, removed_at is not null as "is_removed!", coalesce(file_name, 'content.md') as "file_name!",
            coalesce(media_type, 'application/octet-stream') as "media_type!"
        from source
        join bot on bot.id = source.bot_id and bot.deleted_at is null
        join source_version
            on source_version.source_id = source.id and source_version.version = source.version
        where source.tenant_id = $1 and source.id = $2 and source.deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
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

/// `None` when there is no such source.
pub(in crate::knowledge) async fn count_chunks(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        select (
            select count(*) from chunk
            where chunk.source_id = source.id and chunk.version = coalesce(live_version, source.version)
        ) as "count!"
        from source
        join bot on bot.id = source.bot_id and bot.deleted_at is null
        where source.tenant_id = $1 and source.id = $2 and source.deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await
}

/// One page of the chunks, or all of them.
pub(in crate::knowledge) async fn list_chunks(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    page: Option<PageRequest>,
) -> sqlx::Result<Vec<ChunkRow>> {
    sqlx::query_as!(
        ChunkRow,
        r#"
        select chunk.id as "id: ChunkId", content, ordinal, heading, page, start_at as start,
            end_at as "end", token_count, chunk.created_at
        from chunk
        join source on source.id = chunk.source_id
            and chunk.version = coalesce(live_version, source.version)
        where source.tenant_id = $1 and source.id = $2 and deleted_at is null
        order by ordinal
        limit $3 offset $4
        "#,
        tenant.uuid(),
        source.uuid(),
        page.map(PageRequest::limit),
        page.map_or(0, PageRequest::offset),
    )
    .fetch_all(db)
    .await
}
