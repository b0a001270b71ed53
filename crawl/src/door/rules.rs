//! Pure: what the door thinks of an address before any name is looked up, and of each answer after.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use super::addresses::is_public;
use super::{DoorConfig, Refusal};

/// Names that mean something only inside a network, by their last labels.
const HOUSE_NAMES: [&str; 10] = [
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

/// Where the answers for a name may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The public internet, and the open networks.
    Anywhere,
    /// The open networks alone: the name or the port is not one of the public web.
    OpenNetworks,
}

#[derive(Debug)]
pub(super) struct Rules {
    networks: Vec<IpNet>,
    ports: Vec<u16>,
}

impl Rules {
    pub(super) fn new(config: &DoorConfig) -> Self {
        Self { networks: config.allow_networks.clone(), ports: config.allow_ports.clone() }
    }

    /// Whether any private network is open.
    pub(super) fn opens_networks(&self) -> bool {
        !self.networks.is_empty()
    }

    /// What a request for this address may reach, or why it is refused.
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

    /// Whether an answer for a name may be connected to.
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
        let house = is_house_name(name);
        match (house, self.is_web(port)) {
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

/// Whether a name is one of a network's inside: without a dot, or under one of the house's endings.
pub(super) fn is_house_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.')
        || HOUSE_NAMES
            .iter()
            .any(|house| name.strip_suffix(house).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}
