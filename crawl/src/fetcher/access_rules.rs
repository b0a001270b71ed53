//! URL rules, applied before a lookup, and address rules, applied to its results. Pure.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use super::public_addresses::is_public;
use super::{FetcherConfig, Refusal};

/// Name of a proxy that cannot exist (RFC 2606 reserves `.invalid`). Refused connections are routed to it.
pub(super) const BLOCKED_PROXY: &str = "closed.parlance.invalid";

/// Suffixes of names that are valid only inside a network.
const INTERNAL_SUFFIXES: [&str; 10] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
];

/// Addresses that a name may resolve to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The public internet and the allowed networks.
    Anywhere,
    /// Only the allowed networks: the name or the port does not belong to the public web.
    OpenNetworks,
}

#[derive(Debug)]
pub(super) struct Rules {
    networks: Vec<IpNet>,
    ports: Vec<u16>,
}

impl Rules {
    pub(super) fn new(config: &FetcherConfig) -> Self {
        Self { networks: config.allow_networks.clone(), ports: config.allow_ports.clone() }
    }

    /// Whether any private network is allowed.
    pub(super) fn opens_networks(&self) -> bool {
        !self.networks.is_empty()
    }

    /// The addresses that a request may reach, or the reason for refusing it.
    pub(super) fn route(&self, url: &Url) -> Result<Reach, Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let port = url.port_or_known_default().unwrap_or(80);
        match url.host().ok_or(Refusal::NoHost)? {
            Host::Ipv4(address) => self.address(address.into(), port),
            Host::Ipv6(address) => self.address(address.into(), port),
            Host::Domain(name) => self.name(name, port),
        }
    }

    /// Whether a resolved address may be connected to.
    pub(super) fn admits(&self, address: IpAddr, reach: Reach) -> bool {
        self.is_open(address) || (reach == Reach::Anywhere && is_public(address))
    }

    fn address(&self, address: IpAddr, port: u16) -> Result<Reach, Refusal> {
        if self.is_open(address) {
            Ok(Reach::Anywhere)
        } else if !is_public(address) {
            Err(Refusal::Address(address))
        } else if !self.is_web(port) {
            Err(Refusal::Port(port))
        } else {
            Ok(Reach::Anywhere)
        }
    }

    fn name(&self, name: &str, port: u16) -> Result<Reach, Refusal> {
        let internal = is_internal_name(name);
        match (internal, self.is_web(port)) {
            (false, true) => Ok(Reach::Anywhere),
            _ if self.opens_networks() => Ok(Reach::OpenNetworks),
            (true, _) => Err(Refusal::HostName(name.to_owned())),
            (false, false) => Err(Refusal::Port(port)),
        }
    }

    fn is_open(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    fn is_web(&self, port: u16) -> bool {
        matches!(port, 80 | 443) || self.ports.contains(&port)
    }
}

/// Whether a name is internal: without a dot, or with one of the internal suffixes.
pub(super) fn is_internal_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.')
        || INTERNAL_SUFFIXES.iter().any(|suffix| {
            name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}
