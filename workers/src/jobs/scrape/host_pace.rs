//! Pace of a crawl: one request per host and interval, shared with all crawls and workers; few large pages in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use parlance_core::Context;
use parlance_core::ids::TenantId;
use parlance_core::platform::pace::Turn;
use parlance_crawl::pace::{Pace, Room};
use parlance_crawl::scope;
use url::Url;

/// Interval between two requests to a host without its own crawl delay.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(100);

/// Minimum interval of a host after a pause (429 or 503). Each further pause doubles the interval.
const SLOW_INTERVAL: Duration = Duration::from_millis(500);

/// Maximum interval of such a host, unless its crawl delay is longer.
const SLOWEST_INTERVAL: Duration = Duration::from_secs(2);

/// Spaces the requests of one crawl.
pub(super) struct HostPace {
    ctx: Context,
    tenant: TenantId,
    /// By host ([`scope::site`]); absent: [`DEFAULT_INTERVAL`].
    intervals: Mutex<HashMap<String, Duration>>,
}

impl HostPace {
    pub(super) fn new(ctx: Context, tenant: TenantId) -> Self {
        Self { ctx, tenant, intervals: Mutex::default() }
    }

    /// Sets the crawl delay that the host's robots.txt requests.
    pub(super) fn set_delay(&self, url: &Url, delay: Option<Duration>) {
        if let Some(delay) = delay {
            let mut intervals = self.intervals.lock().unwrap_or_else(PoisonError::into_inner);
            let interval = intervals.entry(scope::site(url)).or_insert(delay);
            *interval = delay.max(*interval);
        }
    }

    fn interval(&self, host: &str) -> Duration {
        let intervals = self.intervals.lock().unwrap_or_else(PoisonError::into_inner);
        intervals.get(host).copied().unwrap_or(DEFAULT_INTERVAL)
    }
}

#[async_trait]
impl Pace for HostPace {
    /// Waits without a timeout of its own: the time limit of the crawl applies.
    async fn wait(&self, url: &Url) {
        let host = scope::site(url);
        loop {
            match self.ctx.pace().take_turn(&host, self.interval(&host)).await {
                Turn::In(wait) => return tokio::time::sleep(wait).await,
                Turn::AskAgain(pause) => tokio::time::sleep(pause).await,
            }
        }
    }

    async fn slow_down(&self, url: &Url, pause: Duration) {
        let host = scope::site(url);
        let slower =
            (self.interval(&host) * 2).clamp(SLOW_INTERVAL, SLOWEST_INTERVAL.max(self.interval(&host)));
        self.intervals.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), slower);
        self.ctx.pace().hold(&host, pause).await;
    }

    async fn room(&self) -> Room {
        Arc::new(self.ctx.large_pages().take(self.tenant).await)
    }
}
