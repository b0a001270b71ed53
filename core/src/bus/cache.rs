//! Small caches: values by name, for seconds, in Redis and near.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface, PubsubInterface};
use fred::types::{Expiration, SetOptions};

use super::Bus;

/// How long a look into the cache may take before it is passed over.
const PATIENCE: Duration = Duration::from_millis(50);

impl Bus {
    /// What is kept under a name; nothing too when Redis is away or slow, for whoever asks can do without.
    pub(crate) async fn get(&self, name: &str) -> Option<String> {
        if let Some(value) = self.near.get(name) {
            return Some(value);
        }
        let asked = self.near.now();
        let asking =
            self.cached(|client, key| async move { client.get::<Option<String>, _>(key).await }, name);
        let value = tokio::time::timeout(PATIENCE, asking).await.ok()?.flatten()?;
        self.near.keep(name, &value, asked);
        Some(value)
    }

    /// A moment before something is read that is to be kept.
    pub(crate) fn asked(&self) -> u64 {
        self.near.now()
    }

    /// Keeps a value that was read since `asked`, for a while, unless there is one.
    pub(crate) async fn put_if_absent(&self, name: &str, value: &str, ttl: Duration, asked: u64) {
        if self.set(name, value, ttl, Some(SetOptions::NX)).await {
            self.near.keep(name, value, asked);
        }
    }

    /// Keeps a value for a while, and has every process forget what it had.
    pub(crate) async fn put(&self, name: &str, value: &str, ttl: Duration) {
        self.set(name, value, ttl, None).await;
        self.tell_forgotten(name).await;
    }

    /// Keeps nothing under a name, and has every process forget what it had.
    pub(crate) async fn forget(&self, name: &str) {
        self.cached(|client, key| async move { client.del::<(), _>(key).await }, name).await;
        self.tell_forgotten(name).await;
    }

    async fn tell_forgotten(&self, name: &str) {
        self.near.forget(name);
        let (channel, name) = (self.near.channel().to_owned(), name.to_owned());
        let tell = |client: Client, _| async move { client.publish::<(), _, _>(channel, name).await };
        self.cached(tell, "").await;
    }

    /// Whether it is kept.
    async fn set(&self, name: &str, value: &str, ttl: Duration, options: Option<SetOptions>) -> bool {
        let expiry = Expiration::PX(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        let value = value.to_owned();
        let write = |client: Client, key| async move {
            client.set::<Option<String>, _, _>(key, value, Some(expiry), options, false).await
        };
        self.cached(write, name).await.flatten().is_some()
    }

    /// Does something to a name, if Redis is there; what it says against it is for the log.
    async fn cached<T, F>(&self, act: impl FnOnce(Client, String) -> F, name: &str) -> Option<T>
    where
        F: Future<Output = Result<T, fred::error::Error>>,
    {
        if !self.client.is_connected() {
            return None;
        }
        let done = act(self.client.clone(), format!("{}.{name}", self.namespace)).await;
        done.inspect_err(|error| tracing::debug!(%error, "the cache was passed over")).ok()
    }
}
