//! Construction of the HTTP client for tenant-supplied URLs from the configuration.

use parlance_crawl::browser::{RenderLimits, Renderer};
use parlance_crawl::fetcher::{Fetcher, FetcherConfig, user_agent};

use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::platform::config::Scrape;
use crate::platform::fair_places::FairPlaces;

mod browsers;

pub use browsers::{BrowserTurn, Browsers, CrawlBrowser};

/// Maximum number of pages of more than a megabyte in a process's memory. A page may have ten megabytes.
const LARGE_PAGES: usize = 16;

/// Additional places, for tenants without any.
const SPARE_LARGE_PAGES: usize = 8;

/// Creates the places for large pages.
pub(crate) fn large_pages() -> FairPlaces<TenantId> {
    FairPlaces::new(LARGE_PAGES, SPARE_LARGE_PAGES)
}

/// Creates the configured fetcher.
pub(crate) fn fetcher(config: &Scrape) -> Result<Fetcher> {
    Fetcher::new(FetcherConfig {
        allow_networks: config.allow_networks.clone(),
        allow_ports: config.allow_ports.clone(),
        user_agent: user_agent(config.contact.as_deref()),
        page_timeout: config.page_timeout,
        ..FetcherConfig::default()
    })
    .map_err(|error| Error::internal("the web client cannot be created", error))
}

/// Starts the configured browser and ends it again. Returns its address; `None` if none is configured.
///
/// # Errors
/// [`Error::Internal`] when the browser is not available.
pub async fn check_browser(config: &Scrape) -> Result<Option<String>> {
    let Some(address) = config.browser.clone() else { return Ok(None) };
    let name = address.to_string();
    let mut renderer = Renderer::new(&fetcher(config)?, address, RenderLimits::default());
    renderer.check().await.map_err(|error| Error::internal("pages made by scripts cannot be read", error))?;
    Ok(Some(name))
}
