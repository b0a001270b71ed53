//! Read queries for crawled pages.

use sqlx::PgExecutor;

use crate::ids::{SourceId, TenantId};
use crate::knowledge::crawl::{PageState, SitePage};
use crate::knowledge::scrape::FailedPage;
use crate::page::PageRequest;

/// `None` when there is no such source.
pub(in crate::knowledge) async fn count_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        select (
            select count(*) from source_page
            where source_page.source_id = source.id and source_page.version = source.version
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

/// One result page of crawled pages, with chunk counts.
pub(in crate::knowledge) async fn list_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    page: PageRequest,
) -> sqlx::Result<Vec<SitePage>> {
    sqlx::query_as!(
        SitePage,
        r#"
        select ordinal, page.url, title, state as "state: PageState", reason, message, http_status, bytes,
            (
                select count(*) from chunk
                where chunk.source_id = page.source_id and chunk.version = page.version
                    and chunk.page = page.ordinal
            ) as "chunks!",
            fetched_at
        from source_page as page
        join source on source.id = page.source_id and source.version = page.version
        where source.tenant_id = $1 and source.id = $2 and source.deleted_at is null
        order by ordinal
        limit $3 offset $4
        "#,
        tenant.uuid(),
        source.uuid(),
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await
}

/// Number of fetched pages of the newest version, and the failed ones.
pub(in crate::knowledge) async fn tally_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<(i64, Vec<FailedPage>)> {
    let rows = sqlx::query!(
        r#"
        select page.state as "state: PageState", page.url, reason, http_status
        from source_page as page
        join source on source.id = page.source_id and source.version = page.version
        where source.tenant_id = $1 and source.id = $2 and page.state in ('fetched', 'failed')
        order by ordinal
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_all(db)
    .await?;
    let (fetched, failed): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.state == PageState::Fetched);
    let failed = failed.into_iter().map(|row| FailedPage {
        url: row.url,
        reason: row.reason.unwrap_or_default(),
        http_status: row.http_status,
    });
    Ok((i64::try_from(fetched.len()).unwrap_or(i64::MAX), failed.collect()))
}
