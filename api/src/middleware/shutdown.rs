//! The end of a process behind a balancer: first it says that it is leaving and serves on, so that nobody sends it more;
//! only then it takes no more connections.

use poem::http::{HeaderValue, Version, header};
use poem::{Request, Response};
use tokio_util::sync::CancellationToken;

/// Whether the process was told to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaving(CancellationToken);

impl Leaving {
    /// When this is cancelled.
    pub(crate) fn at(stop: CancellationToken) -> Self {
        Self(stop)
    }

    pub(crate) fn is_so(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Until it is so.
    pub(crate) async fn begins(&self) {
        self.0.cancelled().await;
    }

    /// Asks the client of a connection that it keeps to come back on another: no balancer moves that one.
    pub(crate) fn part(&self, version: Version, response: &mut Response) {
        if self.is_so() && version <= Version::HTTP_11 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// That of a request's process.
    pub(crate) fn of(request: &Request) -> Self {
        request.data().cloned().unwrap_or_default()
    }
}
