//! Rate limit per API key, and concurrency limits per tenant on answers and uploads.
//!
//! Concurrency is counted per process; the rate is shared through the bus.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::ids::{KeyId, TenantId};
use crate::platform::body_memory::BodyMemory;
use crate::platform::bus::{Bus, Rate, Spent};
use crate::platform::config;

/// Capacity of a key's bucket, in seconds of its rate.
const BURST_SECONDS: f64 = 2.0;

/// Interval between exchanges with the other processes.
const PAUSE: Duration = Duration::from_millis(200);

/// Maximum number of buckets per process. The least recently used is evicted first; a recreated bucket is full.
const BUCKETS: u64 = 100_000;

/// Limits of a process.
#[derive(Debug)]
pub struct Limits {
    /// Requests per API key.
    pub requests: Requests,
    /// Concurrent answers per tenant.
    pub chats: Permits,
    /// Concurrent uploads per tenant.
    pub uploads: Permits,
    /// Memory of request bodies in progress.
    pub bodies: BodyMemory,
}

impl Limits {
    pub(crate) fn new(config: &config::Limits) -> Self {
        Self {
            requests: Requests::new(config.requests_per_second),
            chats: Permits::new(config.chats_per_tenant, "too_many_chats", "answers on their way"),
            uploads: Permits::new(config.uploads_per_tenant, "too_many_uploads", "uploads on their way"),
            bodies: BodyMemory::new(config.body_memory_bytes),
        }
    }
}

/// A token bucket per API key. Each process decides locally, without waiting for Redis: five times a second it reports
/// its spent tokens to the bus and receives the number left across all processes. While Redis is down, each process
/// limits independently.
#[derive(Debug)]
pub struct Requests {
    /// `None`: no limit.
    rate: Option<Rate>,
    buckets: Cache<KeyId, Arc<Mutex<Bucket>>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
    /// Tokens spent and not yet reported to the bus.
    spent: f64,
}

/// Rate limit of a key after a request, for the `RateLimit-*` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitState {
    /// Burst: maximum number of simultaneous requests.
    pub limit: u64,
    /// Requests left.
    pub remaining: u64,
    /// Seconds until the bucket is full.
    pub reset: u64,
    /// Time to wait, if the request is rejected.
    pub refused: Option<Duration>,
}

impl RateLimitState {
    /// Admits or rejects the request.
    ///
    /// # Errors
    /// [`Error::TooMany`] with the time to wait.
    pub fn check(&self) -> Result<()> {
        let Some(retry_after) = self.refused else { return Ok(()) };
        let message = format!(
            "The API key may make {} requests at once, and all are made; wait as long as Retry-After says",
            self.limit
        );
        Err(Error::TooMany { code: "rate_limited", message, retry_after })
    }
}

impl Requests {
    fn new(per_second: u32) -> Self {
        let rate = (per_second > 0).then(|| {
            let per_second = f64::from(per_second);
            Rate { per_second, burst: per_second * BURST_SECONDS }
        });
        Self { rate, buckets: Cache::new(BUCKETS) }
    }

    /// Counts a request of a key; `None`: no limit.
    #[must_use]
    pub fn take(&self, key: KeyId) -> Option<RateLimitState> {
        let rate = self.rate?;
        let bucket = self.buckets.get_with(key, || {
            Arc::new(Mutex::new(Bucket { tokens: rate.burst, at: Instant::now(), spent: 0.0 }))
        });
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        Some(bucket.take(rate, Instant::now()))
    }

    /// Exchanges spent tokens with the other processes, until stopped.
    pub async fn balance(&self, bus: &Bus, stop: &CancellationToken) {
        let Some(rate) = self.rate else { return };
        while stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
            let spent = self.spent();
            if spent.is_empty() {
                continue;
            }
            if let Some(left) = bus.spend(&spent, rate).await {
                self.balanced(&spent, &left, rate);
            }
        }
    }

    /// Tokens not yet reported to the bus.
    fn spent(&self) -> Vec<Spent> {
        let spent = self.buckets.iter().filter_map(|(key, bucket)| {
            let bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            (bucket.spent > 0.0).then(|| Spent { key: *key, tokens: bucket.spent })
        });
        spent.collect()
    }

    /// Applies the bus's answer to a report.
    fn balanced(&self, reported: &[Spent], left: &[f64], rate: Rate) {
        for (reported, left) in reported.iter().zip(left) {
            let Some(bucket) = self.buckets.get(&reported.key) else { continue };
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.refill(rate, Instant::now());
            bucket.spent -= reported.tokens;
            // Subtract the tokens spent since the report.
            bucket.tokens = left - bucket.spent;
        }
    }
}

