//! Bounds on open connections: per client address, and in total.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use parlance_core::platform::config;
use parlance_core::platform::limits::ClientAddress;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::open_files;

/// The places of a server's connections. Clones share the counts.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Shared>);

struct Shared {
    max: usize,
    per_address: usize,
    /// Exempt from `per_address`.
    trusted: Vec<IpNet>,
    open: Mutex<Open>,
    metrics: ConnectionMetrics,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<ClientAddress, usize>,
}

/// The place of an open connection, until dropped.
pub(crate) struct ConnectionPlace {
    shared: Arc<Shared>,
    /// `None`: a trusted proxy.
    address: Option<ClientAddress>,
}

/// Counts of connections. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionMetrics {
    open: Gauge,
    refused: Counter,
}

impl ConnectionMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("http_connections", "Open HTTP connections", self.open.clone());
        registry.register(
            "http_connections_refused",
            "HTTP connections closed at once, above a limit of connections",
            self.refused.clone(),
        );
    }
}

impl Connections {
    pub(crate) fn new(http: &config::Http) -> Self {
        let allowed = open_files::connections_allowed();
        if allowed < http.max_connections {
            tracing::warn!(allowed, "the limit of open files allows fewer connections than MAX_CONNECTIONS");
        }
        Self(Arc::new(Shared {
            max: http.max_connections.min(allowed),
            per_address: http.connections_per_address,
            trusted: http.trusted_proxies.clone(),
            open: Mutex::default(),
            metrics: ConnectionMetrics::default(),
        }))
    }

    pub(crate) fn metrics(&self) -> ConnectionMetrics {
        self.0.metrics.clone()
    }

    /// Takes a place for a connection of a peer; `None` above a limit.
    pub(crate) fn take(&self, peer: IpAddr) -> Option<ConnectionPlace> {
        let shared = &self.0;
        let peer = peer.to_canonical();
        let is_proxy = shared.trusted.iter().any(|network| network.contains(&peer));
        let address = (!is_proxy).then(|| ClientAddress::from(peer));
        let mut open = shared.open();
        let of_address = address.map_or(0, |address| open.by_address.get(&address).copied().unwrap_or(0));
        if open.all >= shared.max || of_address >= shared.per_address {
            drop(open);
            shared.metrics.refused.inc();
            tracing::debug!(%peer, "too many connections; closing the newest");
            return None;
        }
        open.all += 1;
        if let Some(address) = address {
            open.by_address.insert(address, of_address + 1);
        }
        drop(open);
        shared.metrics.open.inc();
        Some(ConnectionPlace { shared: Arc::clone(shared), address })
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.all -= 1;
        if let Some(address) = self.address
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        drop(open);
        self.shared.metrics.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use parlance_core::platform::config::Config;

    use super::*;

    fn connections(max: usize, per_address: usize, trusted: &str) -> Connections {
        let mut http = Config::read(|_| None).unwrap().http;
        (http.max_connections, http.connections_per_address) = (max, per_address);
        http.trusted_proxies = vec![trusted.parse().unwrap()];
        Connections::new(&http)
    }

    #[test]
    fn an_address_has_its_own_bound() {
        let connections = connections(10, 2, "10.0.0.0/8");
        let take = |peer: &str| connections.take(peer.parse().unwrap());
        let held = [take("192.0.2.1"), take("::ffff:192.0.2.1")];
        assert!(take("192.0.2.1").is_none());
        assert!(take("192.0.2.2").is_some(), "another address");
        drop(held);
        assert!(take("192.0.2.1").is_some(), "a closed connection leaves its place");
        let _network = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(take("2001:db8::3").is_none(), "an IPv6 network is one client");
        assert_eq!(connections.0.metrics.refused.get(), 2);
    }

    #[test]
    fn trusted_proxies_have_only_the_common_bound() {
        let connections = connections(3, 1, "10.0.0.0/8");
        let take = |peer: &str| connections.take(peer.parse().unwrap());
        let _proxied = [take("10.0.0.1"), take("10.0.0.1"), take("::ffff:10.0.0.1")].map(Option::unwrap);
        assert!(take("10.0.0.1").is_none());
        assert!(take("192.0.2.1").is_none());
        assert_eq!(connections.0.metrics.open.get(), 3);
    }
}
