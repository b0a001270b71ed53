//! The queue: apalis on Redis, which carries hints that a job waits in the ledger.
//!
//! The only file of the domain that names `apalis_redis`. A hint holds an id and nothing else; it may
//! be lost, doubled or late, and nothing but time is. So: no retry policy of the transport's, no
//! idempotency keys, a fresh task id for each push, and everything acknowledged at once.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{Strategy, TaskSink};
use apalis_core::backend::Vacuum;
use apalis_redis::{Client, Config as Backend, ConnectionManager, RedisStorage};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::error::{Error, Part, Result};
use crate::ids::JobId;
use crate::jobs::{Kind, PerKind};
use crate::platform::config::Config;

/// Commands to Redis may take this long before it counts as down.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long Redis keeps what apalis writes of a worker that registers: a description which nothing of ours
/// reads, and which apalis never removes.
const DESCRIPTION_KEPT: Duration = Duration::from_secs(60);

/// What travels through Redis.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Hint {
    /// The job to look at.
    pub job: JobId,
}

/// Where a worker's apalis consumer takes its hints from.
pub type Consumer = apalis::prelude::PollWith<RedisStorage<Hint>, Strategy>;

/// The hints' way through Redis. Connects on first use and again by itself.
#[derive(Clone)]
pub struct Queue {
    connection: ConnectionManager,
    namespace: String,
    /// Rung when this process pushed hints.
    arrived: Arc<PerKind<Notify>>,
}

impl Queue {
    /// Prepares the connection; Redis need not be up.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn new(config: &Config) -> Result<Self> {
        let url = config.redis.require().map_err(|error| Error::internal("no Redis is configured", error))?;
        let connection = Client::open(url)
            .and_then(|client| client.get_connection_manager_lazy(Default::default()))
            .map_err(|error| Error::internal("REDIS_URL cannot be used", error))?;
        Ok(Self { connection, namespace: config.redis.namespace.clone(), arrived: Arc::default() })
    }

    /// Pushes a hint to each job.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not take them; some may have arrived.
    pub async fn push(&self, kind: Kind, jobs: &[JobId]) -> Result<()> {
        let hints = jobs.iter().map(|&job| Hint { job }).collect();
        let mut storage = self.storage(kind);
        patiently(storage.push_bulk(hints)).await?;
        self.arrived.of(kind).notify_one();
        Ok(())
    }

    /// To be called before an apalis worker of this name is built: has Redis forget it, also when it is killed.
    /// Apalis adds to the key that is made here, and leaves its time to live alone.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn expect_consumer(&self, kind: Kind, name: &str) -> Result<()> {
        let key = format!("{}:workers:metadata:{name}", self.name_of(kind));
        let mut describe = redis::pipe();
        describe.atomic();
        describe.hset(&key, "service", "parlance").ignore();
        describe.expire(&key, DESCRIPTION_KEPT.as_secs().cast_signed()).ignore();
        patiently(describe.query_async::<()>(&mut self.connection.clone())).await
    }

    /// A source of hints for one apalis worker. It looks as soon as this process pushed some, and at
    /// least every `at_least_every` for those of others.
    #[must_use]
    pub fn consumer(&self, kind: Kind, at_least_every: Duration) -> Consumer {
        let strategy = Strategy::new().stream(self.arrivals(kind)).interval(at_least_every);
        Consumer::new(self.storage(kind), strategy)
    }

    fn arrivals(&self, kind: Kind) -> Pin<Box<dyn Stream<Item = ()> + Send + Sync>> {
        Box::pin(stream::unfold(Arc::clone(&self.arrived), move |arrived| async move {
            arrived.of(kind).notified().await;
            Some(((), arrived))
        }))
    }

    /// Drops what finished hints leave behind in Redis, which apalis keeps for ever otherwise.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn vacuum(&self, kind: Kind) -> Result<()> {
        let mut storage = self.storage(kind);
        patiently(storage.vacuum()).await?;
        // Ids of finished and of failed hints, which the vacuum leaves.
        let config = storage.get_config();
        let (done, dead) = (config.done_jobs_set(), config.dead_jobs_set());
        let mut forget = redis::cmd("DEL");
        forget.arg(done).arg(dead);
        let mut connection = self.connection.clone();
        let _removed: i64 = patiently(forget.query_async(&mut connection)).await?;
        Ok(())
    }

    fn name_of(&self, kind: Kind) -> String {
        format!("{}.{kind}", self.namespace)
    }

    fn storage(&self, kind: Kind) -> RedisStorage<Hint> {
        let backend = Backend::default()
            .queue(self.name_of(kind))
            .batch_size(1)
            .heartbeat_interval(Duration::from_secs(5))
            .missed_heartbeats(6)
            .lock_tasks(false)
            .emit_events(false);
        RedisStorage::new(self.connection.clone()).with_config(backend)
    }
}

async fn patiently<T, E>(call: impl Future<Output = Result<T, E>>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(|error| Error::unavailable(Part::Redis, error)),
        Err(late) => Err(Error::unavailable(Part::Redis, late)),
    }
}
