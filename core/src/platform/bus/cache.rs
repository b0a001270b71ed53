//! Small caches: values by name, in this process, for seconds. Redis carries only the news of what is to be
//! forgotten: whoever can write to it can have values forgotten, and none believed.

use fred::interfaces::{ClientLike, PubsubInterface};

use super::Bus;

impl Bus {
    /// What this process keeps under a name, while it hears what is to be forgotten.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.near.get(name)
    }

    /// A moment before something is read that is to be kept.
    pub(crate) fn asked(&self) -> u64 {
        self.near.now()
    }

    /// Keeps a value that was read since `asked`, for a while.
    pub(crate) fn keep(&self, name: &str, value: &str, asked: u64) {
        self.near.keep(name, value, asked);
    }

    /// Has every process forget what it keeps under a name. Those that Redis does not reach, or from here, do when it
    /// expires.
    pub(crate) async fn forget(&self, name: &str) {
        self.near.forget(name);
        if !self.client.is_connected() {
            return;
        }
        let told = self.client.publish::<(), _, _>(self.near.channel(), name).await;
        if let Err(error) = told {
            tracing::debug!(%error, "what is to be forgotten was not told");
        }
    }
}
