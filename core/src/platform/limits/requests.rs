//! Rate limits of a tenant and of each of its API keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio_util::sync::CancellationToken;

use super::bucket::{Bucket, rate};
use crate::error::{Error, Result};
use crate::ids::{KeyId, TenantId};
use crate::platform::bus::{Bus, Rate, RateLimited, Spent};

/// Interval between exchanges with the other processes.
const PAUSE: Duration = Duration::from_millis(200);

/// Maximum number of buckets per process. The least recently used is evicted first; a recreated bucket is full.
const BUCKETS: u64 = 200_000;

/// A token bucket per tenant, and one per API key. A request needs a token of both.
///
/// Each process decides locally, without waiting for Redis: five times a second it reports its spent tokens to the bus
/// and receives the number left across all processes. While Redis is down, each process limits independently.
#[derive(Debug)]
pub struct Requests {
    /// `None`: no limit.
    tenant_rate: Option<Rate>,
    /// `None`: no limit.
    key_rate: Option<Rate>,
    buckets: Cache<RateLimited, Arc<Mutex<Bucket>>>,
}

/// The tighter rate limit of a request, for the `RateLimit-*` headers.
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
    /// Whether the limit is the tenant's rather than the key's.
    pub is_tenants: bool,
}

impl RateLimitState {
    /// Admits or rejects the request.
    ///
    /// # Errors
    /// [`Error::TooMany`] with the time to wait.
    pub fn check(&self) -> Result<()> {
        let Some(retry_after) = self.refused else { return Ok(()) };
        let who = if self.is_tenants { "All API keys of the tenant together" } else { "The API key" };
        let message = format!(
            "{who} may make {} requests at once, and all are made; wait as long as Retry-After says",
            self.limit
        );
        Err(Error::TooMany { code: "rate_limited", message, retry_after })
    }
}

impl Requests {
    /// In requests per second; 0: no limit.
    pub(super) fn new(per_tenant: u32, per_key: u32) -> Self {
        Self::with(rate(per_tenant), rate(per_key))
    }

    fn with(tenant_rate: Option<Rate>, key_rate: Option<Rate>) -> Self {
        let buckets = Cache::builder().max_capacity(BUCKETS).eviction_policy(EvictionPolicy::lru()).build();
        Self { tenant_rate, key_rate, buckets }
    }

    /// Counts a request of a tenant's key; `None`: no limit. A rejected request costs neither a token.
    #[must_use]
    pub fn take(&self, tenant: TenantId, key: KeyId) -> Option<RateLimitState> {
        let tenant = self.tenant_rate.map(|rate| self.bucket(RateLimited::Tenant(tenant), rate));
        let key = self.key_rate.map(|rate| self.bucket(RateLimited::Key(key), rate));
        // Always locked in this order.
        let (mut tenant, mut key) = (tenant.as_deref().map(locked), key.as_deref().map(locked));
        let now = Instant::now();
        for bucket in [&mut tenant, &mut key].into_iter().flatten() {
            bucket.refill(now);
        }
        let refused = [&tenant, &key].into_iter().flatten().filter_map(|bucket| bucket.wait()).max();
        if refused.is_none() {
            for bucket in [&mut tenant, &mut key].into_iter().flatten() {
                bucket.spend();
            }
        }
        let state = |bucket: &Bucket, is_tenants| RateLimitState {
            limit: bucket.limit(),
            remaining: bucket.remaining(),
            reset: bucket.reset(),
            refused,
            is_tenants,
        };
        let key = key.as_deref().map(|bucket| state(bucket, false));
        let tenant = tenant.as_deref().map(|bucket| state(bucket, true));
        key.into_iter().chain(tenant).min_by_key(|state| state.remaining)
    }

    fn bucket(&self, of: RateLimited, rate: Rate) -> Arc<Mutex<Bucket>> {
        self.buckets.get_with(of, || Arc::new(Mutex::new(Bucket::full(rate, Instant::now()))))
    }

