//! Crawl state: one row per page of a web site, the unit of progress, retry and takeover.
//!
//! Decides which page is next and records outcomes. Workers do the fetching, through `parlance-crawl`. Every
//! write is guarded by the job's lease.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::store;
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{SourceId, TenantId};
use crate::jobs::{self, Claim, Job, Kind};
use crate::page::{Page, PageRequest};

mod order;
mod page;
mod repeated;
mod sameness;
mod settlement;

pub(in crate::knowledge) use order::KnownPage;
pub use page::{Cause, Fetched, Link, Outcome, PageState, PageTask, SitePage, Tally};
pub use settlement::{Ended, Settled, settle, settle_page};

/// Known pages per page of the limit: skipped pages do not count towards the limit, so a crawl needs more.
const KNOWN_PER_PAGE: i32 = 10;

/// Attempts before a page counts as failed.
pub const PAGE_ATTEMPTS: i32 = 3;

/// Time limit of one crawl attempt, after which the remaining pages fail. Time without a worker does not
/// count.
pub const CRAWL_TIME: Duration = Duration::from_secs(10 * 60);

/// Turns a web site into text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CrawlSite {
    /// The source.
    pub source: SourceId,
    /// The version being built.
    pub version: i32,
}

impl Job for CrawlSite {
    const KIND: Kind = Kind::Scrape;
}

/// A crawl in progress.
#[derive(Clone, Debug)]
pub struct Crawl {
    /// Start URL.
    pub url: Url,
    /// URL of the first page after redirects, once fetched. Pages below it belong to the site.
    pub root: Url,
    /// Whether pages below the root are crawled.
    pub include_subpages: bool,
    /// Page limit.
    pub max_pages: i32,
}

/// Next step of a crawl.
#[derive(Clone, Debug)]
pub enum Next {
    /// Fetch this page.
    Visit(PageTask),
    /// Wait this long for a page's retry.
    Wait(Duration),
    /// Finished: all pages have an outcome, or the page limit is reached.
    Done,
}

/// A page of the crawled pages of a source's newest version, in order of discovery.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn list_pages(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    page: PageRequest,
) -> Result<Page<SitePage>> {
    let db = ctx.db().reading(tenant);
    let total = store::count_pages(db, tenant, source).await?.ok_or(Error::NotFound(Thing::Source))?;
    let pages = store::list_pages(db, tenant, source, page).await?;
    Ok(Page::new(page, pages, total))
}

/// Starts or resumes the crawl of a version. Its first page is the start URL.
///
/// # Errors
/// [`Error::Cancelled`] when the source was deleted or the version replaced; [`Error::LeaseLost`].
pub async fn begin(
    ctx: &Context,
    claim: &Claim,
    job: &CrawlSite,
    key: impl Fn(&Url) -> String,
) -> Result<Crawl> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    let site = store::find_site(&mut **tx, tenant, job.source, job.version).await?.ok_or(Error::Cancelled)?;
    let parse =
        |raw: &str| raw.parse::<Url>().map_err(|error| Error::internal("invalid URL of a site", error));
    let url = parse(&site.url)?;
    store::set_processing(&mut **tx, tenant, job.source, job.version).await?;
    let root = [Link { key: key(&url), url: url.to_string() }];
    store::insert_pages(&mut **tx, tenant, job, &root, 1).await?;
    let root = store::find_root(&mut **tx, tenant, job).await?;
    tx.commit().await?;
    let root = parse(&root)?;
    Ok(Crawl { url, root, include_subpages: site.include_subpages, max_pages: site.max_pages })
}

/// Marks the pages listed in the site map. Unknown pages are added only if `all` is set or the list fits the
/// page limit; otherwise only pages linked from a page are marked.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now.
pub async fn add_listed(
    ctx: &Context,
    claim: &Claim,
    job: &CrawlSite,
    crawl: &Crawl,
    links: &[Link],
    all: bool,
) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    let keys: Vec<String> = links.iter().map(|link| link.key.clone()).collect();
    if all || links.len() <= usize::try_from(crawl.max_pages).unwrap_or(1) {
        // Reserves room for the listed pages besides many links.
        let max_known = crawl.max_pages * (KNOWN_PER_PAGE + 1);
        store::insert_pages(&mut **tx, tenant, job, links, max_known).await?;
    }
    store::mark_listed(&mut **tx, tenant, job, &keys).await?;
    Ok(tx.commit().await?)
}

/// Next step and progress of a crawl.
///
/// # Errors
/// [`Error::Cancelled`] when the source was deleted or the version replaced.
pub async fn next(ctx: &Context, tenant: TenantId, job: &CrawlSite, crawl: &Crawl) -> Result<(Next, Tally)> {
    let db = ctx.db().reading(tenant);
    if !store::is_wanted(db, tenant, job.source, job.version).await? {
        return Err(Error::Cancelled);
    }
    let pages = store::list_known_pages(db, tenant, job).await?;
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let tally = Tally {
        done: count(pages.iter().filter(|page| page.state != PageState::Queued).count()),
        known: count(pages.len()),
        has_room: order::has_room(&pages, crawl.max_pages),
    };
    let next = match order::next(&pages).filter(|_| tally.has_room) {
        Some(page) if page.wait <= 0.0 => Next::Visit(PageTask {
            ordinal: page.ordinal,
            url: page.url.parse().map_err(|error| Error::internal("invalid URL of a page", error))?,
            attempt: page.attempt,
        }),
        Some(page) => Next::Wait(Duration::try_from_secs_f64(page.wait).unwrap_or(CRAWL_TIME)),
        None => Next::Done,
    };
    Ok((next, tally))
}
