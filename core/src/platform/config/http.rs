//! Configuration of the HTTP servers.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::ConfigError;
use super::reader::Reader;

/// HTTP servers.
#[derive(Clone, Debug)]
pub struct Http {
    /// Listen address of the API.
    pub bind: SocketAddr,
    /// URL that customers use, if it differs from `bind` (behind a proxy).
    pub public_url: Option<Url>,
    /// Origins whose pages may call the API from a browser (`*`: all).
    pub cors_origins: Vec<String>,
    /// Listen address for health checks and metrics of a worker; `None`: none.
    pub worker_bind: Option<SocketAddr>,
    /// Networks of the proxies whose header names the client.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which trusted proxies name the client.
    pub client_address_header: ClientAddressHeader,
    /// Maximum number of open connections of a server.
    pub max_connections: usize,
    /// Maximum number of open connections of one address; trusted proxies are exempt.
    pub connections_per_address: usize,
    /// Time for a request's head, from its first byte. No environment variable: for tests only.
    pub head_timeout: Duration,
    /// Time for which a connection may be idle or a write blocked. No environment variable: for tests only.
    pub idle_timeout: Duration,
}

/// The header in which trusted proxies name the client. Only one is read: a proxy maintains one of the two, and a
/// client can forge the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddressHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl FromStr for ClientAddressHeader {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(()),
        }
    }
}

impl Http {
    /// Time for a request's head, from its first byte: a head is a few kilobytes.
    const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

    /// Longer than a request waits for a crawl, and than the default idle timeout of load balancers (60 seconds).
    const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

    pub(super) fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            bind: read.parsed("BIND", "is not an address and port")?,
            public_url: read.url("PUBLIC_URL", &["http", "https"])?,
            cors_origins: read.list("CORS_ORIGINS", "has an entry that is not an origin")?,
            worker_bind: match read.text("WORKER_BIND") {
                Some(_) => Some(read.parsed("WORKER_BIND", "is not an address and port")?),
                None => None,
            },
            trusted_proxies: read.list("TRUSTED_PROXIES", "has an entry that is not a network")?,
            client_address_header: read
                .parsed("CLIENT_ADDRESS_HEADER", "is neither X-Forwarded-For nor Forwarded")?,
            max_connections: read.number("MAX_CONNECTIONS", 1..=1_000_000)?,
            connections_per_address: read.number("CONNECTIONS_PER_ADDRESS", 1..=1_000_000)?,
            head_timeout: Self::HEAD_TIMEOUT,
            idle_timeout: Self::IDLE_TIMEOUT,
        })
    }
}
