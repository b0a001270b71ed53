//! Crawl state: one row per page of a web site, the unit of progress, retry and takeover.
//!
//! Decides which page is next and records outcomes. Workers do the fetching, through `parlance-crawl`. Every
//! write is guarded by the job's lease.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::ingest::following;
use super::store;
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{SourceId, TenantId};
use crate::jobs::{self, Claim, Job, Kind, State};
use crate::knowledge::ingest::ChunkText;
use crate::page::{Page, PageRequest};

mod page;

pub use page::{Cause, Fetched, Link, Outcome, PageState, PageTask, SitePage, Tally};

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
    let mut db = ctx.db().for_tenant(tenant).await?;
    let total = store::count_pages(&mut *db, tenant, source).await?.ok_or(Error::NotFound(Thing::Source))?;
    let pages = store::list_pages(&mut *db, tenant, source, page).await?;
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
    let site = store::find_site(&mut *tx, tenant, job.source, job.version).await?.ok_or(Error::Cancelled)?;
    let parse =
        |raw: &str| raw.parse::<Url>().map_err(|error| Error::internal("invalid URL of a site", error));
    let url = parse(&site.url)?;
    store::set_processing(&mut *tx, tenant, job.source, job.version).await?;
    let root = [Link { key: key(&url), url: url.to_string() }];
    store::insert_pages(&mut *tx, tenant, job, &root, 1).await?;
    let root = store::find_root(&mut *tx, tenant, job).await?;
    tx.commit().await?;
    let root = parse(&root)?;
    Ok(Crawl { url, root, include_subpages: site.include_subpages, max_pages: site.max_pages })
}

/// Adds pages found in a sitemap rather than by a link.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now.
pub async fn add_pages(
    ctx: &Context,
    claim: &Claim,
    job: &CrawlSite,
    crawl: &Crawl,
    links: &[Link],
) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    store::insert_pages(&mut *tx, tenant, job, links, crawl.max_pages * KNOWN_PER_PAGE).await?;
    Ok(tx.commit().await?)
}

/// Next step and progress of a crawl.
///
/// # Errors
/// [`Error::Cancelled`] when the source was deleted or the version replaced.
pub async fn next(ctx: &Context, tenant: TenantId, job: &CrawlSite, crawl: &Crawl) -> Result<(Next, Tally)> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    if !store::is_wanted(&mut *db, tenant, job.source, job.version).await? {
        return Err(Error::Cancelled);
    }
    let found = store::find_next_page(&mut *db, tenant, job).await?;
    let tally = Tally { done: found.done, known: found.known };
    let next = match found.page {
        Some(page) if found.counted < i64::from(crawl.max_pages) => match page.wait {
            None => Next::Visit(PageTask {
                ordinal: page.ordinal,
                url: page.url.parse().map_err(|error| Error::internal("invalid URL of a page", error))?,
                attempt: page.attempt,
            }),
            Some(wait) => Next::Wait(wait),
        },
        _ => Next::Done,
    };
    Ok((next, tally))
}

