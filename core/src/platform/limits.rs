//! What one caller may ask at once, so that the others are served: how fast a key may ask, and how many answers and
//! uploads of a tenant are on their way in a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::ids::{KeyId, TenantId};
use crate::platform::bus::{Bus, Rate, Spent};
use crate::platform::config;

/// A key may save up the requests of so many seconds.
const BURST_SECONDS: f64 = 2.0;

/// The pause between two looks at what other processes let in.
const PAUSE: Duration = Duration::from_millis(200);

/// Keys that a process knows at most; one that is not used goes first, and has a full bucket when it is back.
const KEYS: u64 = 100_000;

/// Every limit of a process.
#[derive(Debug)]
pub struct Limits {
    /// How fast a key may ask.
    pub requests: Requests,
    /// Answers of a tenant that are being made.
    pub chats: Places,
    /// Uploads of a tenant that are being read.
    pub uploads: Places,
}

impl Limits {
    pub(crate) fn new(config: &config::Limits) -> Self {
        Self {
            requests: Requests::new(config.requests_per_second),
            chats: Places::new(config.chats_per_tenant, "too_many_chats", "answers on their way"),
            uploads: Places::new(config.uploads_per_tenant, "too_many_uploads", "uploads on their way"),
        }
    }
}

/// A token bucket for each key. A process decides by what it knows, and nobody waits for Redis: five times a second it
/// tells the bus what it let in, and hears what all processes together have left. While Redis is away each limits by
/// itself.
#[derive(Debug)]
pub struct Requests {
    /// `None`: there is no limit.
    rate: Option<Rate>,
    buckets: Cache<KeyId, Arc<Mutex<Bucket>>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
    /// What was let in, and the bus does not know yet.
    spent: f64,
}

/// Where a key stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Requests at once, at most.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// In how many seconds all of them are back.
    pub reset: u64,
    /// It came too soon: how long to wait.
    pub refused: Option<Duration>,
}

impl Standing {
    /// Whether the request may go on.
    ///
    /// # Errors
    /// [`Error::TooMany`] with when the next may.
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
        Self { rate, buckets: Cache::new(KEYS) }
    }

    /// Counts a request of a key; `None`: nobody counts.
    #[must_use]
    pub fn take(&self, key: KeyId) -> Option<Standing> {
        let rate = self.rate?;
        let bucket = self.buckets.get_with(key, || {
            Arc::new(Mutex::new(Bucket { tokens: rate.burst, at: Instant::now(), spent: 0.0 }))
        });
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        Some(bucket.take(rate, Instant::now()))
    }

    /// Balances the buckets with those of other processes, until it is to stop.
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

    /// What the bus does not know yet.
    fn spent(&self) -> Vec<Spent> {
        let spent = self.buckets.iter().filter_map(|(key, bucket)| {
            let bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            (bucket.spent > 0.0).then(|| Spent { key: *key, tokens: bucket.spent })
        });
        spent.collect()
    }

    /// The bus was told, and says what is left.
    fn balanced(&self, told: &[Spent], left: &[f64], rate: Rate) {
        for (told, left) in told.iter().zip(left) {
            let Some(bucket) = self.buckets.get(&told.key) else { continue };
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.refill(rate, Instant::now());
            bucket.spent -= told.tokens;
            // What was let in meanwhile is gone from what is left, too.
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

    fn take(&mut self, rate: Rate, now: Instant) -> Standing {
        self.refill(rate, now);
        let missing = 1.0 - self.tokens;
        let refused = (missing > 0.0).then(|| Duration::from_secs_f64(missing / rate.per_second));
        if refused.is_none() {
            self.tokens -= 1.0;
            self.spent += 1.0;
        }
        Standing {
            limit: whole(rate.burst),
            remaining: whole(self.tokens),
            reset: whole(((rate.burst - self.tokens) / rate.per_second).ceil()),
            refused,
        }
    }
}

/// Of a number that is none too large; a negative one is none.
fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let whole = number as u64;
    whole
}

/// So many of something at once, for each tenant.
#[derive(Debug)]
pub struct Places {
    most: usize,
    code: &'static str,
    what: &'static str,
    held: Arc<Mutex<HashMap<TenantId, usize>>>,
}

/// One of [`Places`], until it is dropped.
#[derive(Debug)]
pub struct Place {
    tenant: TenantId,
    held: Arc<Mutex<HashMap<TenantId, usize>>>,
}

impl Places {
    fn new(most: usize, code: &'static str, what: &'static str) -> Self {
        Self { most, code, what, held: Arc::default() }
    }

    /// A place for one more of a tenant.
    ///
    /// # Errors
    /// [`Error::TooMany`] when all are taken.
    pub fn take(&self, tenant: TenantId) -> Result<Place> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(tenant).or_default();
        if *count >= self.most {
            return Err(Error::TooMany {
                code: self.code,
                message: format!(
                    "There are {} {} already; try again when one has ended",
                    self.most, self.what
                ),
                retry_after: Duration::from_secs(1),
            });
        }
        *count += 1;
        Ok(Place { tenant, held: Arc::clone(&self.held) })
    }
}

impl Drop for Place {
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
    fn a_bucket_lets_a_burst_in_and_then_as_many_as_come_back() {
        let begun = Instant::now();
        let mut bucket = Bucket { tokens: RATE.burst, at: begun, spent: 0.0 };
        let standing = bucket.take(RATE, begun);
        assert_eq!(standing, Standing { limit: 20, remaining: 19, reset: 1, refused: None });
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
    fn what_other_processes_let_in_is_taken_off() {
        let (requests, key) = (Requests::new(10), KeyId::fresh());
        for _ in 0..5 {
            requests.take(key).unwrap().check().unwrap();
        }
        let told = requests.spent();
        assert_eq!(told.iter().map(|spent| spent.tokens).sum::<f64>(), 5.0);
        // One more while the bus is told; it says that others let eleven in.
        requests.take(key).unwrap().check().unwrap();
        requests.balanced(&told, &[4.0], RATE);
        assert_eq!(requests.take(key).unwrap().remaining, 2);
        assert_eq!(requests.spent()[0].tokens, 2.0);
    }

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let places = Places::new(2, "too_many", "things");
        let (tenant, other) = (TenantId::fresh(), TenantId::fresh());
        let (first, _second) = (places.take(tenant).unwrap(), places.take(tenant).unwrap());
        places.take(tenant).unwrap_err();
        places.take(other).unwrap();
        drop(first);
        places.take(tenant).unwrap();
    }
}
