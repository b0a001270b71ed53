//! In-process cache of recently read values, invalidated through Redis.
//!
//! Used only while the invalidation channel is connected: a value changed elsewhere is dropped as soon as its
//! invalidation arrives, and at the latest after [`TTL`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::SubscriberClient;
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Builder;
use moka::sync::Cache;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Maximum age of a value.
const TTL: Duration = Duration::from_secs(10);

/// Maximum number of values. The least recently used are evicted first.
const CAPACITY: u64 = 50_000;

/// Pause before reconnecting to the channel.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone)]
pub(super) struct NearCache(Arc<Shared>);

struct Shared {
    values: Cache<String, String>,
    channel: String,
    builder: Builder,
    started: AtomicBool,
    listening: AtomicBool,
    /// Incremented with every invalidation.
    generation: AtomicU64,
    stop: CancellationToken,
}

impl NearCache {
    pub(super) fn new(builder: Builder, channel: String) -> Self {
        Self(Arc::new(Shared {
            values: Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build(),
            channel,
            builder,
            started: AtomicBool::new(false),
            listening: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            stop: CancellationToken::new(),
        }))
    }

    /// Cache-invalidation channel.
    pub(super) fn channel(&self) -> &str {
        &self.0.channel
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        if self.0.listening.load(Ordering::Acquire) { self.0.values.get(name) } else { None }
    }

    /// The current generation, for [`NearCache::keep`].
    pub(super) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Caches a value whose read began at a generation, unless there was an invalidation since, possibly of this value.
    pub(super) fn keep(&self, name: &str, value: &str, generation: u64) {
        if self.0.listening.load(Ordering::Acquire) {
            self.0.values.insert(name.to_owned(), value.to_owned());
            if self.generation() != generation {
                self.0.values.invalidate(name);
            }
        } else if !self.0.started.swap(true, Ordering::AcqRel) {
            // Started on first use: a process without cache reads need not listen.
            tokio::spawn(Arc::clone(&self.0).listen());
        }
    }

    pub(super) fn invalidate(&self, name: &str) {
        self.0.invalidate(name);
    }

    pub(super) fn close(&self) {
        self.0.stop.cancel();
    }
}

impl Shared {
    async fn listen(self: Arc<Self>) {
        let stop = self.stop.clone();
        let listening = async {
            loop {
                if let Err(error) = self.listen_once().await {
                    tracing::debug!(%error, "cache-invalidation channel lost; reconnecting");
                }
                self.disable();
                tokio::time::sleep(PAUSE).await;
            }
        };
        stop.run_until_cancelled(listening).await;
        self.disable();
    }

    /// Listens until the connection breaks.
    async fn listen_once(&self) -> Result<(), fred::error::Error> {
        let client = self.builder.build_subscriber_client()?;
        let connection = client.connect();
        client.wait_for_connect().await?;
        let outcome = self.receive(&client).await;
        connection.abort();
        outcome
    }

    async fn receive(&self, client: &SubscriberClient) -> Result<(), fred::error::Error> {
        let (mut messages, mut errors) = (client.message_rx(), client.error_rx());
        client.subscribe(self.channel.as_str()).await?;
        // Values read before may have changed while the channel was down.
        self.invalidate_all();
        self.listening.store(true, Ordering::Release);
        loop {
            tokio::select! {
                message = messages.recv() => match message {
                    Ok(message) => {
                        if let Some(name) = message.value.as_str() {
                            self.invalidate(&name);
                        }
                    }
                    Err(RecvError::Lagged(_)) => self.invalidate_all(),
                    Err(RecvError::Closed) => return Ok(()),
                },
                _ = errors.recv() => return Ok(()),
            }
        }
    }

    fn disable(&self) {
        self.listening.store(false, Ordering::Release);
        self.invalidate_all();
    }

    fn invalidate(&self, name: &str) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.values.invalidate(name);
    }

    fn invalidate_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.values.invalidate_all();
    }
}
