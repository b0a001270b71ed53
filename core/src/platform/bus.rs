//! The bus: job events, cache invalidation, shared rate limits and host turns, through Redis.
//!
//! Only this folder uses `fred`. Best effort: an event that Redis does not accept is dropped, because the
//! ledger is authoritative. Refers to jobs by id. Must never: import the ledger.

use std::borrow::Cow;
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Builder;
use fred::types::config::{Config as FredConfig, ReconnectPolicy};
use serde::{Deserialize, Serialize};

use crate::error::{BoxError, Error, Part, Result};
use crate::ids::{JobId, SourceId, TenantId};
use crate::platform::config::Config;

mod cache;
mod near_cache;
mod shared_buckets;
mod shared_turns;
mod subscription;

use near_cache::NearCache;
pub(crate) use shared_buckets::{Rate, RateLimited, Spent};
use subscription::Subscription;

/// A state change of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobEvent {
    /// The owner.
    pub tenant: TenantId,
    /// The job.
    pub job: JobId,
    /// Its source, if any.
    pub source: Option<SourceId>,
    /// Name of the new state.
    pub state: Cow<'static, str>,
}

/// Redis client. Connects in the background and reconnects automatically.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    namespace: String,
    near: NearCache,
    events: Subscription,
}

impl Bus {
    /// Starts connecting. Redis need not be up.
    ///
    /// # Errors
    /// When the URL is not a Redis URL.
    pub fn new(config: &Config) -> Result<Self> {
        let misconfigured = |error: BoxError| Error::internal("REDIS_URL cannot be used", error);
        let url = config.redis.require().map_err(|error| misconfigured(error.into()))?;
        let builder = FredConfig::from_url(url)
            .map(|mut config| {
                // A process may start before Redis.
                config.fail_fast = false;
                let mut builder = Builder::from_config(config);
                builder
                    .with_performance_config(|performance| {
                        performance.default_command_timeout = Duration::from_secs(2);
                    })
                    .with_connection_config(|connection| {
                        connection.connection_timeout = Duration::from_secs(2);
                        // Fail commands while Redis is down instead of queueing them.
                        connection.max_command_attempts = 1;
                    })
                    .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2));
                builder
            })
            .map_err(|error| misconfigured(error.into()))?;
        let client = builder.build().map_err(|error| misconfigured(error.into()))?;
        client.on_error(|(error, _server)| async move {
            tracing::debug!(%error, "connection of the bus lost; reconnecting");
            Ok(())
        });
        drop(client.connect());
        let namespace = config.redis.namespace.clone();
        let events = Subscription::new(builder.clone(), format!("{namespace}.jobs.*"));
        let near = NearCache::new(builder, format!("{namespace}.forgotten"));
        Ok(Self { client, namespace, near, events })
    }

    /// Publishes an event without waiting.
    pub fn publish(&self, event: &JobEvent) {
        let channel = format!("{}.jobs.{}", self.namespace, event.tenant);
        let Ok(message) = serde_json::to_string(event) else { return };
        if !self.client.is_connected() {
            return;
        }
        let client = self.client.clone();
        tokio::spawn(async move {
            let sent: Result<(), _> = client.publish(channel, message).await;
            if let Err(error) = sent {
                tracing::debug!(%error, "job event dropped");
            }
        });
    }

    /// Subscribes to the job events of all processes. Events are missed while Redis is down.
    #[must_use]
    pub fn job_events(&self) -> tokio::sync::broadcast::Receiver<JobEvent> {
        self.events.listen()
    }

    /// Checks that Redis answers.
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

    /// Waits up to three seconds for the first connection, for short-lived commands.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with Redis' error.
    pub async fn wait_for_connection(&self) -> Result<()> {
        match tokio::time::timeout(Duration::from_secs(3), self.client.wait_for_connect()).await {
            Ok(connected) => connected.map_err(|error| Error::unavailable(Part::Redis, error)),
            Err(late) => Err(Error::unavailable(Part::Redis, late)),
        }
    }

    /// Closes the connection.
    pub async fn close(&self) {
        self.near.close();
        self.events.close();
        if let Err(error) = self.client.quit().await {
            tracing::debug!(%error, "bus not closed cleanly");
        }
    }
}
