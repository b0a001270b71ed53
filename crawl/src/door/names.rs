//! The look-up of names: one look-up a connection, every answer checked, the checked ones connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Refusal;
use super::rules::{Reach, Rules, is_house_name};

/// Turns a name into addresses. The door checks what it answers.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of a host name.
    ///
    /// # Errors
    /// When the name is unknown or the look-up fails.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own look-up (`getaddrinfo`).
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A name without an address that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum NameError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the look-up of {0} took too long")]
    Timeout(String),
    #[error("{0} has no addresses")]
    Empty(String),
    #[error("{0} could not be looked up")]
    Failed(String, #[source] io::Error),
}

/// The resolver given to a client.
pub(super) struct Names {
    pub(super) rules: Arc<Rules>,
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) reach: Reach,
    pub(super) timeout: Duration,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, lookup) = (Arc::clone(&self.rules), Arc::clone(&self.lookup));
        let (reach, timeout) = (self.reach, self.timeout);
        Box::pin(async move {
            let found = checked(&rules, &*lookup, reach, timeout, name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The addresses of a name: all of them, or none when a single one is not admitted.
async fn checked(
    rules: &Rules,
    lookup: &dyn Lookup,
    reach: Reach,
    timeout: Duration,
    host: &str,
) -> Result<Vec<IpAddr>, NameError> {
    if host == super::client::CLOSED {
        return Err(Refusal::Closed.into());
    }
    if reach == Reach::Anywhere && is_house_name(host) {
        return Err(Refusal::HostName(host.to_owned()).into());
    }
    let found = tokio::time::timeout(timeout, lookup.lookup(host))
        .await
        .map_err(|_elapsed| NameError::Timeout(host.to_owned()))?
        .map_err(|error| NameError::Failed(host.to_owned(), error))?;
    match found.iter().find(|address| !rules.admits(**address, reach)) {
        Some(address) => {
            tracing::info!(host, %address, "a name was refused for where it leads");
            Err(Refusal::Answer.into())
        }
        None if found.is_empty() => Err(NameError::Empty(host.to_owned())),
        None => Ok(found),
    }
}
