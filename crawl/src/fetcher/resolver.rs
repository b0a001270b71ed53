//! Guarded DNS resolver: one lookup per connection; only checked addresses are connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Refusal;
use super::access_rules::{BLOCKED_PROXY, Reach, Rules, is_internal_name};

/// Name lookup. The fetcher checks the results.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of a host name.
    ///
    /// # Errors
    /// When the name is unknown or the lookup fails.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's name lookup (`getaddrinfo`).
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A name without a usable address.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the lookup of {0} timed out")]
    Timeout(String),
    #[error("{0} has no addresses")]
    Empty(String),
    #[error("the lookup of {0} failed")]
    Failed(String, #[source] io::Error),
}

/// The resolver of a client.
pub(super) struct GuardedResolver {
    pub(super) rules: Arc<Rules>,
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) reach: Reach,
    pub(super) timeout: Duration,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, lookup) = (Arc::clone(&self.rules), Arc::clone(&self.lookup));
        let (reach, timeout) = (self.reach, self.timeout);
        Box::pin(async move {
            let found = checked(&rules, &*lookup, reach, timeout, name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// All addresses of a name, or an error if a single one is not allowed.
pub(super) async fn checked(
    rules: &Rules,
    lookup: &dyn Lookup,
    reach: Reach,
    timeout: Duration,
    host: &str,
) -> Result<Vec<IpAddr>, ResolveError> {
    if host == BLOCKED_PROXY {
        return Err(Refusal::Closed.into());
    }
    if reach == Reach::Anywhere && is_internal_name(host) {
        return Err(Refusal::HostName(host.to_owned()).into());
    }
    let found = tokio::time::timeout(timeout, lookup.lookup(host))
        .await
        .map_err(|_elapsed| ResolveError::Timeout(host.to_owned()))?
        .map_err(|error| ResolveError::Failed(host.to_owned(), error))?;
    match found.iter().find(|address| !rules.admits(**address, reach)) {
        Some(address) => {
            tracing::info!(host, %address, "name refused: it resolves to a forbidden address");
            Err(Refusal::ResolvedAddress.into())
        }
        None if found.is_empty() => Err(ResolveError::Empty(host.to_owned())),
        None => Ok(found),
    }
}
