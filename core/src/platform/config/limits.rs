//! Configuration of rate and concurrency limits.

use super::ConfigError;
use super::reader::Reader;

/// Rate and concurrency limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests per second and API key; 0: unlimited.
    pub requests_per_second: u32,
    /// Requests per second and tenant, all its keys together; 0: unlimited; `None`: twice a key's.
    pub tenant_requests_per_second: Option<u32>,
    /// Requests without a valid key per second and client address; 0: unlimited.
    pub invalid_keys_per_second: u32,
    /// Concurrent answers per tenant and process.
    pub chats_per_tenant: usize,
    /// Concurrent uploads per tenant and process.
    pub uploads_per_tenant: usize,
    /// Concurrent searches per tenant and process.
    pub searches_per_tenant: usize,
    /// Open streams of job events per tenant and process.
    pub event_streams_per_tenant: usize,
    /// Concurrent requests per tenant and process that wait for a crawl.
    pub scrape_waits_per_tenant: usize,
    /// Memory of request bodies in progress per process, in bytes; one tenant may hold half of it.
    pub body_memory_bytes: u64,
}

impl Limits {
    /// Requests per second and tenant; 0: unlimited.
    #[must_use]
    pub fn tenant_requests_per_second(&self) -> u32 {
        self.tenant_requests_per_second.unwrap_or(self.requests_per_second.saturating_mul(2))
    }

    pub(super) fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        const TENANT_RATE: &str = "TENANT_RATE_LIMIT_PER_SECOND";
        const RATES: std::ops::RangeInclusive<u32> = 0..=1_000_000;
        const PERMITS: std::ops::RangeInclusive<usize> = 1..=1_000_000;
        Ok(Self {
            requests_per_second: read.number("RATE_LIMIT_PER_SECOND", RATES)?,
            tenant_requests_per_second: match read.text(TENANT_RATE) {
                Some(_) => Some(read.number(TENANT_RATE, RATES)?),
                None => None,
            },
            invalid_keys_per_second: read.number("INVALID_KEY_LIMIT_PER_SECOND", RATES)?,
            chats_per_tenant: read.number("CHATS_PER_TENANT", PERMITS)?,
            uploads_per_tenant: read.number("UPLOADS_PER_TENANT", PERMITS)?,
            searches_per_tenant: read.number("SEARCHES_PER_TENANT", PERMITS)?,
            event_streams_per_tenant: read.number("EVENT_STREAMS_PER_TENANT", PERMITS)?,
            scrape_waits_per_tenant: read.number("SCRAPE_WAITS_PER_TENANT", PERMITS)?,
            body_memory_bytes: 1024 * 1024 * read.number::<u64>("BODY_MEMORY_MB", 192..=1_000_000)?,
        })
    }
}
