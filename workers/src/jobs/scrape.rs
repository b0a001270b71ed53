//! Job `scrape`: crawls a web site page by page and extracts its text.
//!
//! The page table holds the remaining work, so a retried crawl continues where the previous attempt ended.

use std::time::Duration;

use parlance_core::knowledge::crawl::{self, Crawl, CrawlSite, Link, Next, Tally};
use parlance_core::{Error, Result};
use parlance_crawl::{scope, sitemap};
use url::Url;

use crate::running_job::Run;

mod site;
mod visit;

use site::Site;

/// Delay between two requests to a site without its own crawl delay.
const DEFAULT_DELAY: Duration = Duration::from_millis(100);

pub(super) async fn run(run: &Run, job: CrawlSite) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let crawl = crawl::begin(ctx, claim, &job, scope::key).await?;
    let pages = tokio::time::timeout(crawl::CRAWL_TIME, crawl_pages(run, &job, &crawl));
    let crawled = run.stop().run_until_cancelled(pages).await.ok_or(Error::Cancelled)?;
    let timed_out = match crawled {
        Ok(result) => {
            result?;
            false
        }
        Err(_elapsed) => true,
    };
    crawl::settle(ctx, claim, &job, timed_out).await
}

/// Crawls pages until none are left or the limit is reached.
async fn crawl_pages(run: &Run, job: &CrawlSite, crawl: &Crawl) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let mut site = Site::new(crawl);
    let mut sitemap_read = !crawl.include_subpages;
    let mut requested = false;
    loop {
        let (next, tally) = crawl::next(ctx, claim.about.tenant, job, crawl).await?;
        report(run, crawl, tally);
        match next {
            Next::Visit(page) => {
                if std::mem::replace(&mut requested, true) {
                    tokio::time::sleep(site.delay(&page.url).unwrap_or(DEFAULT_DELAY)).await;
                }
                let outcome = visit::visit(ctx, run.stop(), &mut site, &page).await?;
                crawl::settle_page(ctx, claim, job, crawl, &page, &outcome).await?;
            }
            Next::Wait(pause) => tokio::time::sleep(pause).await,
            // Links come before sitemap pages: they indicate best which pages belong to the site.
            Next::Done if !sitemap_read && tally.known < i64::from(crawl.max_pages) => {
                sitemap_read = true;
                let links = sitemap_pages(run, &mut site, crawl).await;
                crawl::add_pages(ctx, claim, job, crawl, &links).await?;
            }
            Next::Done => return Ok(()),
        }
    }
}

async fn sitemap_pages(run: &Run, site: &mut Site, crawl: &Crawl) -> Vec<Link> {
    let fetcher = run.ctx().fetcher();
    let limit = usize::try_from(crawl.max_pages).unwrap_or(1);
    // Without readable rules, the sitemap is not requested either.
    let Ok(robots) = site.robots(fetcher, &crawl.url).await.cloned() else { return Vec::new() };
    let pages = sitemap::discover(fetcher, &robots, &crawl.url, site.scope(), limit).await;
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
