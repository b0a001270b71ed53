//! Processing and completion of a source's version.

use parlance_extract::protocol::{Document, Request};
use sqlx::PgExecutor;

use crate::ids::{SourceId, TenantId};
use crate::jobs::{Failure, State};
use crate::knowledge::Status;
use crate::knowledge::chunk::{Markup, PageStart};
use crate::knowledge::ingest::StoredFile;

/// The text of a version.
pub(in crate::knowledge) struct FoundText {
    pub(in crate::knowledge) text: String,
    pub(in crate::knowledge) markup: Option<Markup>,
    /// Start offsets of pages 1, 2, …, in characters.
    pub(in crate::knowledge) page_starts: Vec<i32>,
    pub(in crate::knowledge) is_site: bool,
}

pub(in crate::knowledge) async fn find_file(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Option<StoredFile>> {
    sqlx::query!(
        r#"
        select blob_key as "blob_key!", file_name, media_type
        from source
        join source_version using (version)
        where source.tenant_id = $1 and id = $2 and version = $3 and source_id = id and deleted_at is null
            and blob_key is not null and status in ('queued', 'processing')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .map(|row| StoredFile {
        blob_key: row.blob_key,
        declared: Request { name: row.file_name, media_type: row.media_type, url: None },
    })
    .fetch_optional(db)
    .await
}

pub(in crate::knowledge) async fn set_processing(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set status = 'processing', updated_at = now()
        where tenant_id = $1 and id = $2 and version = $3 and status = 'queued'
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn set_content(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
    document: &Document,
) -> sqlx::Result<()> {
    // A text of at most 24 MiB has offsets far below two billion.
    let starts: Vec<i32> =
        document.pages.iter().map(|start| i32::try_from(*start).unwrap_or(i32::MAX)).collect();
    sqlx::query!(
        r#"
        update source_version
        set content = $4, markup = $5, page_starts = $6, notes = $7
        where tenant_id = $1 and source_id = $2 and version = $3
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
        document.text,
        Markup::from(document.markup) as Markup,
        &starts,
        &document.notes,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn find_text(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Option<FoundText>> {
    sqlx::query_as!(
        FoundText,
        r#"
        select content as "text!", markup as "markup: Markup", page_starts,
            source_type = 'url' as "is_site!"
        from source
        join source_version using (version)
        where source.tenant_id = $1 and source.id = $2 and version = $3
            and source_version.source_id = source.id and deleted_at is null and content is not null
            and status in ('queued', 'processing')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .fetch_optional(db)
    .await
}

/// Numbers the pages of a document from 1.
pub(in crate::knowledge) fn numbered(starts: &[i32]) -> Vec<PageStart> {
    let offset = |start: &i32| usize::try_from(*start).unwrap_or(0);
    (1..)
        .zip(starts)
        .map(|(number, start)| PageStart { number, start: offset(start), markup: None })
        .collect()
}

/// Start offsets and markups of a web site's pages, in order of discovery.
pub(in crate::knowledge) async fn list_page_starts(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Vec<PageStart>> {
    sqlx::query!(
        r#"
        select ordinal, start_at as "start_at!", markup as "markup: Markup"
        from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and start_at is not null
        order by ordinal
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .map(|row| PageStart {
        number: row.ordinal,
        start: usize::try_from(row.start_at).unwrap_or(0),
        markup: row.markup,
    })
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn is_wanted(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"
        select 1 as "one!"
        from source
        where tenant_id = $1 and id = $2 and version = $3 and deleted_at is null
            and status in ('queued', 'processing')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

pub(in crate::knowledge) async fn lock_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select 1 as "one!" from source where tenant_id = $1 and id = $2 for update"#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(())
}

/// Makes the version searchable from the commit on, unless a newer one was started or it failed or was
/// cancelled.
pub(in crate::knowledge) async fn make_live(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set live_version = $3, status = 'ready', error_code = null, error_message = null,
            live_chunks = (
                select coalesce(chunk_count, 0) from source_version
                where tenant_id = $1 and source_id = $2 and source_version.version = $3
            ),
            updated_at = now()
        where tenant_id = $1 and id = $2 and version = $3 and status in ('queued', 'processing')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Requeues a failed or cancelled version. False if it is no longer the source's newest, or did not fail.
pub(in crate::knowledge) async fn revive_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<bool> {
    let revived = sqlx::query!(
        r#"
        update source
        set status = 'queued', error_code = null, error_message = null, updated_at = now()
        where tenant_id = $1 and id = $2 and version = $3 and status in ('failed', 'cancelled')
            and deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(revived.rows_affected() == 1)
}

pub(in crate::knowledge) async fn end_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
    state: State,
    failure: &Failure,
) -> sqlx::Result<()> {
    let status = if state == State::Cancelled { Status::Cancelled } else { Status::Failed };
    sqlx::query!(
        r#"
        update source
        set status = $4, error_code = $5, error_message = $6, updated_at = now()
        where tenant_id = $1 and id = $2 and version = $3 and status in ('queued', 'processing')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
        status as Status,
        failure.code,
        failure.message,
    )
    .execute(db)
    .await?;
    Ok(())
}
