//! Subscription of this process to the job events of all processes. Best effort: it only reduces latency.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Builder;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::JobEvent;

/// Capacity of the event channel. A listener that lags further behind misses events.
const CAPACITY: usize = 1_024;

/// Pause before resubscribing.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Subscription(Arc<Shared>);

struct Shared {
    builder: Builder,
    /// Pattern of the channels.
    pattern: String,
    events: broadcast::Sender<JobEvent>,
    started: AtomicBool,
    stop: CancellationToken,
}

impl Subscription {
    pub(super) fn new(builder: Builder, pattern: String) -> Self {
        Self(Arc::new(Shared {
            builder,
            pattern,
            events: broadcast::Sender::new(CAPACITY),
            started: AtomicBool::new(false),
            stop: CancellationToken::new(),
        }))
    }

    /// Receiver of future events. The first call subscribes the process.
    pub(super) fn listen(&self) -> broadcast::Receiver<JobEvent> {
        if !self.0.started.swap(true, Ordering::AcqRel) {
            let shared = Arc::clone(&self.0);
            tokio::spawn(async move {
                let stop = shared.stop.clone();
                stop.run_until_cancelled(shared.run()).await;
            });
        }
        self.0.events.subscribe()
    }

    pub(super) fn close(&self) {
        self.0.stop.cancel();
    }
}

impl Shared {
    async fn run(&self) {
        loop {
            if let Err(error) = self.receive().await {
                tracing::debug!(%error, "subscription to job events lost; resubscribing");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Receives until the connection breaks.
    async fn receive(&self) -> Result<(), fred::error::Error> {
        let client = self.builder.build_subscriber_client()?;
        let connection = client.connect();
        client.wait_for_connect().await?;
        let (mut messages, mut errors) = (client.message_rx(), client.error_rx());
        client.psubscribe(self.pattern.as_str()).await?;
        loop {
            tokio::select! {
                message = messages.recv() => {
                    let Ok(message) = message else { break };
                    let event = message.value.as_str().and_then(|text| serde_json::from_str(&text).ok());
                    if let Some(event) = event {
                        // Fails when no listener is left.
                        let _no_listener = self.events.send(event);
                    }
                }
                _ = errors.recv() => break,
            }
        }
        connection.abort();
        Ok(())
    }
}
