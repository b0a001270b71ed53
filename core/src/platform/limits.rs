//! Rate and concurrency limits per tenant, API key and client address.
//!
//! Rates of tenants and keys are shared by all processes through the bus. Concurrency, and requests without a valid
//! key, are counted per process.

use crate::platform::body_memory::BodyMemory;
use crate::platform::config;

mod bucket;
mod permits;
mod requests;
mod strangers;

pub use permits::{Permit, Permits};
pub use requests::{RateLimitState, Requests};
pub use strangers::{ClientAddress, LookupTicket, Strangers};

/// Limits of a process.
#[derive(Debug)]
pub struct Limits {
    /// Requests per tenant and per API key.
    pub requests: Requests,
    /// Requests without a valid key, per client address.
    pub strangers: Strangers,
    /// Concurrent answers per tenant.
    pub chats: Permits,
    /// Concurrent uploads per tenant.
    pub uploads: Permits,
    /// Concurrent searches per tenant, waiting ones included.
    pub searches: Permits,
    /// Open streams of job events per tenant.
    pub event_streams: Permits,
    /// Concurrent requests per tenant that wait for a crawl.
    pub scrape_waits: Permits,
    /// Memory of request bodies in progress.
    pub bodies: BodyMemory,
}

impl Limits {
    pub(crate) fn new(config: &config::Limits) -> Self {
        Self {
            requests: Requests::new(config.tenant_requests_per_second(), config.requests_per_second),
            strangers: Strangers::new(config.invalid_keys_per_second),
            chats: Permits::new(config.chats_per_tenant, "too_many_chats", "answers on their way"),
            uploads: Permits::new(config.uploads_per_tenant, "too_many_uploads", "uploads on their way"),
            searches: Permits::new(config.searches_per_tenant, "too_many_searches", "searches in progress"),
            event_streams: Permits::new(
                config.event_streams_per_tenant,
                "too_many_event_streams",
                "streams of job events open",
            ),
            scrape_waits: Permits::new(
                config.scrape_waits_per_tenant,
                "too_many_scrapes",
                "requests waiting for a crawl",
            ),
            bodies: BodyMemory::new(config.body_memory_bytes),
        }
    }
}
