//! Access to the in-process cache, and its invalidation in every process.
//!
//! Redis carries only the names of invalid values. Redis write access permits evicting values, not forging them.

use fred::interfaces::{ClientLike, PubsubInterface};

use super::Bus;

impl Bus {
    /// The cached value of a name; `None` while the invalidation channel is down.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.near.get(name)
    }

    /// The cache generation. Read it before a value to cache.
    pub(crate) fn generation(&self) -> u64 {
        self.near.generation()
    }

    /// Caches a value read after `generation`.
    pub(crate) fn keep(&self, name: &str, value: &str, generation: u64) {
        self.near.keep(name, value, generation);
    }

    /// Invalidates a name in every process. A process without a Redis connection drops its cache, or its value
    /// expires.
    pub(crate) async fn invalidate(&self, name: &str) {
        self.near.invalidate(name);
        if !self.client.is_connected() {
            return;
        }
        let published = self.client.publish::<(), _, _>(self.near.channel(), name).await;
        if let Err(error) = published {
            tracing::debug!(%error, "cache invalidation not published; the value expires");
        }
    }
}
