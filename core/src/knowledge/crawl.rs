//! Crawl: the ledger of a web site's pages. Each page is a row, and so the unit of progress, of retry and of
//! what is left to do when a crawl is taken over.
//!
//! Decides which page is next and what became of one; fetching is the worker's, through the one door
//! (`parlance-crawl`). Every write is guarded by the job's lease.

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

/// Pages that a crawl may remember for each that it may read: what it skips costs it nothing.
const REMEMBERED_PER_PAGE: i32 = 10;

/// How often a page is tried before it counts as failed.
pub const PAGE_ATTEMPTS: i32 = 3;

/// How long one try of a crawl may take; what is left then fails. Time without a worker does not count.
pub const CRAWL_TIME: Duration = Duration::from_secs(10 * 60);

/// Turns a web site into text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CrawlSite {
    /// The source.
    pub source: SourceId,
    /// The version to make.
    pub version: i32,
}

impl Job for CrawlSite {
    const KIND: Kind = Kind::Scrape;
}

/// What is to be crawled.
#[derive(Clone, Debug)]
pub struct Crawl {
    /// Where it begins.
    pub url: Url,
    /// Where its first page really is, once that was read: what belongs to the site is below.
    pub root: Url,
    /// Whether pages below it are read too.
    pub include_subpages: bool,
    /// Pages at most.
    pub max_pages: i32,
}

/// What a crawl does next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Read this page.
    Visit(PageTask),
    /// A page is to be tried again, not before this long.
    Wait(Duration),
    /// Nothing: every page has its outcome, or as many were read as may be.
    Done,
}

/// The pages of a crawl, in the order in which they were found: those of the newest version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn list_pages(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    page: PageRequest,
) -> Result<Page<SitePage>> {
    let mut db = ctx.db().of(tenant).await?;
    let total = store::count_pages(&mut *db, tenant, source).await?.ok_or(Error::NotFound(Thing::Source))?;
    let pages = store::list_pages(&mut *db, tenant, source, page).await?;
    Ok(Page::new(page, pages, total))
}

/// The crawl of a version, while it is wanted. Its first page is its address.
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
    let parse = |raw: &str| {
        raw.parse::<Url>().map_err(|error| Error::internal("the address of a site is none", error))
    };
    let url = parse(&site.url)?;
    store::set_processing(&mut *tx, tenant, job.source, job.version).await?;
    let root = [Link { key: key(&url), url: url.to_string() }];
    store::insert_pages(&mut *tx, tenant, job, &root, 1).await?;
    let root = store::find_root(&mut *tx, tenant, job).await?;
    tx.commit().await?;
    let root = parse(&root)?;
    Ok(Crawl { url, root, include_subpages: site.include_subpages, max_pages: site.max_pages })
}

/// Remembers pages that were found otherwise than by a link: in a sitemap.
///
/// # Errors
/// [`Error::LeaseLost`] when the job is another's now.
pub async fn remember(
    ctx: &Context,
    claim: &Claim,
    job: &CrawlSite,
    crawl: &Crawl,
    links: &[Link],
) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    store::insert_pages(&mut *tx, tenant, job, links, crawl.max_pages * REMEMBERED_PER_PAGE).await?;
    Ok(tx.commit().await?)
}

/// What a crawl does next, and how far it is.
///
/// # Errors
/// [`Error::Cancelled`] when the source was deleted or the version replaced.
pub async fn next(ctx: &Context, tenant: TenantId, job: &CrawlSite, crawl: &Crawl) -> Result<(Next, Tally)> {
    let mut db = ctx.db().of(tenant).await?;
    if !store::is_wanted(&mut *db, tenant, job.source, job.version).await? {
        return Err(Error::Cancelled);
    }
    let found = store::find_next_page(&mut *db, tenant, job).await?;
    let tally = Tally { done: found.done, known: found.known };
    let next = match found.page {
        Some(page) if found.counted < i64::from(crawl.max_pages) => match page.wait {
            None => Next::Visit(PageTask {
                ordinal: page.ordinal,
                url: page.url.parse().map_err(|error| Error::internal("a page's address is none", error))?,
                attempt: page.attempt,
            }),
            Some(wait) => Next::Wait(wait),
        },
        _ => Next::Done,
    };
    Ok((next, tally))
}

/// Writes down what became of a page.
///
/// # Errors
/// [`Error::LeaseLost`] when the job is another's now.
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
            match store::find_twin(&mut *tx, tenant, job, page.ordinal, &hash, &fetched.aliases).await? {
                Some(twin) => {
                    let message = format!("The same page was read at {twin}.");
                    let cause = Cause::new("duplicate", message);
                    store::settle_page(&mut *tx, tenant, job, page.ordinal, PageState::Skipped, &cause)
                        .await?;
                }
                None => {
                    store::keep_page(&mut *tx, tenant, job, page.ordinal, fetched, &hash).await?;
                    store::skip_aliases(&mut *tx, tenant, job, page, &fetched.aliases).await?;
                }
            }
            // Also a twin may link to what its other self does not.
            let most = crawl.max_pages * REMEMBERED_PER_PAGE;
            store::insert_pages(&mut *tx, tenant, job, &fetched.links, most).await?;
        }
        Outcome::Skipped(cause) => {
            store::settle_page(&mut *tx, tenant, job, page.ordinal, PageState::Skipped, cause).await?;
        }
        Outcome::Failed(cause) => {
            store::settle_page(&mut *tx, tenant, job, page.ordinal, PageState::Failed, cause).await?;
        }
        Outcome::Again(after, cause) => {
            store::postpone_page(&mut *tx, tenant, job, page.ordinal, *after, cause).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Settles a crawl: the text of its pages is kept, page after page, and will be split. `late`: its time is
/// over.
///
/// # Errors
/// [`Error::LeaseLost`] when the job is another's now; [`Error::Rejected`] when no page was read, with the
/// cause of the first.
pub async fn settle(ctx: &Context, claim: &Claim, job: &CrawlSite, late: bool) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    store::close_pages(&mut *tx, tenant, job, late).await?;
    let pages = store::list_page_texts(&mut *tx, tenant, job).await?;
    if pages.is_empty() {
        let first = store::find_first_cause(&mut *tx, tenant, job).await?;
        // What became of each page is worth keeping, though nothing comes of the crawl.
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

/// The texts, with a blank line between two, and where each begins, in characters.
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
    fn the_texts_of_pages_are_joined_and_each_is_found_where_it_begins() {
        let (text, starts) = joined(vec![(1, "Größe".into()), (4, "zwei".into())]);
        assert_eq!(text, "Größe\n\nzwei");
        assert_eq!(starts, [(1, 0), (4, 7)]);
        assert_eq!(text.chars().skip(7).collect::<String>(), "zwei");
    }

    #[test]
    fn a_crawl_without_a_page_says_why_by_its_first() {
        let code = |reason: &str| match failed(Some(Cause::new(reason, "So it is."))) {
            Error::Rejected { code, message } => (code, message),
            other => panic!("{other:?}"),
        };
        assert_eq!(code("blocked_by_site").0, "blocked_by_site");
        assert_eq!(code("http_404"), ("unreachable", "No page could be read. So it is.".to_owned()));
    }
}
