//! A site as a crawl knows it: what belongs to it, and what each of its hosts asks of robots.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use parlance_core::knowledge::crawl::Crawl;
use parlance_crawl::door::{Door, FetchError};
use parlance_crawl::robots::Robots;
use parlance_crawl::scope::Scope;
use url::Url;

pub(super) struct Site {
    include_subpages: bool,
    scope: Scope,
    /// By origin: `www.` and without it are two hosts with rules of their own.
    robots: HashMap<String, Robots>,
}

impl Site {
    pub(super) fn of(crawl: &Crawl) -> Self {
        Self {
            include_subpages: crawl.include_subpages,
            scope: Scope::new(&crawl.root, crawl.include_subpages),
            robots: HashMap::new(),
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The first page leads elsewhere, and what belongs to the site is there.
    pub(super) fn move_to(&mut self, root: &Url) {
        self.scope = Scope::new(root, self.include_subpages);
    }

    /// The rules of a page's host, which are read once a crawl.
    pub(super) async fn robots(&mut self, door: &Door, page: &Url) -> Result<&Robots, FetchError> {
        match self.robots.entry(page.origin().ascii_serialization()) {
            // Rules that could not be read may be read with the next try.
            Entry::Occupied(known) if known.get().reached() => Ok(known.into_mut()),
            Entry::Occupied(mut known) => {
                known.insert(Robots::fetch(door, page).await?);
                Ok(known.into_mut())
            }
            Entry::Vacant(unknown) => Ok(unknown.insert(Robots::fetch(door, page).await?)),
        }
    }

    /// The pause that a page's host asks for.
    pub(super) fn delay(&self, page: &Url) -> Option<Duration> {
        self.robots.get(&page.origin().ascii_serialization())?.crawl_delay()
    }
}
