//! What is dear to find out and may be asked by anybody: found out once for all who ask within a few seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// How old an answer may be.
const FRESH: Duration = Duration::from_secs(5);

/// The last answer, and when it was found. Clones share it.
pub(crate) struct Remembered<A>(Arc<Mutex<Option<(Instant, A)>>>);

impl<A: Clone> Remembered<A> {
    /// The answer of the last five seconds, or what `find` finds now. One finds at a time: who asks meanwhile waits, and
    /// is given what it found.
    pub(crate) async fn or(&self, find: impl Future<Output = A>) -> A {
        let mut last = self.0.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let answer = find.await;
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

impl<A> Clone for Remembered<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A> Default for Remembered<A> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
