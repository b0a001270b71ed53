//! Job `scrape`: crawls a web site page by page and extracts its text.
//!
//! The page table holds the remaining work, so a retried crawl continues where the previous attempt ended. Hundreds of
//! crawls run in a process, because a crawl mostly waits: for its host's turn, for a response, for a retry. It holds no
//! database connection and no working place meanwhile. Reading a page takes an extractor place, and rendering it a
//! browser place; tenants share both fairly.

use parlance_core::knowledge::crawl::{
    self, Crawl, CrawlSite, Ended, Link, Next, Outcome, PageTask, Settled, Tally,
};
use parlance_core::knowledge::ingest;
use parlance_core::{Error, Result};
use parlance_crawl::{scope, sitemap};
use url::Url;

use crate::running_job::Run;

mod failure;
mod frames;
mod host_pace;
mod page;
mod patience;
mod reading;
mod render;
mod site;
mod views;
mod visit;

use site::Site;
use views::Views;
use visit::{ROOT, Visitor};

/// Maximum number of pages read from the site maps, per page of the limit.
const LISTED_PER_PAGE: usize = 10;

pub(super) async fn run(run: &Run, job: CrawlSite) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let crawl = crawl::begin(ctx, claim, &job, scope::key).await?;
    let pages = tokio::time::timeout(crawl::CRAWL_TIME, Box::pin(crawl_pages(run, &job, &crawl)));
    let crawled = run.stop().run_until_cancelled(pages).await.ok_or(Error::Cancelled)?;
    let ended = match crawled {
        Ok(result) => result?,
        Err(_elapsed) => Ended::TimedOut,
    };
    crawl::settle(ctx, claim, &job, ended).await
}

/// Crawls pages until none are left, the limit is reached or the site proves too slow.
///
/// # Errors
/// [`Error::Cancelled`] between two pages when the process shuts down; other errors stop the crawl.
async fn crawl_pages(run: &Run, job: &CrawlSite, crawl: &Crawl) -> Result<Ended> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let mut site = Site::new(ctx, claim.about.tenant, crawl);
    let mut views = Views::default();
    let language = ingest::language(ctx, claim).await?;
    // Ends with this function, also when the crawl is stopped.
    let browser = ctx.browsers().map(|browsers| browsers.for_crawl(claim.about.tenant));
    let mut listed: Option<Vec<Link>> = None;
    let mut sitemap_added = !crawl.include_subpages;
    loop {
        let (next, tally) = crawl::next(ctx, claim.about.tenant, job, crawl).await?;
        report(run, crawl, tally);
        let is_crowded = tally.known > i64::from(crawl.max_pages);
        match next {
            // More links than pages to read: the site map sets their priority.
            Next::Visit(page) if !sitemap_added && is_crowded && listed.is_none() && page.ordinal != ROOT => {
                let links = sitemap_pages(run, &mut site, crawl).await;
                crawl::add_listed(ctx, claim, job, crawl, &links, false).await?;
                listed = Some(links);
            }
            Next::Visit(page) => {
                run.yield_to_shutdown()?;
                let outcome = match views.known(&page.url) {
                    Some(outcome) => outcome,
                    None => {
                        let (tenant, stop) = (claim.about.tenant, run.stop());
                        let (site, browser) = (&mut site, browser.as_ref());
                        let visitor = Visitor { ctx, tenant, stop, language, site, browser };
                        visit(visitor, &page).await?
                    }
                };
                let settled = crawl::settle_page(ctx, claim, job, crawl, &page, &outcome).await?;
                if settled == Settled::NoRoom {
                    return Ok(Ended::Complete);
                }
                views.learn(&page.url, &outcome, &settled);
                if site.patience().is_exhausted() {
                    return Ok(Ended::SiteTooSlow);
                }
            }
            Next::Wait(pause) => {
                run.leaving().run_until_cancelled(tokio::time::sleep(pause)).await;
                run.yield_to_shutdown()?;
            }
            // Links come before sitemap pages: they indicate best which pages belong to the site.
            Next::Done if !sitemap_added && tally.has_room => {
                sitemap_added = true;
                let mut links = match listed.take() {
                    Some(links) => links,
                    None => sitemap_pages(run, &mut site, crawl).await,
                };
                links.truncate(usize::try_from(crawl.max_pages).unwrap_or(1));
                crawl::add_listed(ctx, claim, job, crawl, &links, true).await?;
            }
            Next::Done => return Ok(Ended::Complete),
        }
    }
}

/// Visits a page. A page of a site that proves too slow is not retried.
async fn visit(mut visitor: Visitor<'_>, page: &PageTask) -> Result<Outcome> {
    if page.ordinal != ROOT {
        // The site has answered a page, perhaps in an earlier attempt.
        visitor.site.patience().has_page();
    }
    Ok(match visitor.visit(page).await? {
        Outcome::RetryLater(_, cause) if visitor.site.patience().is_exhausted() => Outcome::failed(cause),
        outcome => outcome,
    })
}

async fn sitemap_pages(run: &Run, site: &mut Site, crawl: &Crawl) -> Vec<Link> {
    let fetcher = run.ctx().fetcher();
    let limit = usize::try_from(crawl.max_pages).unwrap_or(1) * LISTED_PER_PAGE;
    // Without readable rules, the sitemap is not requested either.
    let root = site.root().clone();
    let Ok(robots) = site.robots(fetcher, &root).await.cloned() else { return Vec::new() };
    let pages = sitemap::discover(fetcher, site.pace(), &robots, &root, site.scope(), limit).await;
    pages.iter().map(link).collect()
}

fn link(url: &Url) -> Link {
    let url = scope::normalise(url);
    Link { key: scope::key(&url), url: url.into() }
}

fn report(run: &Run, crawl: &Crawl, tally: Tally) {
    let number = |count: i64| usize::try_from(count).unwrap_or(0);
    let max = usize::try_from(crawl.max_pages).unwrap_or(1);
    run.set_total(number(tally.known).min(max), "pages");
    run.progress_reporter()(number(tally.done).min(max));
}
