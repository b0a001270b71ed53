//! The one door out: every request the platform makes to an address a tenant named goes through it.
//!
//! What it promises, for the first address and for every redirect: http and https only; the ports of
//! the web only; no credentials in the address; names looked up once, every answer checked, and the
//! checked answer connected to; no proxy of the environment, no cookies, no referer. The networks an
//! operator opened with [`DoorConfig::allow_networks`] are the one exception, and open nothing else.
//!
//! It must never follow what it did not check, nor hold more of a body than the limit.

mod addresses;
mod client;
mod error;
mod fetch;
mod names;
mod refusal;
mod rules;

pub use error::{DoorError, FetchError};
pub use fetch::Fetched;
pub(crate) use fetch::{Excess, Request};
pub use names::{Lookup, SystemLookup};
pub use refusal::Refusal;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use client::Clients;
use rules::Rules;

/// What the door lets through, and how much of it.
#[derive(Debug, Clone)]
pub struct DoorConfig {
    /// Networks that are open although they are private: for tests and for sites of one's own house.
    pub allow_networks: Vec<IpNet>,
    /// Ports open beside 80 and 443. Every port is open for addresses in `allow_networks`.
    pub allow_ports: Vec<u16>,
    /// What the door calls itself: see [`user_agent`].
    pub user_agent: String,
    /// For the look-up of a name, and again for the connection with its handshake.
    pub connect_timeout: Duration,
    /// For a whole fetch: all redirects and the body.
    pub page_timeout: Duration,
    /// Bytes of a body once it is inflated.
    pub max_bytes: usize,
    /// Redirects followed before giving up.
    pub max_redirects: usize,
}

impl Default for DoorConfig {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            allow_ports: Vec::new(),
            user_agent: user_agent(None),
            connect_timeout: Duration::from_secs(10),
            page_timeout: Duration::from_secs(30),
            max_bytes: 10 * 1024 * 1024,
            max_redirects: 5,
        }
    }
}

/// An honest name: the product, its version and, where the operator gives one, how to reach them
/// (an address of a page or a mailbox). Characters that no header may carry are left out.
pub fn user_agent(contact: Option<&str>) -> String {
    let product = concat!("ParlanceBot/", env!("CARGO_PKG_VERSION"));
    let contact: String =
        contact.unwrap_or_default().trim().chars().filter(|c| matches!(c, ' '..='~')).collect();
    if contact.is_empty() { product.to_owned() } else { format!("{product} (+{contact})") }
}

/// The door itself. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct Door {
    config: Arc<DoorConfig>,
    rules: Arc<Rules>,
    clients: Clients,
}

impl Door {
    /// A door that looks names up as the system does.
    ///
    /// # Errors
    /// When the user agent is no header value, or TLS finds no certificates on this machine.
    pub fn new(config: DoorConfig) -> Result<Self, DoorError> {
        Self::with_lookup(config, Arc::new(SystemLookup))
    }

    /// A door with another look-up of names, whose answers are checked like the system's.
    ///
    /// # Errors
    /// As [`Door::new`].
    pub fn with_lookup(config: DoorConfig, lookup: Arc<dyn Lookup>) -> Result<Self, DoorError> {
        let rules = Arc::new(Rules::new(&config));
        let clients = Clients::build(&config, &rules, &lookup)?;
        Ok(Self { config: Arc::new(config), rules, clients })
    }

    /// Whether the door would try this address: its scheme, port, credentials, host name and literal
    /// address. No name is looked up; its answers are checked when it is fetched.
    ///
    /// # Errors
    /// The reason it would not, as a sentence.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        self.rules.route(url).map(drop)
    }

    /// Gets a page, following redirects that the door lets through. Any final status is a page.
    ///
    /// # Errors
    /// When an address is refused, the page is too large, or it did not come: see [`FetchError`].
    pub async fn fetch(&self, url: &Url, accept: &str) -> Result<Fetched, FetchError> {
        self.run(url, self.page(accept)).await
    }

    /// The guarded client, for code that brings its own requests. Whoever holds it reaches nothing
    /// that [`Door::fetch`] would refuse: every connection is checked, first or redirected. It refuses
    /// a little more: names on unusual ports, and house names, even where a network is open.
    /// It does not bound bodies.
    pub fn client(&self) -> &reqwest::Client {
        &self.clients.guarded
    }

    /// What the door calls itself.
    pub fn user_agent(&self) -> &str {
        &self.config.user_agent
    }

    fn page<'a>(&self, accept: &'a str) -> Request<'a> {
        Request {
            accept,
            max_bytes: self.config.max_bytes,
            excess: Excess::Refuse,
            max_redirects: self.config.max_redirects,
        }
    }
}
