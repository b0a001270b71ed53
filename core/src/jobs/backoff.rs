//! Pure: how long to wait before the next try.

use std::time::Duration;

/// Exponential backoff with full jitter: uniform in `0 ..= min(cap, base · 2^(attempt-1))`, which
/// spreads a herd of retries best ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
/// The lower half is cut off, so that a retry never follows at once.
///
/// `attempt` counts from 1; `chance` is a random number in `0.0..1.0`; a wait that the failing part
/// asked for (`Retry-After`) is honoured when it is longer.
#[must_use]
pub fn pause(base: Duration, cap: Duration, attempt: u32, asked: Option<Duration>, chance: f64) -> Duration {
    let ceiling = base.saturating_mul(1 << attempt.saturating_sub(1).min(30)).min(cap);
    let jittered = ceiling.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
    jittered.max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::pause;
    use std::time::Duration;

    const BASE: Duration = Duration::from_secs(2);
    const CAP: Duration = Duration::from_secs(300);

    #[test]
    fn it_doubles_up_to_the_cap() {
        let seconds = |attempt| pause(BASE, CAP, attempt, None, 1.0).as_secs();
        assert_eq!([1, 2, 3, 4, 9, 1000].map(seconds), [2, 4, 8, 16, 300, 300]);
    }

    #[test]
    fn it_never_falls_below_half_the_ceiling() {
        assert_eq!(pause(BASE, CAP, 3, None, 0.0), Duration::from_secs(4));
    }

    #[test]
    fn a_longer_wait_that_was_asked_for_wins() {
        let asked = Some(Duration::from_secs(60));
        assert_eq!(pause(BASE, CAP, 1, asked, 0.5), Duration::from_secs(60));
        assert_eq!(pause(BASE, CAP, 9, asked, 1.0), CAP);
    }
}
