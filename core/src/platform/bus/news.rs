//! News of jobs, as this process hears them. Nobody relies on them: they only save waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Builder;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::JobEvent;

/// News that a listener may be behind before it misses some.
const BEHIND: usize = 1_024;

/// How long to wait before listening again.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct News(Arc<Shared>);

struct Shared {
    builder: Builder,
    /// The pattern of the channels on which news are told.
    pattern: String,
    heard: broadcast::Sender<JobEvent>,
    begun: AtomicBool,
    stop: CancellationToken,
}

impl News {
    pub(super) fn new(builder: Builder, pattern: String) -> Self {
        Self(Arc::new(Shared {
            builder,
            pattern,
            heard: broadcast::Sender::new(BEHIND),
            begun: AtomicBool::new(false),
            stop: CancellationToken::new(),
        }))
    }

    /// What is told from now on. The first who asks makes the process listen.
    pub(super) fn listen(&self) -> broadcast::Receiver<JobEvent> {
        if !self.0.begun.swap(true, Ordering::AcqRel) {
            let shared = Arc::clone(&self.0);
            tokio::spawn(async move {
                let stop = shared.stop.clone();
                stop.run_until_cancelled(shared.hear_on()).await;
            });
        }
        self.0.heard.subscribe()
    }

    pub(super) fn close(&self) {
        self.0.stop.cancel();
    }
}

impl Shared {
    async fn hear_on(&self) {
        loop {
            if let Err(error) = self.hear().await {
                tracing::debug!(%error, "news of jobs are not heard");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Listens until the connection breaks.
    async fn hear(&self) -> Result<(), fred::error::Error> {
        let client = self.builder.build_subscriber_client()?;
        let connection = client.connect();
        client.wait_for_connect().await?;
        let (mut told, mut broken) = (client.message_rx(), client.error_rx());
        client.psubscribe(self.pattern.as_str()).await?;
        loop {
            tokio::select! {
                message = told.recv() => {
                    let Ok(message) = message else { break };
                    let event = message.value.as_str().and_then(|text| serde_json::from_str(&text).ok());
                    if let Some(event) = event {
                        // Nobody may be listening now.
                        let _listeners = self.heard.send(event);
                    }
                }
                _ = broken.recv() => break,
            }
        }
        connection.abort();
        Ok(())
    }
}
