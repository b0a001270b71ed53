//! Guarded HTTP access to tenant-supplied URLs, through `parlance-crawl`.

use parlance_crawl::door::{Door, DoorConfig, user_agent};

use crate::error::{Error, Result};
use crate::platform::config::Scrape;

/// The guarded HTTP client, as configured.
pub(crate) fn door(config: &Scrape) -> Result<Door> {
    Door::new(DoorConfig {
        allow_networks: config.allow_networks.clone(),
        allow_ports: config.allow_ports.clone(),
        user_agent: user_agent(config.contact.as_deref()),
        ..DoorConfig::default()
    })
    .map_err(|error| Error::internal("cannot build the crawler's HTTP client", error))
}
