//! Writes that must not be lost to a short outage of the database.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use crate::error::{Chain, Error, Result};

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs a write. While the database is unavailable, a background task retries it until `limit` has passed; the caller
/// does not wait for it. `what` is the subject of the log lines. The write must be safe to repeat: a lost connection
/// does not show whether it was committed.
pub async fn outlast<W>(what: &'static str, limit: Duration, write: impl Fn() -> W + Send + 'static)
where
    W: Future<Output = Result<()>> + Send + 'static,
{
    let Err(error) = write().await else { return };
    tracing::warn!(error = %Chain(&error), "{what} failed");
    if !matches!(error, Error::Unavailable { .. }) {
        return;
    }
    let end = Instant::now() + limit;
    let repeated = async move {
        while Instant::now() < end {
            tokio::time::sleep(PAUSE).await;
            match write().await {
                Ok(()) => return tracing::info!("{what} succeeded after an outage"),
                Err(Error::Unavailable { .. }) => {}
                Err(error) => return tracing::warn!(error = %Chain(&error), "{what} failed"),
            }
        }
        tracing::warn!("{what} failed; giving up after a long outage");
    };
    tokio::spawn(repeated.in_current_span());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Part;

    /// Number of attempts of a write that fails the first `outages` times.
    async fn attempts(outages: usize, error: fn() -> Error) -> usize {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        outlast("a write", PAUSE * 10, move || {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            async move { if number < outages { Err(error()) } else { Ok(()) } }
        })
        .await;
        assert_eq!(calls.load(Ordering::SeqCst), 1, "the caller waits for one attempt");
        tokio::time::sleep(PAUSE * 20).await;
        calls.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_repeated_until_an_outage_has_ended() {
        let outage = || Error::unavailable(Part::Postgres, "no");
        assert_eq!(attempts(0, outage).await, 1);
        assert_eq!(attempts(3, outage).await, 4);
        assert_eq!(attempts(usize::MAX, outage).await, 11, "until the limit");
        assert_eq!(attempts(3, || Error::internal("a statement", "wrong")).await, 1);
    }
}
