//! The bus: short-lived news and small caches in Redis. It and its folder alone name `fred`.
//!
//! Nothing waits for it: news that Redis does not take is dropped, for the ledger knows it anyway.

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

mod buckets;
mod cache;
mod near;
mod news;

pub(crate) use buckets::{Rate, Spent};
use near::Near;
use news::News;

/// News about a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobEvent {
    /// Whose job it is.
    pub tenant: TenantId,
    /// The job.
    pub job: JobId,
    /// Its source, when it has one.
    pub source: Option<SourceId>,
    /// Name of its new state.
    pub state: Cow<'static, str>,
}

/// A client of Redis that connects in the background, and again whenever it must.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    namespace: String,
    near: Near,
    news: News,
}

impl Bus {
    /// Starts connecting; Redis need not be up.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn new(config: &Config) -> Result<Self> {
        let misconfigured = |error: BoxError| Error::internal("REDIS_URL cannot be used", error);
        let url = config.redis.require().map_err(|error| misconfigured(error.into()))?;
        let builder = FredConfig::from_url(url)
            .map(|mut config| {
                // A process that starts before Redis does finds it later.
                config.fail_fast = false;
                let mut builder = Builder::from_config(config);
                builder
                    .with_performance_config(|performance| {
                        performance.default_command_timeout = Duration::from_secs(2);
                    })
                    .with_connection_config(|connection| {
                        connection.connection_timeout = Duration::from_secs(2);
                        // Commands fail while Redis is away, instead of piling up for its return.
                        connection.max_command_attempts = 1;
                    })
                    .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2));
                builder
            })
            .map_err(|error| misconfigured(error.into()))?;
        let client = builder.build().map_err(|error| misconfigured(error.into()))?;
        client.on_error(|(error, _server)| async move {
            tracing::debug!(%error, "the bus lost its connection");
            Ok(())
        });
        drop(client.connect());
        let namespace = config.redis.namespace.clone();
        let news = News::new(builder.clone(), format!("{namespace}.jobs.*"));
        let near = Near::new(builder, format!("{namespace}.forgotten"));
        Ok(Self { client, namespace, near, news })
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

    /// What is told of jobs from now on, by any process; what is told while Redis is away is missed.
    #[must_use]
    pub fn news(&self) -> tokio::sync::broadcast::Receiver<JobEvent> {
        self.news.listen()
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
        self.near.close();
        self.news.close();
        if let Err(error) = self.client.quit().await {
            tracing::debug!(%error, "the bus was not closed in order");
        }
    }
}
