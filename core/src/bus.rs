//! The bus: short-lived news and small caches in Redis. The only file that names `fred`.
//!
//! Nothing waits for it: news that Redis does not take is dropped, for the ledger knows it anyway.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, EventInterface, KeysInterface, PubsubInterface};
use fred::types::config::{Config as FredConfig, ReconnectPolicy};
use fred::types::{Builder, Expiration, SetOptions};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::{BoxError, Error, Part, Result};
use crate::ids::{JobId, SourceId, TenantId};
use crate::jobs::State;

/// How long a look into the cache may take before it is passed over.
const CACHE_PATIENCE: Duration = Duration::from_millis(50);

/// News about a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobEvent {
    /// Whose job it is.
    pub tenant: TenantId,
    /// The job.
    pub job: JobId,
    /// Its source, when it has one.
    pub source: Option<SourceId>,
    /// Where it stands now.
    pub state: State,
}

/// A client of Redis that connects in the background, and again whenever it must.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    namespace: String,
}

impl Bus {
    /// Starts connecting; Redis need not be up.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn new(config: &Config) -> Result<Self> {
        let misconfigured = |error: BoxError| Error::internal("REDIS_URL cannot be used", error);
        let url = config.redis.require().map_err(|error| misconfigured(error.into()))?;
        let client = FredConfig::from_url(url)
            .and_then(|mut config| {
                // A process that starts before Redis does finds it later.
                config.fail_fast = false;
                Builder::from_config(config)
                    .with_performance_config(|performance| {
                        performance.default_command_timeout = Duration::from_secs(2);
                    })
                    .with_connection_config(|connection| {
                        connection.connection_timeout = Duration::from_secs(2);
                        // Commands fail while Redis is away, instead of piling up for its return.
                        connection.max_command_attempts = 1;
                    })
                    .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
                    .build()
            })
            .map_err(|error| misconfigured(error.into()))?;
        client.on_error(|(error, _server)| async move {
            tracing::debug!(%error, "the bus lost its connection");
            Ok(())
        });
        drop(client.connect());
        Ok(Self { client, namespace: config.redis.namespace.clone() })
    }

    /// Tells whoever listens. Returns at once.
    pub fn publish(&self, event: &JobEvent) {
        let channel = format!("{}.jobs.{}", self.namespace, event.tenant);
        let Ok(news) = serde_json::to_string(event) else { return };
        if !self.client.is_connected() {
            return;
        }
        let client = self.client.clone();
        tokio::spawn(async move {
            let sent: Result<(), _> = client.publish(channel, news).await;
            if let Err(error) = sent {
                tracing::debug!(%error, "an event was dropped");
            }
        });
    }

    /// What is kept under a name; nothing too when Redis is away or slow, for whoever asks can do without.
    pub(crate) async fn get(&self, name: &str) -> Option<String> {
        let asking =
            self.cached(|client, key| async move { client.get::<Option<String>, _>(key).await }, name);
        tokio::time::timeout(CACHE_PATIENCE, asking).await.ok()?.flatten()
    }

    /// Keeps a value for a while, unless there is one.
    pub(crate) async fn put_if_absent(&self, name: &str, value: &str, ttl: Duration) {
        self.set(name, value, ttl, Some(SetOptions::NX)).await;
    }

    /// Keeps a value for a while.
    pub(crate) async fn put(&self, name: &str, value: &str, ttl: Duration) {
        self.set(name, value, ttl, None).await;
    }

    /// Keeps nothing under a name.
    pub(crate) async fn forget(&self, name: &str) {
        self.cached(|client, key| async move { client.del::<(), _>(key).await }, name).await;
    }

    async fn set(&self, name: &str, value: &str, ttl: Duration, options: Option<SetOptions>) {
        let expiry = Expiration::PX(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        let value = value.to_owned();
        let write = |client: Client, key| async move {
            client.set::<(), _, _>(key, value, Some(expiry), options, false).await
        };
        self.cached(write, name).await;
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

    /// Whether Redis answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<()> {
        if !self.client.is_connected() {
            return Err(Error::unavailable(Part::Redis, "not connected"));
        }
        let pong: Result<String, _> = self.client.ping(None).await;
        pong.map(drop).map_err(|error| Error::unavailable(Part::Redis, error))
    }

    /// Waits for the first connection, a few seconds at most: for commands that just started.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what Redis said.
    pub async fn wait_for_connection(&self) -> Result<()> {
        match tokio::time::timeout(Duration::from_secs(3), self.client.wait_for_connect()).await {
            Ok(connected) => connected.map_err(|error| Error::unavailable(Part::Redis, error)),
            Err(late) => Err(Error::unavailable(Part::Redis, late)),
        }
    }

    /// Closes the connection.
    pub async fn close(&self) {
        if let Err(error) = self.client.quit().await {
            tracing::debug!(%error, "the bus was not closed in order");
        }
    }
}
