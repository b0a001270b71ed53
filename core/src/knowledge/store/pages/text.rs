//! Crawl results: page texts and offsets, and requeueing of failed pages.

use sqlx::PgExecutor;

use crate::ids::{SourceId, TenantId};
use crate::knowledge::chunk::Markup;
use crate::knowledge::crawl::{Cause, CrawlSite};

/// The text of a fetched page.
#[derive(Debug)]
pub(in crate::knowledge) struct PageText {
    pub(in crate::knowledge) ordinal: i32,
    pub(in crate::knowledge) text: String,
    pub(in crate::knowledge) markup: Markup,
}

/// Texts of the fetched pages, in order.
pub(in crate::knowledge) async fn list_page_texts(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> sqlx::Result<Vec<PageText>> {
    sqlx::query_as!(
        PageText,
        r#"
        select ordinal, content as "text!", coalesce(markup, 'markdown') as "markup!: Markup"
        from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and state = 'fetched'
        order by ordinal
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
    )
    .fetch_all(db)
    .await
}

/// Cause of the first page that was not fetched.
pub(in crate::knowledge) async fn find_first_cause(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> sqlx::Result<Option<Cause>> {
    sqlx::query_as!(
        Cause,
        r#"
        select reason as "reason!", message as "message!", http_status
        from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and reason is not null
        order by ordinal
        limit 1
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
    )
    .fetch_optional(db)
    .await
}

/// Stores the text offset of each page and clears the page texts, which the version's text replaces.
pub(in crate::knowledge) async fn set_page_starts(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    starts: &[(i32, i32)],
) -> sqlx::Result<()> {
    let (ordinals, starts): (Vec<i32>, Vec<i32>) = starts.iter().copied().unzip();
    sqlx::query!(
        r#"
        update source_page
        set start_at = begins.start_at, content = null
        from unnest($4::integer[], $5::integer[]) as begins (ordinal, start_at)
        where tenant_id = $1 and source_id = $2 and version = $3 and source_page.ordinal = begins.ordinal
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        &ordinals,
        &starts,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::knowledge) async fn set_site_text(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    text: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_version
        set content = $4, markup = 'markdown'
        where tenant_id = $1 and source_id = $2 and version = $3
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        text,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Requeues the failed pages, and those skipped for `max_pages` or the plan, when a crawl is retried.
pub(in crate::knowledge) async fn requeue_failed_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set state = 'queued', attempt = 0, not_before = now(), reason = null, message = null
        where tenant_id = $1 and source_id = $2 and version = $3
            and (state = 'failed' or (state = 'skipped' and reason in ('max_pages', 'plan_limit_storage')))
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}
