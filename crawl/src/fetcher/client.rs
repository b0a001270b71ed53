//! HTTP clients of the fetcher. No other module may build a client for tenant-supplied URLs.
//!
//! A guarded resolver is not enough: a literal IP address is never resolved. So each client checks every
//! connection in the one hook that sees them all, the choice of a proxy. A refused connection goes to a
//! proxy whose name the resolver refuses, and no socket is opened. The tests that send hostile URLs through
//! the bare client verify that reqwest calls the hook for every connection.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy};
use url::Url;

use super::access_rules::{BLOCKED_PROXY, Reach, Rules};
use super::resolver::GuardedResolver;
use super::{FetchError, FetcherConfig, FetcherError, Lookup, Refusal};

/// Idle timeout of a connection. A crawl requests its next page earlier, unless the site sets a longer delay. Short,
/// because hundreds of crawls must not keep thousands of sockets open.
const IDLE_CONNECTION: Duration = Duration::from_secs(10);

/// The clients of one fetcher.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    /// For external callers: follows redirects and checks each one.
    pub(super) guarded: Client,
    /// For [`Fetcher::fetch`](super::Fetcher::fetch), which follows redirects itself.
    anywhere: Client,
    /// For names and ports that may reach only the allowed networks, if there are any.
    open_networks: Option<Client>,
}

impl Clients {
    pub(super) fn build(
        config: &FetcherConfig,
        rules: &Arc<Rules>,
        lookup: &Arc<dyn Lookup>,
    ) -> Result<Self, FetcherError> {
        install_ring();
        let client = |reach| builder(config, rules, lookup, reach);
        let restricted = client(Reach::OpenNetworks).redirect(Policy::none());
        Ok(Self {
            guarded: client(Reach::Anywhere)
                .redirect(checked_redirects(rules, config.max_redirects))
                .timeout(config.page_timeout)
                .build()?,
            anywhere: client(Reach::Anywhere).redirect(Policy::none()).build()?,
            open_networks: rules.opens_networks().then(|| restricted.build()).transpose()?,
        })
    }

    pub(super) fn of(&self, reach: Reach) -> &Client {
        match (reach, &self.open_networks) {
            (Reach::OpenNetworks, Some(client)) => client,
            _ => &self.anywhere,
        }
    }
}

/// Without a read timeout: it would count the time in which a body waits for room. A fetch has its own limit.
fn builder(
    config: &FetcherConfig,
    rules: &Arc<Rules>,
    lookup: &Arc<dyn Lookup>,
    reach: Reach,
) -> ClientBuilder {
    let names = GuardedResolver {
        rules: Arc::clone(rules),
        lookup: Arc::clone(lookup),
        reach,
        timeout: config.connect_timeout,
    };
    Client::builder()
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(IDLE_CONNECTION)
        .referer(false)
        .no_zstd()
        .no_proxy()
        .proxy(connection_guard(Arc::clone(rules), reach))
        .dns_resolver(names)
}

/// Allows a connection, or routes it to the proxy name that the resolver refuses.
fn connection_guard(rules: Arc<Rules>, reach: Reach) -> Proxy {
    Proxy::custom(move |url: &Url| match rules.route(url) {
        Ok(required) if required == reach => None,
        _ => Some(format!("http://{BLOCKED_PROXY}/")),
    })
}

fn checked_redirects(rules: &Arc<Rules>, limit: usize) -> Policy {
    let rules = Arc::clone(rules);
    Policy::custom(move |attempt| {
        if attempt.previous().len() > limit {
            return attempt.error(FetchError::TooManyRedirects);
        }
        match rules.route(attempt.url()) {
            Ok(Reach::Anywhere) => attempt.follow(),
            Ok(Reach::OpenNetworks) => attempt.error(FetchError::Refused(Refusal::Closed)),
            Err(refusal) => attempt.error(FetchError::Refused(refusal)),
        }
    })
}

/// Installs ring as the process's crypto provider, unless one is installed already. Idempotent.
fn install_ring() {
    // An error means that a provider is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
