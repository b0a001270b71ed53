//! Outcomes of crawled pages.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::ids::TenantId;
use crate::knowledge::chunk::Markup;
use crate::knowledge::crawl::{Cause, CrawlSite, Fetched, PageState, PageTask};
use crate::platform::db::interval;

/// URL of an already fetched page with one of these keys.
pub(in crate::knowledge) async fn find_duplicate_page(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    ordinal: i32,
    aliases: &[String],
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        select url from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal <> $4 and state = 'fetched'
            and key = any($5)
        order by ordinal
        limit 1
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        ordinal,
        aliases,
    )
    .fetch_optional(db)
    .await
}

/// URL of an already fetched page with the same text.
pub(in crate::knowledge) async fn find_same_text(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    ordinal: i32,
    hash: &[u8],
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        select url from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal <> $4 and state = 'fetched'
            and content_hash = $5
        order by ordinal
        limit 1
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        ordinal,
        hash,
    )
    .fetch_optional(db)
    .await
}

/// URLs and texts of fetched pages that have the same title as a page and a common canonical URL: its
/// canonical page, pages whose canonical page it is, and pages with the same canonical page.
pub(in crate::knowledge) async fn list_canonical_texts(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    ordinal: i32,
    page: &Fetched,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query!(
        r#"
        select url, content as "content!" from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal <> $4 and state = 'fetched'
            and content is not null and (key = $5 or canonical = $5 or canonical = any($6))
            and title is not distinct from $7
        order by ordinal
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        ordinal,
        page.canonical,
        &page.aliases,
        page.title,
    )
    .map(|row| (row.url, row.content))
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn keep_page(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    ordinal: i32,
    page: &Fetched,
    hash: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set state = 'fetched', attempt = attempt + 1, reason = null, message = null, http_status = $5,
            bytes = $6, title = $7, content = $8, content_hash = $9, url = $10, canonical = $11, markup = $12,
            fetched_at = now()
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal = $4
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        ordinal,
        page.http_status,
        page.bytes,
        page.title,
        page.text,
        hash,
        page.url,
        page.canonical,
        page.markup as Markup,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Skips the queued aliases of a fetched page.
pub(in crate::knowledge) async fn skip_aliases(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    page: &PageTask,
    aliases: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set state = 'skipped', reason = 'duplicate', message = 'The same page was read at ' || $6 || '.'
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal <> $4 and key = any($5)
            and state = 'queued'
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        page.ordinal,
        aliases,
        page.url.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn settle_page(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    ordinal: i32,
    state: PageState,
    cause: &Cause,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set state = $5, attempt = attempt + 1, reason = $6, message = $7, http_status = $8
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal = $4
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        ordinal,
        state as PageState,
        cause.reason,
        cause.message,
        cause.http_status,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn postpone_page(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    ordinal: i32,
    after: Duration,
    cause: &Cause,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set attempt = attempt + 1, not_before = now() + $5::interval, reason = $6, message = $7,
            http_status = $8
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal = $4
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        ordinal,
        interval(after),
        cause.reason,
        cause.message,
        cause.http_status,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Closes the remaining queued pages: they failed with `failure`, or are skipped because `max_pages` is reached.
pub(in crate::knowledge) async fn close_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    failure: Option<&Cause>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set state = case when $4::text is null then 'skipped' else 'failed' end,
            reason = coalesce($4, 'max_pages'),
            message = coalesce($5::text, 'As many pages were read as the source may have.')
        where tenant_id = $1 and source_id = $2 and version = $3 and state = 'queued'
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        failure.map(|cause| &*cause.reason),
        failure.map(|cause| &*cause.message),
    )
    .execute(db)
    .await?;
    Ok(())
}
