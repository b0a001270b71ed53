//! Construction of the HTTP client for tenant-supplied URLs from the configuration.

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
