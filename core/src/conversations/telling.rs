//! What whoever asked is told while an answer is made.

use tokio::sync::mpsc;

use super::{Citation, Message};

/// Tellings that may wait for whoever reads them; a slow reader slows the model down.
const WAITING: usize = 64;

/// Something to tell.
#[derive(Clone, Debug)]
pub enum Told {
    /// The message is stored, and will be answered.
    UserMessage(Message),
    /// The passages from which the answer is made, by the numbers of their markers. Told again when the built-in
    /// answer takes the place of a model's.
    Sources(Vec<Citation>),
    /// The next part of the answer.
    Delta(String),
}

/// Tells one listener, or nobody.
#[derive(Debug)]
pub struct Teller(Option<mpsc::Sender<Told>>);

impl Teller {
    /// Tells nobody: whoever asked waits for the whole answer.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Tells whoever holds the receiver; when it is dropped, the model is stopped.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Told>) {
        let (teller, told) = mpsc::channel(WAITING);
        (Self(Some(teller)), told)
    }

    /// Whether somebody was to be told.
    pub(super) fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn tell(&self, told: Told) {
        if let Some(teller) = &self.0 {
            // Who does not listen any more is noticed where it matters.
            let _gone = teller.send(told).await;
        }
    }

    /// Until the listener is gone; for ever, when there never was one.
    pub(super) async fn deserted(&self) {
        match &self.0 {
            Some(teller) => teller.closed().await,
            None => std::future::pending().await,
        }
    }
}
