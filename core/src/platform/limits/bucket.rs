//! Pure: a token bucket. Times are arguments.

use std::time::{Duration, Instant};

use crate::platform::bus::Rate;

/// Capacity of a bucket, in seconds of its rate.
const BURST_SECONDS: f64 = 2.0;

/// The rate of a setting in requests per second; `None` for 0, which means unlimited.
pub(super) fn rate(per_second: u32) -> Option<Rate> {
    let rate = f64::from(per_second);
    (per_second > 0).then_some(Rate { per_second: rate, burst: rate * BURST_SECONDS })
}

/// A token bucket; a request costs one token.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) rate: Rate,
    tokens: f64,
    at: Instant,
    /// Tokens spent and not yet reported to the bus.
    pub(super) spent: f64,
}

impl Bucket {
    pub(super) fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, tokens: rate.burst, at: now, spent: 0.0 }
    }

    pub(super) fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + since * self.rate.per_second).min(self.rate.burst);
        self.at = now;
    }

    /// Time until a token is available; `None`: one is available now.
    pub(super) fn wait(&self) -> Option<Duration> {
        let missing = 1.0 - self.tokens;
        (missing > 0.0).then(|| Duration::from_secs_f64(missing / self.rate.per_second))
    }

    pub(super) fn spend(&mut self) {
        self.tokens -= 1.0;
        self.spent += 1.0;
    }

    pub(super) fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.rate.burst);
    }

    /// Applies the bus's answer to a report: the tokens left in all processes together.
    pub(super) fn balance(&mut self, reported: f64, left: f64, now: Instant) {
        self.refill(now);
        self.spent -= reported;
        // Subtract the tokens spent since the report.
        self.tokens = left - self.spent;
    }

    /// Burst: the number of requests that a full bucket admits at once.
    pub(super) fn limit(&self) -> u64 {
        whole(self.rate.burst)
    }

    pub(super) fn remaining(&self) -> u64 {
        whole(self.tokens)
    }

    /// Seconds until the bucket is full.
    pub(super) fn reset(&self) -> u64 {
        whole(((self.rate.burst - self.tokens) / self.rate.per_second).ceil())
    }
}

/// Truncates a number; a negative one counts as 0.
fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let whole = number as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_admits_a_burst_then_its_rate() {
        let begun = Instant::now();
        let mut bucket = Bucket::full(rate(10).unwrap(), begun);
        for remaining in (0..20).rev() {
            assert_eq!(bucket.wait(), None);
            bucket.spend();
            assert_eq!((bucket.limit(), bucket.remaining()), (20, remaining));
        }
        assert_eq!(bucket.reset(), 2);
        let wait = bucket.wait().unwrap();
        assert_eq!(wait, Duration::from_millis(100));
        bucket.refill(begun + wait);
        assert_eq!(bucket.wait(), None);
        bucket.spend();
        assert!(bucket.wait().is_some());
        bucket.refill(begun + Duration::from_secs(60));
        assert_eq!(bucket.remaining(), 20, "no more than the burst is saved up");
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        assert!(rate(0).is_none());
    }
}
