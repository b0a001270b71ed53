//! A version of a source on its way, and at its end.

use sqlx::PgExecutor;

use crate::ids::{SourceId, TenantId};
use crate::jobs::{Failure, State};
use crate::knowledge::Status;

pub(in crate::knowledge) async fn find_file(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Option<String>> {
    let key = sqlx::query_scalar!(
        r#"
        select blob_key
        from source
        join source_version using (version)
        where source.tenant_id = $1 and id = $2 and version = $3 and source_id = id and deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .fetch_optional(db)
    .await?;
    Ok(key.flatten())
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
    content: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update source_version set content = $4 where tenant_id = $1 and source_id = $2 and version = $3",
        tenant.uuid(),
        source.uuid(),
        version,
        content,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The text and its media type.
pub(in crate::knowledge) async fn find_text(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Option<(String, Option<String>)>> {
    sqlx::query!(
        r#"
        select content as "content!", media_type
        from source
        join source_version using (version)
        where source.tenant_id = $1 and source.id = $2 and version = $3
            and source_version.source_id = source.id and deleted_at is null and content is not null
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .map(|row| (row.content, row.media_type))
    .fetch_optional(db)
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

/// The version is searched from the commit on, unless a newer one was begun.
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
        where tenant_id = $1 and id = $2 and version = $3
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
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
