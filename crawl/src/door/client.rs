//! The clients behind the door. Nothing else in the platform builds one for a tenant's addresses.
//!
//! A resolver alone is no guard: an address written as a number is never resolved. So each client asks
//! the rules about every connection it is about to make, in the one place that sees them all: the
//! choice of a proxy. What the rules refuse is sent to a proxy whose name the resolver refuses, and no
//! socket is opened. That reqwest asks for every connection, and opens none when the closed name is
//! refused, is held by the tests that put the table of hostile addresses to the bare client.

use std::sync::Arc;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy};
use url::Url;

use super::names::Names;
use super::rules::{Reach, Rules};
use super::{DoorConfig, DoorError, FetchError, Lookup, Refusal};

/// The name of the proxy that does not exist (RFC 2606: `.invalid` never will).
pub(super) const CLOSED: &str = "closed.parlance.invalid";

#[derive(Debug, Clone)]
pub(super) struct Clients {
    /// For other hands: follows redirects, each one checked.
    pub(super) guarded: Client,
    /// For a fetch, which follows redirects itself.
    anywhere: Client,
    /// For names and ports that lead into the open networks alone, where there are any.
    open_networks: Option<Client>,
}

impl Clients {
    pub(super) fn build(
        config: &DoorConfig,
        rules: &Arc<Rules>,
        lookup: &Arc<dyn Lookup>,
    ) -> Result<Self, DoorError> {
        install_ring();
        let client = |reach| builder(config, rules, lookup, reach);
        let inside = client(Reach::OpenNetworks).redirect(Policy::none());
        Ok(Self {
            guarded: client(Reach::Anywhere)
                .redirect(checked_redirects(rules, config.max_redirects))
                .timeout(config.page_timeout)
                .build()?,
            anywhere: client(Reach::Anywhere).redirect(Policy::none()).build()?,
            open_networks: rules.opens_networks().then(|| inside.build()).transpose()?,
        })
    }

    pub(super) fn of(&self, reach: Reach) -> &Client {
        match (reach, &self.open_networks) {
            (Reach::OpenNetworks, Some(client)) => client,
            _ => &self.anywhere,
        }
    }
}

fn builder(config: &DoorConfig, rules: &Arc<Rules>, lookup: &Arc<dyn Lookup>, reach: Reach) -> ClientBuilder {
    let names = Names {
        rules: Arc::clone(rules),
        lookup: Arc::clone(lookup),
        reach,
        timeout: config.connect_timeout,
    };
    Client::builder()
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout)
        .read_timeout(config.page_timeout)
        .pool_max_idle_per_host(2)
        .referer(false)
        .no_zstd()
        .no_proxy()
        .proxy(turnstile(Arc::clone(rules), reach))
        .dns_resolver(names)
}

/// Lets a connection pass, or sends it to the name that the resolver refuses.
fn turnstile(rules: Arc<Rules>, reach: Reach) -> Proxy {
    Proxy::custom(move |url: &Url| match rules.route(url) {
        Ok(wanted) if wanted == reach => None,
        _ => Some(format!("http://{CLOSED}/")),
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

/// Makes ring the process's cryptography, unless another was chosen before. Cheap to repeat.
fn install_ring() {
    // An error says that one is installed, which is what is wanted.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
