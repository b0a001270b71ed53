//! The ledger of a crawl.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::db::interval;
use crate::ids::{SourceId, TenantId};
use crate::knowledge::crawl::{Cause, CrawlSite, Fetched, Link, PageState, PageTask, SitePage};
use crate::knowledge::scrape::FailedPage;
use crate::page::PageRequest;

/// What is to be crawled.
pub(in crate::knowledge) struct Site {
    pub(in crate::knowledge) url: String,
    pub(in crate::knowledge) include_subpages: bool,
    pub(in crate::knowledge) max_pages: i32,
}

/// The next page, and how many there are.
pub(in crate::knowledge) struct Found {
    pub(in crate::knowledge) page: Option<Waiting>,
    /// Pages that count against the most that may be read.
    pub(in crate::knowledge) counted: i64,
    pub(in crate::knowledge) done: i64,
    pub(in crate::knowledge) known: i64,
}

pub(in crate::knowledge) struct Waiting {
    pub(in crate::knowledge) ordinal: i32,
    pub(in crate::knowledge) url: String,
    pub(in crate::knowledge) attempt: i32,
    /// How long it has to wait yet.
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

/// Adds pages that are not known, in order, while there are fewer than `most`; gives how many.
pub(in crate::knowledge) async fn insert_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    links: &[Link],
    most: i32,
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
        i64::from(most),
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected())
}

/// Where the first page is.
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

/// The page that waits for nothing, else the one that waits least.
pub(in crate::knowledge) async fn find_next_page(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> sqlx::Result<Found> {
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
    let page = row.ordinal.zip(row.url).zip(row.attempt).map(|((ordinal, url), attempt)| Waiting {
        ordinal,
        url,
        attempt,
        wait,
    });
    Ok(Found { page, counted: row.counted, done: row.done, known: row.known })
}

/// The address at which the same page was read: of the same content, or one of its other addresses.
pub(in crate::knowledge) async fn find_twin(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    ordinal: i32,
    hash: &[u8],
    aliases: &[String],
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        select url from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal <> $4 and state = 'fetched'
            and (content_hash = $5 or key = any($6))
        order by ordinal
        limit 1
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        ordinal,
        hash,
        aliases,
    )
    .fetch_optional(db)
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
            bytes = $6, title = $7, content = $8, content_hash = $9, url = $10, fetched_at = now()
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
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The other addresses of a page that was read need not be read.
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

/// Gives the pages that wait no more their outcome: there are enough, or it is too late.
pub(in crate::knowledge) async fn close_pages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    late: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source_page
        set state = case when $4 then 'failed' else 'skipped' end,
            reason = case when $4 then 'crawl_timeout' else 'max_pages' end,
            message = case when $4 then 'The crawl took too long; refresh the source to try again.'
                else 'As many pages were read as the source may have.' end
        where tenant_id = $1 and source_id = $2 and version = $3 and state = 'queued'
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
        late,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The texts that were read, in order.
pub(in crate::knowledge) async fn list_page_texts(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> sqlx::Result<Vec<(i32, String)>> {
    sqlx::query!(
        r#"
        select ordinal, content as "content!"
        from source_page
        where tenant_id = $1 and source_id = $2 and version = $3 and state = 'fetched'
        order by ordinal
        "#,
        tenant.uuid(),
        job.source.uuid(),
        job.version,
    )
    .map(|row| (row.ordinal, row.content))
    .fetch_all(db)
    .await
}

/// Why the first page was not read.
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

/// Where the text of each page begins; the text itself is the version's from here on.
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

/// Pages that failed are tried once more, with a crawl that is.
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
            and (state = 'failed' or (state = 'skipped' and reason = 'max_pages'))
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}

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

/// A page of the pages, with their chunks counted.
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

/// How many pages of the newest version were read, and which could not be.
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
