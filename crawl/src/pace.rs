//! Pace of requests: the caller decides when the next request to a host may be sent.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

/// Spaces the requests to each host.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for the turn of a request to the URL's host.
    async fn wait(&self, url: &Url);

    /// Pauses requests to a host that returned 429 or 503, and increases the interval of later ones.
    async fn slow_down(&self, url: &Url, pause: Duration);
}
