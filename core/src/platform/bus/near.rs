//! What this process has read, for a few seconds, so that a request need not ask for it again.
//!
//! It is believed only while the news of what is to be forgotten come in: what was changed elsewhere is
//! forgotten here as soon as Redis tells, and at the latest when it expires.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::SubscriberClient;
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Builder;
use moka::sync::Cache;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// How long a value is believed without a word.
const TTL: Duration = Duration::from_secs(10);

/// Values at most; the least used go first.
const MOST: u64 = 50_000;

/// How long to wait before listening again.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone)]
pub(super) struct Near(Arc<Shared>);

struct Shared {
    values: Cache<String, String>,
    channel: String,
    builder: Builder,
    begun: AtomicBool,
    listening: AtomicBool,
    /// How often something was forgotten.
    forgotten: AtomicU64,
    stop: CancellationToken,
}

impl Near {
    pub(super) fn new(builder: Builder, channel: String) -> Self {
        Self(Arc::new(Shared {
            values: Cache::builder().max_capacity(MOST).time_to_live(TTL).build(),
            channel,
            builder,
            begun: AtomicBool::new(false),
            listening: AtomicBool::new(false),
            forgotten: AtomicU64::new(0),
            stop: CancellationToken::new(),
        }))
    }

    /// The channel on which names are told that are to be forgotten.
    pub(super) fn channel(&self) -> &str {
        &self.0.channel
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        if self.0.listening.load(Ordering::Acquire) { self.0.values.get(name) } else { None }
    }

    /// A moment, for [`Near::keep`].
    pub(super) fn now(&self) -> u64 {
        self.0.forgotten.load(Ordering::Acquire)
    }

    /// Keeps what was asked for at a moment, unless something was forgotten since: it may be this.
    pub(super) fn keep(&self, name: &str, value: &str, asked: u64) {
        if self.0.listening.load(Ordering::Acquire) {
            self.0.values.insert(name.to_owned(), value.to_owned());
            if self.now() != asked {
                self.0.values.invalidate(name);
            }
        } else if !self.0.begun.swap(true, Ordering::AcqRel) {
            // Processes that read no cache need not listen.
            tokio::spawn(Arc::clone(&self.0).listen());
        }
    }

    pub(super) fn forget(&self, name: &str) {
        self.0.forget(name);
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
                if let Err(error) = self.hear().await {
                    tracing::debug!(%error, "what is to be forgotten is not heard");
                }
                self.deaf();
                tokio::time::sleep(PAUSE).await;
            }
        };
        stop.run_until_cancelled(listening).await;
        self.deaf();
    }

    /// Listens until the connection breaks.
    async fn hear(&self) -> Result<(), fred::error::Error> {
        let client = self.builder.build_subscriber_client()?;
        let connection = client.connect();
        client.wait_for_connect().await?;
        let outcome = self.hear_of(&client).await;
        connection.abort();
        outcome
    }

    async fn hear_of(&self, client: &SubscriberClient) -> Result<(), fred::error::Error> {
        let (mut told, mut broken) = (client.message_rx(), client.error_rx());
        client.subscribe(self.channel.as_str()).await?;
        // What was read before may have changed unheard.
        self.forget_all();
        self.listening.store(true, Ordering::Release);
        loop {
            tokio::select! {
                message = told.recv() => match message {
                    Ok(message) => {
                        if let Some(name) = message.value.as_str() {
                            self.forget(&name);
                        }
                    }
                    Err(RecvError::Lagged(_)) => self.forget_all(),
                    Err(RecvError::Closed) => return Ok(()),
                },
                _ = broken.recv() => return Ok(()),
            }
        }
    }

    fn deaf(&self) {
        self.listening.store(false, Ordering::Release);
        self.forget_all();
    }

    fn forget(&self, name: &str) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.values.invalidate(name);
    }

    fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.values.invalidate_all();
    }
}
