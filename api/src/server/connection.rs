//! Serving of one connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::activity::{Activity, ResponseBody};
use super::deadline::Timeouts;
use super::timed_io::TimedIo;
use super::{Protocol, SharedEndpoint};

/// State shared by all connections of a server.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) endpoint: SharedEndpoint,
    pub(super) protocol: Arc<Protocol>,
    pub(super) local: LocalAddr,
    pub(super) timeouts: Timeouts,
    /// Ends connections after their open requests.
    pub(super) finish: CancellationToken,
    /// Ends connections at once.
    pub(super) cut: CancellationToken,
}

impl Served {
    /// Runs a connection to its end. A disconnect drops the open requests and streams at once.
    pub(super) async fn serve(self, socket: TcpStream, peer: SocketAddr) {
        // Nagle's algorithm would hold each streamed delta for 40 ms, until the one before is acknowledged.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "setting TCP_NODELAY failed; closing the connection");
            return;
        }
        let Self { endpoint, protocol, local, timeouts, finish, cut } = self;
        let activity = Activity::new();
        let io = TokioIo::new(TimedIo::new(socket, Arc::clone(&activity), timeouts));
        let requests = Arc::clone(&activity);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let in_progress = requests.begin();
            let remote = RemoteAddr(peer.into());
            let mut request = Request::from((request, local.clone(), remote, Scheme::HTTP));
            request.set_data(in_progress.clone());
            let endpoint = Arc::clone(&endpoint);
            async move {
                let response: hyper::Response<_> = endpoint.get_response(request).await.into();
                Ok::<_, Infallible>(response.map(|body| ResponseBody { body, request: Some(in_progress) }))
            }
        });
        let mut connection = std::pin::pin!(protocol.serve_connection(io, service));
        let mut is_finishing = false;
        let ended = loop {
            tokio::select! {
                ended = connection.as_mut() => break ended,
                () = cut.cancelled() => return,
                () = finish.cancelled(), if !is_finishing => {}
                () = activity.idle.notified(), if !is_finishing => {}
            }
            is_finishing = true;
            connection.as_mut().graceful_shutdown();
        };
        if let Err(error) = ended {
            tracing::debug!(error, "connection ended");
        }
    }
}
