//! Events emitted while an answer is generated.

use tokio::sync::mpsc;

use super::{Citation, Message};

/// Buffered events; a slow reader slows generation down.
const CAPACITY: usize = 64;

/// Event of an answer in progress.
#[derive(Clone, Debug)]
pub enum AnswerEvent {
    /// The message is stored and is about to be answered.
    UserMessage(Message),
    /// Passages used for the answer, in the order of their marker numbers. Emitted again when the extractive
    /// answer replaces a model's.
    Sources(Vec<Citation>),
    /// Next piece of the answer text.
    Delta(String),
}

/// Sender of answer events to one listener, or to none.
#[derive(Debug)]
pub struct EventSender(Option<mpsc::Sender<AnswerEvent>>);

impl EventSender {
    /// Sender without a listener, for clients that wait for the whole answer.
    #[must_use]
    pub fn disabled() -> Self {
        Self(None)
    }

    /// Sender with its receiver; dropping the receiver stops generation.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<AnswerEvent>) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        (Self(Some(sender)), receiver)
    }

    /// Whether the sender was created with a listener.
    pub(super) fn has_listener(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn send(&self, event: AnswerEvent) {
        if let Some(sender) = &self.0 {
            // Disconnection is handled by `closed`.
            let _gone = sender.send(event).await;
        }
    }

    /// Resolves when the listener disconnects; never, without a listener.
    pub(super) async fn closed(&self) {
        match &self.0 {
            Some(sender) => sender.closed().await,
            None => std::future::pending().await,
        }
    }
}