impl Bucket {
    fn refill(&mut self, rate: Rate, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + since * rate.per_second).min(rate.burst);
        self.at = now;
    }

    fn take(&mut self, rate: Rate, now: Instant) -> RateLimitState {
        self.refill(rate, now);
        let missing = 1.0 - self.tokens;
        let refused = (missing > 0.0).then(|| Duration::from_secs_f64(missing / rate.per_second));
        if refused.is_none() {
            self.tokens -= 1.0;
            self.spent += 1.0;
        }
        RateLimitState {
            limit: whole(rate.burst),
            remaining: whole(self.tokens),
            reset: whole(((rate.burst - self.tokens) / rate.per_second).ceil()),
            refused,
        }
    }
}

/// Truncates a number; a negative one counts as 0.
fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let whole = number as u64;
    whole
}

/// A concurrency limit per tenant.
#[derive(Debug)]
pub struct Permits {
    limit: usize,
    code: &'static str,
    what: &'static str,
    held: Arc<Mutex<HashMap<TenantId, usize>>>,
}

/// One of [`Permits`], held until dropped.
#[derive(Debug)]
pub struct Permit {
    tenant: TenantId,
    held: Arc<Mutex<HashMap<TenantId, usize>>>,
}

impl Permits {
    fn new(limit: usize, code: &'static str, what: &'static str) -> Self {
        Self { limit, code, what, held: Arc::default() }
    }

    /// Takes a permit of a tenant.
    ///
    /// # Errors
    /// [`Error::TooMany`] when all are taken.
    pub fn take(&self, tenant: TenantId) -> Result<Permit> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(tenant).or_default();
        if *count >= self.limit {
            return Err(Error::TooMany {
                code: self.code,
                message: format!(
                    "There are {} {} already; try again when one has ended",
                    self.limit, self.what
                ),
                retry_after: Duration::from_secs(1),
            });
        }
        *count += 1;
        Ok(Permit { tenant, held: Arc::clone(&self.held) })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10.0, burst: 20.0 };

    #[test]
    fn a_bucket_admits_a_burst_then_its_rate() {
        let begun = Instant::now();
        let mut bucket = Bucket { tokens: RATE.burst, at: begun, spent: 0.0 };
        let state = bucket.take(RATE, begun);
        assert_eq!(state, RateLimitState { limit: 20, remaining: 19, reset: 1, refused: None });
        for _ in 1..20 {
            bucket.take(RATE, begun).check().unwrap();
        }
        let wait = bucket.take(RATE, begun).refused.unwrap();
        assert_eq!(wait, Duration::from_millis(100));
        bucket.take(RATE, begun + wait).check().unwrap();
        bucket.take(RATE, begun + wait).check().unwrap_err();
        let rested = bucket.take(RATE, begun + Duration::from_secs(60));
        assert_eq!(rested.remaining, 19, "no more than the burst is saved up");
    }

    #[test]
    fn requests_of_other_processes_are_subtracted() {
        let (requests, key) = (Requests::new(10), KeyId::fresh());
        for _ in 0..5 {
            requests.take(key).unwrap().check().unwrap();
        }
        let reported = requests.spent();
        assert_eq!(reported.iter().map(|spent| spent.tokens).sum::<f64>(), 5.0);
        // One more request during the report; the others admitted eleven.
        requests.take(key).unwrap().check().unwrap();
        requests.balanced(&reported, &[4.0], RATE);
        assert_eq!(requests.take(key).unwrap().remaining, 2);
        assert_eq!(requests.spent()[0].tokens, 2.0);
    }

    #[test]
    fn a_dropped_permit_is_free_again() {
        let permits = Permits::new(2, "too_many", "things");
        let (tenant, other) = (TenantId::fresh(), TenantId::fresh());
        let (first, _second) = (permits.take(tenant).unwrap(), permits.take(tenant).unwrap());
        permits.take(tenant).unwrap_err();
        permits.take(other).unwrap();
        drop(first);
        permits.take(tenant).unwrap();
    }
}