    /// Exchanges spent tokens with the other processes, until stopped.
    pub async fn balance(&self, bus: &Bus, stop: &CancellationToken) {
        if self.tenant_rate.is_none() && self.key_rate.is_none() {
            return;
        }
        while stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
            let spent = self.spent();
            if spent.is_empty() {
                continue;
            }
            if let Some(left) = bus.spend(&spent).await {
                self.balanced(&spent, &left);
            }
        }
    }

    /// Tokens not yet reported to the bus.
    fn spent(&self) -> Vec<Spent> {
        let spent = self.buckets.iter().filter_map(|(of, bucket)| {
            let Bucket { rate, spent: tokens, .. } = *locked(&bucket);
            (tokens > 0.0).then_some(Spent { of: *of, tokens, rate })
        });
        spent.collect()
    }

    /// Applies the bus's answer to a report.
    fn balanced(&self, reported: &[Spent], left: &[f64]) {
        for (reported, left) in reported.iter().zip(left) {
            if let Some(bucket) = self.buckets.get(&reported.of) {
                locked(&bucket).balance(reported.tokens, *left, Instant::now());
            }
        }
    }
}

fn locked(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rate at which nothing is refilled during a test.
    fn burst(burst: f64) -> Option<Rate> {
        Some(Rate { per_second: 1e-6, burst })
    }

    #[test]
    fn requests_of_other_processes_are_subtracted() {
        let (requests, tenant, key) = (Requests::with(None, burst(20.0)), TenantId::fresh(), KeyId::fresh());
        for _ in 0..5 {
            requests.take(tenant, key).unwrap().check().unwrap();
        }
        let reported = requests.spent();
        assert_eq!(reported.iter().map(|spent| spent.tokens).sum::<f64>(), 5.0);
        // One more request during the report; the others admitted eleven.
        requests.take(tenant, key).unwrap().check().unwrap();
        requests.balanced(&reported, &[4.0]);
        assert_eq!(requests.take(tenant, key).unwrap().remaining, 2);
        assert_eq!(requests.spent()[0].tokens, 2.0);
    }

    #[test]
    fn keys_of_a_tenant_share_its_burst() {
        let (requests, tenant) = (Requests::with(burst(20.0), burst(10.0)), TenantId::fresh());
        let keys: Vec<KeyId> = (0..40).map(|_| KeyId::fresh()).collect();
        let admitted =
            keys.iter().filter(|key| requests.take(tenant, **key).unwrap().refused.is_none()).count();
        assert_eq!(admitted, 20);
        let refused = requests.take(tenant, KeyId::fresh()).unwrap();
        assert_eq!((refused.limit, refused.is_tenants), (20, true));
        requests.take(TenantId::fresh(), KeyId::fresh()).unwrap().check().unwrap();
    }

    #[test]
    fn a_refused_key_costs_its_tenant_nothing() {
        let (requests, tenant, key) =
            (Requests::with(burst(20.0), burst(10.0)), TenantId::fresh(), KeyId::fresh());
        let admitted = (0..100).filter(|_| requests.take(tenant, key).unwrap().refused.is_none()).count();
        assert_eq!(admitted, 10);
        let refused = requests.take(tenant, key).unwrap();
        assert_eq!((refused.limit, refused.remaining, refused.is_tenants), (10, 0, false));
        assert_eq!(requests.take(tenant, KeyId::fresh()).unwrap().remaining, 9);
    }

    #[test]
    fn the_tighter_limit_is_reported() {
        let (requests, tenant) = (Requests::with(burst(20.0), burst(16.0)), TenantId::fresh());
        let key = KeyId::fresh();
        let state = requests.take(tenant, key).unwrap();
        assert_eq!((state.limit, state.remaining, state.is_tenants), (16, 15, false));
        for _ in 0..10 {
            requests.take(tenant, KeyId::fresh()).unwrap().check().unwrap();
        }
        let state = requests.take(tenant, key).unwrap();
        assert_eq!((state.limit, state.remaining, state.is_tenants), (20, 8, true));
    }
}
