//! Crawl frontier: pages still to be fetched.

use sqlx::PgExecutor;

use crate::ids::{SourceId, TenantId};
use crate::knowledge::crawl::{CrawlSite, KnownPage, Link, PageState};

/// The web site of a crawl.
pub(in crate::knowledge) struct Site {
    pub(in crate::knowledge) url: String,
    pub(in crate::knowledge) include_subpages: bool,
    pub(in crate::knowledge) max_pages: i32,
}

pub(in crate::knowledge) async fn find_site(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Option<Site>> {
    sqlx::query_as!(
        Site,
        r#"
        select url as "url!", include_subpages, coalesce(max_pages, 1) as "max_pages!"
        from source
        where tenant_id = $1 and id = $2 and version = $3 and deleted_at is null and url is not null
            and status in ('queued', 'processing')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .fetch_optional(db)
    .await
}

/// Inserts new pages, in order, up to `max_known` in total. Returns the number inserted.
pub(in crate::knowledge) async fn insert_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    links: &[Link],
    max_known: i32,
) -> sqlx::Result<u64> {
    let urls: Vec<String> = links.iter().map(|link| link.url.clone()).collect();
    let keys: Vec<String> = links.iter().map(|link| link.key.clone()).collect();
    let inserted = sqlx::query!(
        r#"
        with known as (
            select coalesce(max(ordinal), 0) as pages
            from source_page
            where tenant_id = $1 and source_id = $2 and version = $3
        ),
        fresh as (
            select url, key, row_number() over (order by place) as number
            from (
                select distinct on (key) url, key, place
                from unnest($4::text[], $5::text[]) with ordinality as link (url, key, place)
                order by key, place
            ) as once
            where not exists (
                select 1 from source_page
                where tenant_id = $1 and source_id = $2 and version = $3 and source_page.key = once.key
            )
        )
        insert into source_page (source_id, version, tenant_id, ordinal, url, key)
        select $2, $3, $1, pages + number, url, key
        from fresh, known
        where pages + number <= $6
        order by number
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        &urls,
        &keys,
        i64::from(max_known),
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected())
}

/// URL of the first page.
pub(in crate::knowledge) async fn find_root(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> sqlx::Result<String> {
    sqlx::query_scalar!(
        r#"
        select url from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal = 1
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
    )
    .fetch_one(db)
    .await
}

/// All pages of a crawl, in order of discovery.
pub(in crate::knowledge) async fn list_known_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> sqlx::Result<Vec<KnownPage>> {
    sqlx::query_as!(
        KnownPage,
        r#"
        select ordinal, url, key, attempt, state as "state: PageState", http_status, listed,
            extract(epoch from not_before - now())::float8 as "wait!"
        from source_page
        where tenant_id = $1 and source_id = $2 and version = $3
        order by ordinal
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
    )
    .fetch_all(db)
    .await
}

/// Marks these pages as listed in the site map.
pub(in crate::knowledge) async fn mark_listed(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    keys: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page set listed = true
        where tenant_id = $1 and source_id = $2 and version = $3 and key = any($4) and not listed
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        keys,
    )
    .execute(db)
    .await?;
    Ok(())
}
