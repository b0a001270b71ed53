//! Browsers of a process: at most one per crawl, a bounded number at once, shared fairly by tenants.
//!
//! A crawl holds a place only while a page is rendered. Its browser stays open for its next page until another crawl
//! needs the room: there are never more browsers than places.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlance_crawl::browser::{BrowserAddress, RenderError, RenderLimits, Rendered, Renderer};
use parlance_crawl::fetcher::Fetcher;
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use crate::ids::TenantId;
use crate::platform::fair_places::{FairPlaces, Place};

/// Places beyond the configured ones, for tenants without a browser.
const SPARE: usize = 1;

type Shared = Arc<AsyncMutex<Renderer>>;

/// The browsers of a process. Clones share them.
#[derive(Clone)]
pub struct Browsers {
    fetcher: Fetcher,
    address: BrowserAddress,
    places: FairPlaces<TenantId>,
    /// Idle renderers, between two pages, the longest unused first. Their browsers may be ended.
    idle: Arc<Mutex<VecDeque<Shared>>>,
}

/// The browser of one crawl, started with its first page. Dropping it ends the browser.
pub struct CrawlBrowser {
    browsers: Browsers,
    tenant: TenantId,
    renderer: Shared,
}

/// A crawl's turn to render pages. Dropping it gives the place back; the browser stays open while there is room.
#[must_use]
pub struct BrowserTurn<'a> {
    browser: &'a CrawlBrowser,
    _place: Place<TenantId>,
}

impl Browsers {
    /// Browsers at an address, with the network access of the fetcher; at most `places` at once, and one for a tenant
    /// without any.
    pub(crate) fn new(fetcher: &Fetcher, address: BrowserAddress, places: usize) -> Self {
        Self {
            fetcher: fetcher.clone(),
            address,
            places: FairPlaces::new(places, SPARE),
            idle: Arc::default(),
        }
    }

    /// A browser for one crawl of a tenant.
    #[must_use]
    pub fn for_crawl(&self, tenant: TenantId) -> CrawlBrowser {
        let renderer = Renderer::new(&self.fetcher, self.address.clone(), RenderLimits::default());
        CrawlBrowser { browsers: self.clone(), tenant, renderer: Arc::new(AsyncMutex::new(renderer)) }
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<Shared>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a renderer from the idle ones, and returns the idle renderers whose browsers must end so that there are
    /// no more browsers than places.
    fn make_room(&self, renderer: &Shared) -> Vec<Shared> {
        let mut idle = self.idle();
        idle.retain(|other| !Arc::ptr_eq(other, renderer));
        let excess = (idle.len() + self.places.in_use()).saturating_sub(self.places.most());
        let excess = excess.min(idle.len());
        idle.drain(..excess).collect()
    }
}

impl CrawlBrowser {
    /// Waits for a place.
    pub async fn turn(&self) -> BrowserTurn<'_> {
        let place = self.browsers.places.take(self.tenant).await;
        for other in self.browsers.make_room(&self.renderer) {
            other.lock().await.end();
        }
        BrowserTurn { browser: self, _place: place }
    }
}

impl BrowserTurn<'_> {
    /// Renders a page.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub async fn render(&self, url: &Url) -> Result<Rendered, RenderError> {
        self.browser.renderer.lock().await.render(url).await
    }
}

impl Drop for BrowserTurn<'_> {
    fn drop(&mut self) {
        // Before the place is given back, so that the next turn finds it.
        self.browser.browsers.idle().push_back(Arc::clone(&self.browser.renderer));
    }
}

impl Drop for CrawlBrowser {
    fn drop(&mut self) {
        self.browsers.idle().retain(|other| !Arc::ptr_eq(other, &self.renderer));
    }
}