/// Records the outcome of a page.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now.
pub async fn settle_page(
    ctx: &Context,
    claim: &Claim,
    job: &CrawlSite,
    crawl: &Crawl,
    page: &PageTask,
    outcome: &Outcome,
) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    match outcome {
        Outcome::Fetched(fetched) => {
            let hash = Sha256::digest(&fetched.text);
            let duplicate =
                store::find_duplicate_page(&mut *tx, tenant, job, page.ordinal, &hash, &fetched.aliases);
            match duplicate.await? {
                Some(url) => {
                    let message = format!("The same page was read at {url}.");
                    let cause = Cause::new("duplicate", message);
                    store::settle_page(&mut *tx, tenant, job, page.ordinal, PageState::Skipped, &cause)
                        .await?;
                }
                None => {
                    store::keep_page(&mut *tx, tenant, job, page.ordinal, fetched, &hash).await?;
                    store::skip_aliases(&mut *tx, tenant, job, page, &fetched.aliases).await?;
                }
            }
            // Even a duplicate may contain other links.
            let max_known = crawl.max_pages * KNOWN_PER_PAGE;
            store::insert_pages(&mut *tx, tenant, job, &fetched.links, max_known).await?;
        }
        Outcome::Skipped(cause) => {
            store::settle_page(&mut *tx, tenant, job, page.ordinal, PageState::Skipped, cause).await?;
        }
        Outcome::Failed(cause) => {
            store::settle_page(&mut *tx, tenant, job, page.ordinal, PageState::Failed, cause).await?;
        }
        Outcome::RetryLater(after, cause) => {
            store::postpone_page(&mut *tx, tenant, job, page.ordinal, *after, cause).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Completes a crawl: joins the page texts and enqueues chunking. `late` means the time limit was reached.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now; [`Error::Rejected`] when no page was fetched,
/// with the cause of the first.
pub async fn settle(ctx: &Context, claim: &Claim, job: &CrawlSite, late: bool) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    store::close_pages(&mut *tx, tenant, job, late).await?;
    let pages = store::list_page_texts(&mut *tx, tenant, job).await?;
    if pages.is_empty() {
        let first = store::find_first_cause(&mut *tx, tenant, job).await?;
        // Keep the page outcomes even though the crawl failed.
        tx.commit().await?;
        return Err(failed(first));
    }
    let (text, starts) = joined(pages);
    jobs::succeed(&mut tx, claim).await?;
    store::set_page_starts(&mut *tx, tenant, job, &starts).await?;
    store::set_site_text(&mut *tx, tenant, job, &text).await?;
    let next = ChunkText { source: job.source, version: job.version };
    jobs::enqueue(ctx, &mut tx, following(claim), &next).await?;
    tx.commit().await?;
    jobs::announce(ctx, claim, State::Succeeded);
    jobs::dispatch::nudge(ctx, Kind::Chunk);
    Ok(())
}

/// Joins the texts with blank lines. Returns the text and each page's start offset in characters.
fn joined(pages: Vec<(i32, String)>) -> (String, Vec<(i32, i32)>) {
    let (mut text, mut starts, mut characters) = (String::new(), Vec::new(), 0_usize);
    for (ordinal, page) in pages {
        if !text.is_empty() {
            text.push_str("\n\n");
            characters += 2;
        }
        starts.push((ordinal, i32::try_from(characters).unwrap_or(i32::MAX)));
        characters += page.chars().count();
        text.push_str(&page);
    }
    (text, starts)
}

fn failed(first: Option<Cause>) -> Error {
    let Some(cause) = first else {
        return Error::rejected("no_pages", "No page could be read.");
    };
    let code = match cause.reason.as_str() {
        "robots" => "robots",
        "blocked_by_site" => "blocked_by_site",
        "address_refused" => "address_refused",
        "timeout" | "crawl_timeout" => "timeout",
        "empty" => "empty",
        "unsupported_type" => "unsupported_type",
        _ => "unreachable",
    };
    Error::rejected(code, format!("No page could be read. {}", cause.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_texts_are_joined_with_their_offsets() {
        let (text, starts) = joined(vec![(1, "Größe".into()), (4, "zwei".into())]);
        assert_eq!(text, "Größe\n\nzwei");
        assert_eq!(starts, [(1, 0), (4, 7)]);
        assert_eq!(text.chars().skip(7).collect::<String>(), "zwei");
    }

    #[test]
    fn an_empty_crawl_reports_the_first_pages_cause() {
        let code = |reason: &str| match failed(Some(Cause::new(reason, "So it is."))) {
            Error::Rejected { code, message } => (code, message),
            other => panic!("{other:?}"),
        };
        assert_eq!(code("blocked_by_site").0, "blocked_by_site");
        assert_eq!(code("http_404"), ("unreachable", "No page could be read. So it is.".to_owned()));
    }
}
