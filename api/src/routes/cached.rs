//! Short-lived cache of a result that is expensive and that anybody may request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// How old a result may be.
const TTL: Duration = Duration::from_secs(5);

/// The last result and its time. Clones share it.
pub(crate) struct Cached<T>(Arc<Mutex<Option<(Instant, T)>>>);

impl<T: Clone> Cached<T> {
    /// Returns the cached result, or computes a new one. One caller computes at a time: the others wait, and
    /// get its result.
    pub(crate) async fn get_or(&self, compute: impl Future<Output = T>) -> T {
        let mut last = self.0.lock().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < TTL
        {
            return result.clone();
        }
        let result = compute.await;
        *last = Some((Instant::now(), result.clone()));
        result
    }
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
