//! Pure: backoff before a retry.

use std::time::Duration;

/// Exponential backoff with equal jitter: half of `min(cap, base · 2^(attempt-1))`, plus a uniform share of the
/// other half. Jitter spreads out retries of jobs that failed together; the fixed half prevents immediate retries
/// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
///
/// `attempt` counts from 1; `chance` is a random number in `0.0..1.0`; `retry_after` is the pause that the failing
/// service requested, honoured if longer.
#[must_use]
pub fn pause(
    base: Duration,
    cap: Duration,
    attempt: u32,
    retry_after: Option<Duration>,
    chance: f64,
) -> Duration {
    let ceiling = base.saturating_mul(1 << attempt.saturating_sub(1).min(30)).min(cap);
    let jittered = ceiling.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
    jittered.max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::pause;
    use std::time::Duration;

    const BASE: Duration = Duration::from_secs(2);
    const CAP: Duration = Duration::from_secs(300);

    #[test]
    fn the_pause_doubles_up_to_the_cap() {
        let seconds = |attempt| pause(BASE, CAP, attempt, None, 1.0).as_secs();
        assert_eq!([1, 2, 3, 4, 9, 1000].map(seconds), [2, 4, 8, 16, 300, 300]);
    }

    #[test]
    fn the_pause_is_at_least_half_the_ceiling() {
        assert_eq!(pause(BASE, CAP, 3, None, 0.0), Duration::from_secs(4));
    }

    #[test]
    fn a_longer_retry_after_wins() {
        let retry_after = Some(Duration::from_secs(60));
        assert_eq!(pause(BASE, CAP, 1, retry_after, 0.5), Duration::from_secs(60));
        assert_eq!(pause(BASE, CAP, 9, retry_after, 1.0), CAP);
    }
}
