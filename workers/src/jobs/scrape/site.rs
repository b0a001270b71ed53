//! State of a crawled site: its scope and the robots.txt of each host.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use parlance_core::knowledge::crawl::Crawl;
use parlance_crawl::fetcher::{FetchError, Fetcher};
use parlance_crawl::robots::Robots;
use parlance_crawl::scope::Scope;
use url::Url;

/// A crawled site.
pub(super) struct Site {
    include_subpages: bool,
    scope: Scope,
    /// By origin: a host with and without `www.` has separate rules.
    robots: HashMap<String, Robots>,
}

impl Site {
    pub(super) fn new(crawl: &Crawl) -> Self {
        Self {
            include_subpages: crawl.include_subpages,
            scope: Scope::new(&crawl.root, crawl.include_subpages),
            robots: HashMap::new(),
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Moves the scope to the URL that the first page redirected to.
    pub(super) fn move_to(&mut self, root: &Url) {
        self.scope = Scope::new(root, self.include_subpages);
    }

    /// The rules of a page's host, fetched once per crawl.
    pub(super) async fn robots(&mut self, fetcher: &Fetcher, page: &Url) -> Result<&Robots, FetchError> {
        match self.robots.entry(page.origin().ascii_serialization()) {
            // Retry rules that could not be fetched.
            Entry::Occupied(known) if known.get().reached() => Ok(known.into_mut()),
            Entry::Occupied(mut known) => {
                known.insert(Robots::fetch(fetcher, page).await?);
                Ok(known.into_mut())
            }
            Entry::Vacant(unknown) => Ok(unknown.insert(Robots::fetch(fetcher, page).await?)),
        }
    }

    /// The crawl delay of a page's host.
    pub(super) fn delay(&self, page: &Url) -> Option<Duration> {
        self.robots.get(&page.origin().ascii_serialization())?.crawl_delay()
    }
}
