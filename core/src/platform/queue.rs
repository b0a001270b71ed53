//! Job queues in Redis, by apalis. They carry hints that a job waits in the ledger.
//!
//! The only file of the domain that names `apalis_redis`. A hint holds only an id. It may be lost,
//! duplicated or late, which costs only time. Hence no transport retries, no idempotency keys, a new task id for
//! each push, and immediate acknowledgement.
//!
//! Refers to queues by name. Must never: import the ledger.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apalis::prelude::{Strategy, TaskSink};
use apalis_core::backend::Vacuum;
use apalis_redis::{Client, Config as Backend, ConnectionManager, RedisStorage};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::error::{Error, Part, Result};
use crate::ids::JobId;
use crate::platform::config::Config;

/// Timeout of a Redis command.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Time to live of the metadata that apalis writes for each registered worker. Parlance never reads it, and apalis never
/// removes it.
const DESCRIPTION_TTL: Duration = Duration::from_secs(60);

/// The message in Redis.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Hint {
    /// The job to look up in the ledger.
    pub job: JobId,
}

/// Backend of an apalis worker: a stream of hints.
pub type Consumer = apalis::prelude::PollWith<RedisStorage<Hint>, Strategy>;

/// Client of the queues in Redis. Connects on first use and reconnects automatically.
#[derive(Clone)]
pub struct Queue {
    connection: ConnectionManager,
    namespace: String,
    /// Notified when this process pushes hints to a queue.
    arrivals: Arc<Signals>,
    /// Notified when a queue may have jobs to dispatch, or room for more.
    nudges: Arc<Signals>,
}

/// One [`Notify`] per queue, created on first use.
#[derive(Debug, Default)]
struct Signals(Mutex<HashMap<&'static str, Arc<Notify>>>);

impl Signals {
    fn of(&self, queue: &'static str) -> Arc<Notify> {
        let mut signals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(signals.entry(queue).or_default())
    }
}

impl Queue {
    /// Prepares the connection. Redis need not be up.
    ///
    /// # Errors
    /// When the URL is not a Redis URL.
    pub fn new(config: &Config) -> Result<Self> {
        let url = config.redis.require().map_err(|error| Error::internal("no Redis is configured", error))?;
        let connection = Client::open(url)
            .and_then(|client| client.get_connection_manager_lazy(Default::default()))
            .map_err(|error| Error::internal("REDIS_URL cannot be used", error))?;
        Ok(Self {
            connection,
            namespace: config.redis.namespace.clone(),
            arrivals: Arc::default(),
            nudges: Arc::default(),
        })
    }

    /// Pushes a hint for each job, and wakes this process's consumer even if there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not accept them; some may have arrived.
    pub async fn push(&self, queue: &'static str, jobs: &[JobId]) -> Result<()> {
        if !jobs.is_empty() {
            let hints = jobs.iter().map(|&job| Hint { job }).collect();
            let mut storage = self.storage(queue);
            with_timeout(storage.push_bulk(hints)).await?;
        }
        self.arrivals.of(queue).notify_one();
        Ok(())
    }

    /// Number of hints that no consumer has taken yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn untaken(&self, queue: &str) -> Result<usize> {
        let storage = self.storage(queue);
        let config = storage.get_config();
        // apalis first adds every hint to the set of scheduled hints; the next fetch moves the due ones to the queue.
        let mut count = redis::pipe();
        count.zcard(config.scheduled_jobs_set()).llen(config.active_jobs_list());
        let (scheduled, active): (usize, usize) =
            with_timeout(count.query_async(&mut self.connection.clone())).await?;
        Ok(scheduled.saturating_add(active))
    }

    /// Signals this process's dispatcher that a queue may have jobs to dispatch, or room for more. Returns immediately.
    pub fn nudge(&self, queue: &'static str) {
        self.nudges.of(queue).notify_one();
    }

    /// Waits for a nudge; an earlier unconsumed one counts.
    pub async fn nudged(&self, queue: &'static str) {
        self.nudges.of(queue).notified().await;
    }

    /// Sets a time to live on the metadata of an apalis worker, so that it expires even if the worker is killed. Call
    /// it before building the worker: apalis adds to the key created here and keeps its expiry.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn expect_consumer(&self, queue: &str, name: &str) -> Result<()> {
        let key = format!("{}:workers:metadata:{name}", self.key(queue));
        let mut describe = redis::pipe();
        describe.atomic();
        describe.hset(&key, "service", "parlance").ignore();
        describe.expire(&key, DESCRIPTION_TTL.as_secs().cast_signed()).ignore();
        with_timeout(describe.query_async::<()>(&mut self.connection.clone())).await
    }

    /// Hint stream of one apalis worker. Polls when this process pushes hints, and at least every `poll_interval` for
    /// hints of other processes.
    #[must_use]
    pub fn consumer(&self, queue: &'static str, poll_interval: Duration) -> Consumer {
        let strategy = Strategy::new().stream(self.arrivals(queue)).interval(poll_interval);
        Consumer::new(self.storage(queue), strategy)
    }

    fn arrivals(&self, queue: &'static str) -> Pin<Box<dyn Stream<Item = ()> + Send + Sync>> {
        Box::pin(stream::unfold(self.arrivals.of(queue), |arrived| async move {
            arrived.notified().await;
            Some(((), arrived))
        }))
    }

    /// Deletes the Redis data of finished hints, which apalis would keep forever.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn vacuum(&self, queue: &str) -> Result<()> {
        let mut storage = self.storage(queue);
        with_timeout(storage.vacuum()).await?;
        // The vacuum does not delete the ids of finished and failed hints.
        let config = storage.get_config();
        let (done, dead) = (config.done_jobs_set(), config.dead_jobs_set());
        let mut delete = redis::cmd("DEL");
        delete.arg(done).arg(dead);
        let mut connection = self.connection.clone();
        let _removed: i64 = with_timeout(delete.query_async(&mut connection)).await?;
        Ok(())
    }

    fn key(&self, queue: &str) -> String {
        format!("{}.{queue}", self.namespace)
    }

    fn storage(&self, queue: &str) -> RedisStorage<Hint> {
        let backend = Backend::default()
            .queue(self.key(queue))
            .batch_size(1)
            .heartbeat_interval(Duration::from_secs(5))
            .missed_heartbeats(6)
            .lock_tasks(false)
            .emit_events(false);
        RedisStorage::new(self.connection.clone()).with_config(backend)
    }
}

async fn with_timeout<T, E>(call: impl Future<Output = Result<T, E>>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match tokio::time::timeout(TIMEOUT, call).await {
        Ok(answer) => answer.map_err(|error| Error::unavailable(Part::Redis, error)),
        Err(late) => Err(Error::unavailable(Part::Redis, late)),
    }
}
