//! The caller's limits on requests: when one may be sent, and when a large response may be read.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

/// Maximum size of a body, in bytes, that is read without [`Pace::room`]. Few pages are larger.
pub const SMALL_BODY: usize = 1024 * 1024;

/// Room in memory for a large body, released when the last clone is dropped.
pub type Room = Arc<dyn Any + Send + Sync>;

/// Spaces the requests to each host, and limits the memory of large responses.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for the turn of a request to the URL's host.
    async fn wait(&self, url: &Url);

    /// Pauses requests to a host that returned 429 or 503, and increases the interval of later ones.
    async fn slow_down(&self, url: &Url, pause: Duration);

    /// Waits for room for a body of more than [`SMALL_BODY`]. The time counts neither towards the timeout of the
    /// fetch nor as the time that the site took.
    async fn room(&self) -> Room;
}
