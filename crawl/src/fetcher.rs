//! SSRF-safe HTTP client. Every request to a URL that a tenant supplied goes through it.
//!
//! Guarantees, for the first URL and for every redirect: http and https only; web ports only; no credentials
//! in the URL; each name resolved once, every address checked, and only a checked address connected to; no
//! proxy from the environment; no cookies except those set by redirects of the same fetch; no referer. The
//! only exceptions are the networks in [`FetcherConfig::allow_networks`].
//!
//! It must never follow an unchecked URL, nor hold more of a body than the limit.

mod access_rules;
mod client;
mod cookies;
mod error;
mod fetch;
mod network_time;
mod proxy;
mod public_addresses;
mod refusal;
mod resolver;

pub use error::{FetchError, FetcherError};
pub(crate) use fetch::{FetchOptions, OnExcess};
pub use fetch::{FetchResponse, Timed};
pub use proxy::{ForwardProxy, ProxyLimits};
pub use refusal::Refusal;
pub use resolver::{Lookup, SystemLookup};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::pace::Pace;

use access_rules::Rules;
use client::Clients;

/// Configuration of a [`Fetcher`].
#[derive(Debug, Clone)]
pub struct FetcherConfig {
    /// Private networks that may be reached: for tests and for internal sites.
    pub allow_networks: Vec<IpNet>,
    /// Ports allowed besides 80 and 443. Addresses in `allow_networks` may use any port.
    pub allow_ports: Vec<u16>,
    /// The `User-Agent` header: see [`user_agent`].
    pub user_agent: String,
    /// Timeout of a name lookup, and separately of the connection with its handshake.
    pub connect_timeout: Duration,
    /// Timeout of a whole fetch: all redirects and the body, without waiting for
    /// [`Pace::room`].
    pub page_timeout: Duration,
    /// Maximum size of a decompressed body, in bytes.
    pub max_bytes: usize,
    /// Maximum number of redirects.
    pub max_redirects: usize,
}

impl Default for FetcherConfig {
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

/// The `User-Agent` header: product, version and, if configured, the operator's contact (a URL or an e-mail
/// address). Characters that a header must not contain are dropped.
pub fn user_agent(contact: Option<&str>) -> String {
    let product = concat!("ParlanceBot/", env!("CARGO_PKG_VERSION"));
    let contact: String =
        contact.unwrap_or_default().trim().chars().filter(|c| matches!(c, ' '..='~')).collect();
    if contact.is_empty() { product.to_owned() } else { format!("{product} (+{contact})") }
}

/// SSRF-safe HTTP client. Clones are cheap and share connections.
#[derive(Debug, Clone)]
pub struct Fetcher {
    config: Arc<FetcherConfig>,
    rules: Arc<Rules>,
    lookup: Names,
    clients: Clients,
}

/// A name lookup, opaque in debug output.
#[derive(Clone)]
struct Names(Arc<dyn Lookup>);

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Fetcher {
    /// Creates a fetcher with the system's name lookup.
    ///
    /// # Errors
    /// When the user agent is not a valid header value, or TLS finds no root certificates.
    pub fn new(config: FetcherConfig) -> Result<Self, FetcherError> {
        Self::with_lookup(config, Arc::new(SystemLookup))
    }

    /// Creates a fetcher with a custom name lookup. Its results are checked like the system's.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn with_lookup(config: FetcherConfig, lookup: Arc<dyn Lookup>) -> Result<Self, FetcherError> {
        let rules = Arc::new(Rules::new(&config));
        let clients = Clients::build(&config, &rules, &lookup)?;
        Ok(Self { config: Arc::new(config), rules, lookup: Names(lookup), clients })
    }

    /// Checks a URL without resolving its name: scheme, port, credentials, host name and literal address. A
    /// fetch checks the resolved addresses.
    ///
    /// # Errors
    /// The reason for refusing the URL.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        self.rules.route(url).map(drop)
    }

    /// Fetches a page and follows allowed redirects. A response of any final status is `Ok`.
    ///
    /// # Errors
    /// When a URL is refused, the page is too large, or the request fails: see [`FetchError`].
    pub async fn fetch(&self, url: &Url, accept: &str) -> Result<FetchResponse, FetchError> {
        self.run(url, self.page(accept, None)).await
    }

    /// As [`Fetcher::fetch`], but a large body is read only when there is room for it; the response holds the room. The
    /// caller waits for its turn. The time of waiting for room counts towards no timeout.
    pub async fn fetch_with_room(&self, url: &Url, accept: &str, pace: &dyn Pace) -> Timed {
        self.run_timed(url, self.page(accept, Some(pace))).await
    }

    /// The guarded client, for code that builds its own requests. It reaches nothing that [`Fetcher::fetch`]
    /// refuses: every connection is checked, redirects included. It also refuses names on unusual ports and
    /// internal names, even if networks are allowed. It does not limit body sizes.
    pub fn client(&self) -> &reqwest::Client {
        &self.clients.guarded
    }

    /// The `User-Agent` header.
    pub fn user_agent(&self) -> &str {
        &self.config.user_agent
    }

    fn page<'a>(&self, accept: &'a str, pace: Option<&'a dyn Pace>) -> FetchOptions<'a> {
        FetchOptions {
            accept,
            max_bytes: self.config.max_bytes,
            on_excess: OnExcess::Fail,
            max_redirects: self.config.max_redirects,
            pace,
        }
    }
}
