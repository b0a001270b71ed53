//! State of a crawled site: its scope, each host's robots.txt and pace, and the time budget for slow responses.

use std::collections::HashMap;
use std::time::Instant;

use parlance_core::Context;
use parlance_core::ids::TenantId;
use parlance_core::knowledge::crawl::Crawl;
use parlance_crawl::fetcher::{FetchError, FetchResponse, Fetcher, Timed};
use parlance_crawl::pace::Pace;
use parlance_crawl::robots::Robots;
use parlance_crawl::scope::Scope;
use url::Url;

use super::host_pace::HostPace;
use super::patience::Patience;

/// A crawled site.
pub(super) struct Site {
    include_subpages: bool,
    /// The first page, after its redirects.
    root: Url,
    scope: Scope,
    /// By origin: a host with and without `www.` has separate rules.
    robots: HashMap<String, Robots>,
    pace: HostPace,
    patience: Patience,
}

impl Site {
    pub(super) fn new(ctx: &Context, tenant: TenantId, crawl: &Crawl) -> Self {
        Self {
            include_subpages: crawl.include_subpages,
            root: crawl.root.clone(),
            scope: Scope::new(&crawl.root, crawl.include_subpages),
            robots: HashMap::new(),
            pace: HostPace::new(ctx.clone(), tenant),
            patience: Patience::new(&ctx.config().scrape),
        }
    }

    pub(super) fn root(&self) -> &Url {
        &self.root
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Moves the scope to the URL that the first page redirected to.
    pub(super) fn move_to(&mut self, root: &Url) {
        self.root = root.clone();
        self.scope = Scope::new(root, self.include_subpages);
    }

    pub(super) fn pace(&self) -> &HostPace {
        &self.pace
    }

    pub(super) fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    /// Requests a page in its host's turn.
    pub(super) async fn fetch(
        &mut self,
        fetcher: &Fetcher,
        page: &Url,
        accept: &str,
    ) -> Result<FetchResponse, FetchError> {
        self.pace.wait(page).await;
        let Timed { fetched, took } = fetcher.fetch_with_room(page, accept, &self.pace).await;
        if fetched.is_ok() {
            self.patience.has_page();
        }
        self.patience.record(took, fetched.is_ok());
        fetched
    }

    /// The rules of a page's host, fetched once per crawl.
    pub(super) async fn robots(&mut self, fetcher: &Fetcher, page: &Url) -> Result<&Robots, FetchError> {
        let origin = page.origin().ascii_serialization();
        // Retry rules that could not be fetched.
        let fetched = match self.robots.get(&origin).is_some_and(Robots::reached) {
            true => None,
            false => Some(self.fetch_robots(fetcher, page).await?),
        };
        let entry = self.robots.entry(origin);
        Ok(match fetched {
            Some(robots) => entry.insert_entry(robots).into_mut(),
            None => entry.or_insert_with(Robots::allow_all),
        })
    }

    async fn fetch_robots(&mut self, fetcher: &Fetcher, page: &Url) -> Result<Robots, FetchError> {
        fetcher.check(page)?;
        self.pace.wait(page).await;
        let started = Instant::now();
        let robots = Robots::fetch(fetcher, page).await?;
        self.patience.record(started.elapsed(), robots.reached());
        self.pace.set_delay(page, robots.crawl_delay());
        if let Some(pause) = robots.retry_after() {
            self.pace.slow_down(page, pause).await;
        }
        Ok(robots)
    }
}
