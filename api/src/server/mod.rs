//! HTTP server: accepts connections, bounds their number, and runs them until they end.
//!
//! poem's own server sets no timer for heads, keeps the connection of a disconnected client open, and has no bound on
//! connections (docs/decisions/0048-limits-are-a-tenants.md). Must never: depend on a route or a tenant.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto;
use parlance_core::platform::config;
use poem::endpoint::BoxEndpoint;
use poem::web::LocalAddr;
use poem::{Endpoint, EndpointExt, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod activity;
mod connection;
mod connections;
mod deadline;
mod open_files;
mod timed_io;

pub(crate) use activity::RequestInProgress;
use connection::Served;
pub(crate) use connections::{ConnectionMetrics, Connections};
use deadline::Timeouts;

/// Pause after a failed `accept`: the process has no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Largest head of an HTTP/2 request, in bytes.
const MAX_HTTP2_HEAD: u32 = 16 * 1024;

/// Most streams of an HTTP/2 connection that a client may reset before they are accepted (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// A server.
pub(crate) struct Server {
    /// For the log.
    pub(crate) name: &'static str,
    pub(crate) listener: TcpListener,
    pub(crate) connections: Connections,
}

impl Server {
    /// Serves until `stop_accepting` ends; then finishes the open requests within `drain`.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub(crate) async fn run(
        self,
        http: &config::Http,
        endpoint: impl Endpoint<Output = Response> + 'static,
        stop_accepting: impl Future<Output = ()>,
        drain: Duration,
    ) -> io::Result<()> {
        let Self { name, listener, connections } = self;
        let local = listener.local_addr()?;
        let (finish, cut) = (CancellationToken::new(), CancellationToken::new());
        let served = Served {
            endpoint: Arc::new(endpoint.boxed()),
            protocol: Arc::new(protocol()),
            local: LocalAddr(local.into()),
            timeouts: Timeouts { head: http.head_timeout, idle: http.idle_timeout },
            finish: finish.clone(),
            cut: cut.clone(),
        };
        tracing::info!(name, address = %local, "server started");
        let open = TaskTracker::new();
        tokio::pin!(stop_accepting);
        loop {
            let (socket, peer) = tokio::select! {
                () = &mut stop_accepting => break,
                accepted = accept(&listener) => accepted,
            };
            let Some(place) = connections.take(peer.ip()) else { continue };
            let served = served.clone();
            open.spawn(async move {
                served.serve(socket, peer).await;
                drop(place);
            });
        }
        drop(listener);
        finish.cancel();
        open.close();
        if tokio::time::timeout(drain, open.wait()).await.is_err() {
            tracing::info!(name, connections = open.len(), "closing the connections that are still open");
            cut.cancel();
            open.wait().await;
        }
        tracing::info!(name, "server stopped");
        Ok(())
    }
}

type SharedEndpoint = Arc<BoxEndpoint<'static, Response>>;

type Protocol = auto::Builder<TokioExecutor>;

/// HTTP/1 or HTTP/2, detected from the first bytes of a connection.
fn protocol() -> Protocol {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    // hyper's timeout for heads would also end idle connections; `timed_io` has both timeouts.
    protocol.http1().header_read_timeout(None);
    protocol
        .http2()
        .max_header_list_size(MAX_HTTP2_HEAD)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS);
    protocol
}

/// The next connection. Retries after failures.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed; retrying");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
