//! `scrape`: crawls a web site and extracts its text, page by page.
//!
//! Progress is kept in the table of pages, so that a crawl continues where another worker left it.

use std::time::Duration;

use parlance_core::knowledge::crawl::{self, Crawl, CrawlSite, Link, Next, Tally};
use parlance_core::{Error, Result};
use parlance_crawl::{scope, sitemap};
use url::Url;

use crate::run::Run;

mod site;
mod visit;

use site::Site;

/// The pause between two requests to a site that asks for none.
const PACE: Duration = Duration::from_millis(100);

pub(super) async fn run(run: &Run, job: CrawlSite) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let crawl = crawl::begin(ctx, claim, &job, scope::key).await?;
    let walk = tokio::time::timeout(crawl::CRAWL_TIME, walk(run, &job, &crawl));
    let walked = run.stop().run_until_cancelled(walk).await.ok_or(Error::Cancelled)?;
    let late = match walked {
        Ok(walked) => {
            walked?;
            false
        }
        Err(_elapsed) => true,
    };
    crawl::settle(ctx, claim, &job, late).await
}

/// Reads page after page, until there is none left or there are enough.
async fn walk(run: &Run, job: &CrawlSite, crawl: &Crawl) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let mut site = Site::of(crawl);
    let mut mapped = !crawl.include_subpages;
    let mut asked = false;
    loop {
        let (next, tally) = crawl::next(ctx, claim.about.tenant, job, crawl).await?;
        report(run, crawl, tally);
        match next {
            Next::Visit(page) => {
                if std::mem::replace(&mut asked, true) {
                    tokio::time::sleep(site.delay(&page.url).unwrap_or(PACE)).await;
                }
                let outcome = visit::visit(ctx, run.stop(), &mut site, &page).await?;
                crawl::settle_page(ctx, claim, job, crawl, &page, &outcome).await?;
            }
            Next::Wait(pause) => tokio::time::sleep(pause).await,
            // Links say best what belongs to a page; what a map names beside them comes after.
            Next::Done if !mapped && tally.known < i64::from(crawl.max_pages) => {
                mapped = true;
                let links = mapped_pages(run, &mut site, crawl).await;
                crawl::remember(ctx, claim, job, crawl, &links).await?;
            }
            Next::Done => return Ok(()),
        }
    }
}

async fn mapped_pages(run: &Run, site: &mut Site, crawl: &Crawl) -> Vec<Link> {
    let door = run.ctx().door();
    let limit = usize::try_from(crawl.max_pages).unwrap_or(1);
    // A site whose rules cannot be read is not asked for its map either.
    let Ok(robots) = site.robots(door, &crawl.url).await.cloned() else { return Vec::new() };
    let pages = sitemap::discover(door, &robots, &crawl.url, site.scope(), limit).await;
    pages.iter().map(link).collect()
}

fn link(url: &Url) -> Link {
    let url = scope::normalise(url);
    Link { key: scope::key(&url), url: url.into() }
}

fn report(run: &Run, crawl: &Crawl, tally: Tally) {
    let number = |count: i64| usize::try_from(count).unwrap_or(0);
    let most = usize::try_from(crawl.max_pages).unwrap_or(1);
    run.expect(number(tally.known).min(most), "pages");
    run.step()(number(tally.done).min(most));
}
