//! Graceful shutdown behind a load balancer.
//!
//! A stopping process first reports "not ready" and keeps serving, so that balancers take it out of rotation;
//! only then does it stop accepting connections.

use std::sync::Arc;

use poem::http::{HeaderValue, Version, header};
use poem::{Endpoint, Request, Response, Result};
use tokio_util::sync::CancellationToken;

/// Whether shutdown was requested.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown(CancellationToken);

impl Shutdown {
    /// Starts when `stop` is cancelled.
    pub(crate) fn on(stop: CancellationToken) -> Self {
        Self(stop)
    }

    /// The state attached to a request by [`close_connections`].
    pub(crate) fn of(request: &Request) -> Self {
        request.data().cloned().unwrap_or_default()
    }

    pub(crate) fn has_started(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for the start.
    pub(crate) async fn started(&self) {
        self.0.cancelled().await;
    }
}

/// Closes HTTP/1 connections after the response during shutdown, so that clients reconnect elsewhere: a balancer
/// does not move an open connection.
pub(crate) async fn close_connections<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    mut request: Request,
    shutdown: Shutdown,
) -> Result<Response> {
    let version = request.version();
    request.set_data(shutdown.clone());
    let mut response = next.call(request).await?;
    if shutdown.has_started() && version <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
