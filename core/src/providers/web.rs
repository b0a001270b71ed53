//! Construction of the HTTP client and the browser for tenant-supplied URLs from the configuration.

use parlance_crawl::browser::{RenderLimits, Renderer};
use parlance_crawl::fetcher::{Fetcher, FetcherConfig, user_agent};

use crate::error::{Error, Result};
use crate::platform::config::Scrape;

/// Creates the configured fetcher.
pub(crate) fn fetcher(config: &Scrape) -> Result<Fetcher> {
    Fetcher::new(FetcherConfig {
        allow_networks: config.allow_networks.clone(),
        allow_ports: config.allow_ports.clone(),
        user_agent: user_agent(config.contact.as_deref()),
        ..FetcherConfig::default()
    })
    .map_err(|error| Error::internal("the web client cannot be created", error))
}

/// The configured browser, for one crawl.
pub(crate) fn renderer(config: &Scrape, fetcher: &Fetcher) -> Option<Renderer> {
    let address = config.browser.clone()?;
    Some(Renderer::new(fetcher, address, RenderLimits::default()))
}

/// Starts the configured browser and ends it again. Returns its address; `None` if none is configured.
///
/// # Errors
/// [`Error::Internal`] when the browser is not available.
pub async fn check_browser(config: &Scrape) -> Result<Option<String>> {
    let Some(mut renderer) = renderer(config, &fetcher(config)?) else { return Ok(None) };
    renderer.check().await.map_err(|error| Error::internal("pages made by scripts cannot be read", error))?;
    Ok(config.browser.as_ref().map(ToString::to_string))
}
