//! Stored bytes: removal of failed versions' content, and counting of sources not yet counted by triggers.

use std::time::Duration;

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::ids::{SourceId, TenantId};
use crate::knowledge::crawl::{Cause, CrawlSite};
use crate::platform::db::interval;

/// A version that failed, was cancelled, or was replaced before it became live.
pub(in crate::knowledge) struct FailedVersion {
    pub(in crate::knowledge) tenant: TenantId,
    pub(in crate::knowledge) source: SourceId,
    pub(in crate::knowledge) version: i32,
    pub(in crate::knowledge) blob_key: Option<String>,
}

/// Locks a source until the transaction ends, as the counting triggers do. Readers and inserts of pages do not wait.
pub(in crate::knowledge) async fn hold_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select 1 as "one!" from source where tenant_id = $1 and id = $2 for no key update"#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(())
}

/// Versions that are not live, of sources that failed with another code than `except` and have not changed for `kept`.
pub(in crate::knowledge) async fn list_failed_versions(
    db: impl PgExecutor<'_>,
    kept: Duration,
    except: &str,
    limit: i64,
) -> sqlx::Result<Vec<FailedVersion>> {
    sqlx::query_as!(
        FailedVersion,
        r#"
        select source.tenant_id as "tenant: TenantId", source_id as "source: SourceId",
            source_version.version, blob_key
        from source
        join source_version on source_id = source.id
        where source.deleted_at is null and status in ('failed', 'cancelled')
            and source.updated_at < now() - $1::interval and error_code is distinct from $2
            and source_version.version is distinct from live_version and removed_at is null
        limit $3
        "#,
        interval(kept),
        except,
        limit,
    )
    .fetch_all(db)
    .await
}

/// Removes the text of a version and of its pages, and adds a note, unless the version is being retried.
pub(in crate::knowledge) async fn clear_version(
    db: impl PgExecutor<'_>,
    failed: &FailedVersion,
    note: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        with failed as materialized (
            select id from source
            where tenant_id = $1 and id = $2 and status in ('failed', 'cancelled')
                and live_version is distinct from $3
            for no key update
        ),
        cleared as (
            update source_version
            set blob_key = null, content = null, removed_at = now(), notes = array_append(notes, $4)
            from failed
            where tenant_id = $1 and source_id = failed.id and version = $3 and removed_at is null
            returning 1
        ),
        pages as (
            update source_page
            set content = null
            from failed
            where tenant_id = $1 and source_id = failed.id and version = $3 and content is not null
        )
        select exists (select 1 from cleared) as "cleared!"
        "#,
        failed.tenant.uuid(),
        failed.source.uuid(),
        failed.version,
        note,
    )
    .fetch_one(db)
    .await
}

/// Whether the file and the text of a version were removed.
pub(in crate::knowledge) async fn is_removed(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"
        select 1 as "one!"
        from source_version
        where tenant_id = $1 and source_id = $2 and version = $3 and removed_at is not null
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Ends the queued pages of a crawl with a cause.
pub(in crate::knowledge) async fn skip_queued_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    cause: &Cause,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set state = 'skipped', reason = $4, message = $5
        where tenant_id = $1 and source_id = $2 and version = $3 and state = 'queued'
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        cause.reason,
        cause.message,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a page of a crawl ended for this reason.
pub(in crate::knowledge) async fn has_page_with(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    reason: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from source_page
            where tenant_id = $1 and source_id = $2 and version = $3 and reason = $4
        ) as "exists!"
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        reason,
    )
    .fetch_one(db)
    .await
}

/// Adds a note to a version.
pub(in crate::knowledge) async fn add_note(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    note: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_version
        set notes = array_append(notes, $4)
        where tenant_id = $1 and source_id = $2 and version = $3
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        note,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A tenant with sources whose bytes are not counted.
pub(in crate::knowledge) async fn find_uncounted_tenant(
    db: impl PgExecutor<'_>,
) -> sqlx::Result<Option<TenantId>> {
    sqlx::query_scalar!(
        r#"select tenant_id as "tenant: TenantId" from source where stored_bytes is null limit 1"#,
    )
    .fetch_optional(db)
    .await
}

/// Locks sources whose bytes are not counted until the transaction ends, oldest first.
pub(in crate::knowledge) async fn lock_uncounted(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"
        select id from source
        where tenant_id = $1 and stored_bytes is null
        order by id
        limit $2
        for no key update
        "#,
        tenant.uuid(),
        limit,
    )
    .fetch_all(db)
    .await
}

/// Sets the sizes of originals from before sizes were stored per version. Of replaced versions, only the newest one's
/// size is known.
pub(in crate::knowledge) async fn set_original_bytes(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    sources: &[Uuid],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_version
        set original_bytes = size_bytes
        from source
        where source_version.tenant_id = $1 and source_id = any($2) and source.tenant_id = $1
            and source.id = source_id and blob_key is not null and original_bytes is null
        "#,
        tenant.uuid(),
        sources,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sums the stored bytes of sources.
pub(in crate::knowledge) async fn set_stored_bytes(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    sources: &[Uuid],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set stored_bytes = (
            select coalesce(sum(
                case when blob_key is null then 0 else coalesce(original_bytes, 0) end
                    + coalesce(octet_length(content), 0)
            ), 0)
            from source_version
            where source_version.tenant_id = $1 and source_id = source.id
        ) + (
            select coalesce(sum(octet_length(content)), 0)
            from source_page
            where source_page.tenant_id = $1 and source_id = source.id
        )
        where tenant_id = $1 and id = any($2)
        "#,
        tenant.uuid(),
        sources,
    )
    .execute(db)
    .await?;
    Ok(())
}
