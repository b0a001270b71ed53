//! What whoever asked is event while an answer is made.

use tokio::sync::mpsc;

use super::{Citation, Message};

/// Tellings that may wait for whoever reads them; a slow reader slows the model down.
const CAPACITY: usize = 64;

/// Something to tell.
#[derive(Clone, Debug)]
pub enum AnswerEvent {
    /// The message is stored, and will be answered.
    UserMessage(Message),
    /// The passages from which the answer is made, by the numbers of their markers. AnswerEvent again when the built-in
    /// answer takes the place of a model's.
    Sources(Vec<Citation>),
    /// The next part of the answer.
    Delta(String),
}

/// Tells one listener, or nobody.
#[derive(Debug)]
pub struct EventSender(Option<mpsc::Sender<AnswerEvent>>);

impl EventSender {
    /// Tells nobody: whoever asked waits for the whole answer.
    #[must_use]
    pub fn disabled() -> Self {
        Self(None)
    }

    /// Tells whoever holds the receiver; when it is dropped, the model is stopped.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<AnswerEvent>) {
        let (sender, event) = mpsc::channel(CAPACITY);
        (Self(Some(sender)), event)
    }

    /// Whether somebody was to be event.
    pub(super) fn has_listener(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn send(&self, event: AnswerEvent) {
        if let Some(sender) = &self.0 {
            // Who does not listen any more is noticed where it matters.
            let _gone = sender.send(event).await;
        }
    }

    /// Until the listener is gone; for ever, when there never was one.
    pub(super) async fn closed(&self) {
        match &self.0 {
            Some(sender) => sender.closed().await,
            None => std::future::pending().await,
        }
    }
}
