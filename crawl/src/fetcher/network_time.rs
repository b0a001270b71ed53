//! Time limit of a fetch: only the time of the network counts, not that of waiting for the caller's room.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::FetchError;

/// Time that a fetch has spent on the network, and the rest.
#[derive(Debug)]
pub(super) struct NetworkTime {
    spent: Duration,
    rest: Duration,
}

impl NetworkTime {
    pub(super) fn new(limit: Duration) -> Self {
        Self { spent: Duration::ZERO, rest: limit }
    }

    pub(super) fn spent(&self) -> Duration {
        self.spent
    }

    /// Waits for the network in the remaining time.
    ///
    /// # Errors
    /// [`FetchError::Timeout`] when no time is left.
    pub(super) async fn wait_for<T>(&mut self, step: impl Future<Output = T>) -> Result<T, FetchError> {
        // `timeout` accepts what is ready at once, so that a quick endless body would never time out.
        if self.rest.is_zero() {
            return Err(FetchError::Timeout);
        }
        let started = Instant::now();
        let done = timeout(self.rest, step).await;
        let took = started.elapsed();
        self.spent += took;
        self.rest = self.rest.saturating_sub(took);
        done.map_err(|_elapsed| FetchError::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn time_between_steps_does_not_count() {
        let mut time = NetworkTime::new(Duration::from_secs(600));
        assert_eq!(time.wait_for(ready(1)).await.unwrap(), 1);
        let (spent, rest) = (time.spent, time.rest);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!((time.spent(), time.rest), (spent, rest));
        assert_eq!(spent + rest, Duration::from_secs(600));
    }

    #[tokio::test]
    async fn no_step_begins_after_the_time_limit() {
        let mut time = NetworkTime::new(Duration::from_millis(1));
        let late = time.wait_for(pending::<()>()).await;
        assert!(matches!(late, Err(FetchError::Timeout)), "{late:?}");
        assert!(time.spent() >= Duration::from_millis(1));
        assert!(time.wait_for(ready(())).await.is_err(), "not even one that is ready");
    }
}
