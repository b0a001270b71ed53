//! Crawl frontier: pages still to be fetched.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::ids::{SourceId, TenantId};
use crate::knowledge::crawl::{CrawlSite, Link};

/// The web site of a crawl.
pub(in crate::knowledge) struct Site {
    pub(in crate::knowledge) url: String,
    pub(in crate::knowledge) include_subpages: bool,
    pub(in crate::knowledge) max_pages: i32,
}

/// The next page to fetch, with counts.
pub(in crate::knowledge) struct NextPage {
    pub(in crate::knowledge) page: Option<QueuedPage>,
    /// Pages that count towards `max_pages`.
    pub(in crate::knowledge) counted: i64,
    pub(in crate::knowledge) done: i64,
    pub(in crate::knowledge) known: i64,
}

pub(in crate::knowledge) struct QueuedPage {
    pub(in crate::knowledge) ordinal: i32,
    pub(in crate::knowledge) url: String,
    pub(in crate::knowledge) attempt: i32,
    /// Remaining delay before the page may be fetched.
    pub(in crate::knowledge) wait: Option<Duration>,
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

/// The queued page that may be fetched first, with progress counts.
pub(in crate::knowledge) async fn find_next_page(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> sqlx::Result<NextPage> {
    let row = sqlx::query!(
        r#"
        with mine as (
            select ordinal, url, attempt, state, not_before from source_page
            where tenant_id = $1 and source_id = $2 and version = $3
        )
        select next.ordinal as "ordinal?", next.url as "url?", next.attempt as "attempt?",
            extract(epoch from next.not_before - now())::float8 as wait,
            counted as "counted!", done as "done!", known as "known!"
        from (
            select count(*) as known, count(*) filter (where state <> 'queued') as done,
                count(*) filter (where state in ('fetched', 'failed')) as counted
            from mine
        ) as counts
        left join lateral (
            select * from mine where state = 'queued'
            order by greatest(not_before, now()), ordinal
            limit 1
        ) as next on true
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
    )
    .fetch_one(db)
    .await?;
    let wait = row.wait.filter(|seconds| *seconds > 0.0).map(Duration::from_secs_f64);
    let page = row.ordinal.zip(row.url).zip(row.attempt).map(|((ordinal, url), attempt)| QueuedPage {
        ordinal,
        url,
        attempt,
        wait,
    });
    Ok(NextPage { page, counted: row.counted, done: row.done, known: row.known })
}
