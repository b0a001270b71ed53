//! The web, as far as tenants name it: the one door of `parlance-crawl`, as the configuration opens it.

use parlance_crawl::door::{Door, DoorConfig, user_agent};

use crate::error::{Error, Result};
use crate::platform::config::Scrape;

/// The door that the configuration describes.
pub(crate) fn door(config: &Scrape) -> Result<Door> {
    Door::new(DoorConfig {
        allow_networks: config.allow_networks.clone(),
        allow_ports: config.allow_ports.clone(),
        user_agent: user_agent(config.contact.as_deref()),
        ..DoorConfig::default()
    })
    .map_err(|error| Error::internal("the door to the web cannot be made", error))
}
