//! Forward proxy: the only network access of a browser that renders tenants' pages.
//!
//! Applies the rules of the fetcher to every connection: URL rules, one lookup per connection, every address
//! checked, and only a checked address connected to. Listens on one port per crawl and serves only the
//! browser's host. Accepts `CONNECT` and requests in absolute form (RFC 9112, 3.2.2). Limits connections and
//! bytes.
//!
//! It must never connect to an address that [`Fetcher::fetch`] refuses.

mod head;
mod relay;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use url::{Host, Url};

use super::resolver::{self, ResolveError};
use super::{Fetcher, Refusal};
use head::{RequestHead, Target};

/// Timeout of a connection without a request. Browsers open some connections in advance.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Limits of a [`ForwardProxy`].
#[derive(Debug, Clone, Copy)]
pub struct ProxyLimits {
    /// Maximum number of open connections. Further ones are closed.
    pub connections: usize,
    /// Maximum number of requests and tunnels between two calls of [`ForwardProxy::renew`].
    pub requests: usize,
    /// Maximum number of bytes, both directions together, between two calls of [`ForwardProxy::renew`].
    pub bytes: u64,
}

impl Default for ProxyLimits {
    fn default() -> Self {
        Self { connections: 128, requests: 1_000, bytes: 64 * 1024 * 1024 }
    }
}

/// A running proxy. It and its connections end when the value is dropped.
#[derive(Debug)]
pub struct ForwardProxy {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    fetcher: Fetcher,
    clients: Vec<IpAddr>,
    limits: ProxyLimits,
    bytes_left: AtomicU64,
    requests_left: AtomicUsize,
    refused: AtomicUsize,
    /// Addresses that no page may reach, even in an allowed network: the proxy's own and the browser's.
    closed: Mutex<Vec<SocketAddr>>,
}

impl ForwardProxy {
    /// Starts a proxy on a free port of `bind` for browsers at the addresses `clients`.
    ///
    /// # Errors
    /// When no port of the address can be listened on.
    pub async fn start(
        fetcher: &Fetcher,
        bind: IpAddr,
        clients: Vec<IpAddr>,
        limits: ProxyLimits,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::new(bind, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            fetcher: fetcher.clone(),
            clients,
            limits,
            bytes_left: AtomicU64::new(limits.bytes),
            requests_left: AtomicUsize::new(limits.requests),
            refused: AtomicUsize::new(0),
            closed: Mutex::new(vec![address]),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { address, state, accepting })
    }

    /// The address that the proxy listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses connections to an address, even in an allowed network: for the browser's debugging port.
    pub fn close_off(&self, address: SocketAddr) {
        self.state.closed.lock().unwrap_or_else(PoisonError::into_inner).push(address);
    }

    /// Restores the full budget of requests and bytes, for the next page.
    pub fn renew(&self) {
        self.state.bytes_left.store(self.state.limits.bytes, Ordering::Relaxed);
        self.state.requests_left.store(self.state.limits.requests, Ordering::Relaxed);
    }

    /// Number of connections refused so far because of their address.
    pub fn refused(&self) -> usize {
        self.state.refused.load(Ordering::Relaxed)
    }

    /// Whether the byte budget is used up.
    pub fn is_exhausted(&self) -> bool {
        self.state.bytes_left.load(Ordering::Relaxed) == 0
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        // The connections belong to this task and end with it.
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                let known = state.clients.contains(&peer.ip().to_canonical());
                if known && connections.len() < state.limits.connections {
                    let state = Arc::clone(&state);
                    connections.spawn(async move { serve(stream, &state).await });
                }
            }
            // Out of file descriptors, most likely: wait until some are free.
            Err(error) => {
                tracing::warn!(%error, "the browser's proxy cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves one connection: a single request or tunnel.
async fn serve(mut browser: TcpStream, state: &State) {
    let Ok(Ok(Some(request))) = timeout(HEAD_TIMEOUT, head::read_request(&mut browser)).await else { return };
    let answered = match state.connect(&request).await {
        Ok(mut site) => match request.target {
            Target::Tunnel(_) => {
                relay::tunnel(&mut browser, &mut site, &request.rest, &state.bytes_left).await
            }
            Target::Page(_) => relay::exchange(&mut browser, &mut site, &request, &state.bytes_left).await,
        },
        Err(status) => relay::refuse(&mut browser, status).await,
    };
    if let Err(error) = answered {
        tracing::debug!(%error, "a connection of the browser broke off");
    }
}

/// Status of a proxy response that reports a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status(u16);

impl State {
    /// Connects to the target of a request, if the rules allow it.
    async fn connect(&self, request: &RequestHead) -> Result<TcpStream, Status> {
        let take = |left: usize| left.checked_sub(1);
        if self.requests_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return Err(Status(429));
        }
        let url = request.target.url();
        let addresses = self.addresses(url).await.map_err(|error| self.refusal(url, &error))?;
        let connect_timeout = self.fetcher.config.connect_timeout;
        match timeout(connect_timeout, TcpStream::connect(addresses.as_slice())).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) => Err(Status(502)),
            Err(_elapsed) => Err(Status(504)),
        }
    }

    /// The checked addresses of a URL's host.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, ResolveError> {
        let Fetcher { rules, lookup, config, .. } = &self.fetcher;
        let reach = rules.route(url)?;
        let port = url.port_or_known_default().ok_or(Refusal::NoHost)?;
        let found = match url.host().ok_or(Refusal::NoHost)? {
            Host::Ipv4(address) => vec![IpAddr::from(address)],
            Host::Ipv6(address) => vec![IpAddr::from(address)],
            Host::Domain(name) => {
                resolver::checked(rules, &*lookup.0, reach, config.connect_timeout, name).await?
            }
        };
        let found: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        if found.iter().any(|address| self.is_closed(*address)) {
            return Err(Refusal::Closed.into());
        }
        Ok(found)
    }

    fn is_closed(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        let same = |closed: &SocketAddr| {
            let closed_ip = closed.ip().to_canonical();
            // All loopback and unspecified addresses lead to the same listener.
            let local = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
            closed.port() == address.port() && (closed_ip == ip || local(closed_ip) && local(ip))
        };
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).iter().any(same)
    }

    fn refusal(&self, url: &Url, error: &ResolveError) -> Status {
        let host = url.host_str().unwrap_or_default();
        match error {
            ResolveError::Refused(refusal) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                tracing::info!(host, code = refusal.code(), "a page asked the browser for a refused address");
                Status(403)
            }
            ResolveError::Timeout(_) => Status(504),
            ResolveError::Empty(_) | ResolveError::Failed(..) => Status(502),
        }
    }
}
