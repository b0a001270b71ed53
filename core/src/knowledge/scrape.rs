//! Scraping: adds a web site, and optionally waits for it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Source, SourceRequest, Status, add, get_source, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;

/// Interval at which a source is polled.
const POLL: Duration = Duration::from_millis(200);

/// Result of scraping a web site.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// The source.
    pub source: Source,
    /// Whether the bot had the site already, so that nothing was added.
    pub duplicate: bool,
    /// Whether the crawl has ended.
    pub has_ended: bool,
    /// Number of fetched pages.
    pub pages: i64,
    /// Failed pages.
    pub failed: Vec<FailedPage>,
}

/// A page whose fetch failed.
#[derive(Clone, Debug)]
pub struct FailedPage {
    /// The address.
    pub url: String,
    /// The reason, as a slug.
    pub reason: String,
    /// HTTP status of the response, if there was one.
    pub http_status: Option<i32>,
}

/// Adds a web site to a bot and waits up to `timeout` for its crawl, which then continues in the background.
///
/// # Errors
/// As [`add()`].
pub async fn scrape(
    ctx: &Context,
    tenant: TenantId,
    request: SourceRequest,
    timeout: Duration,
) -> Result<Scraped> {
    let end = Instant::now() + timeout;
    let added = add(ctx, tenant, request).await?;
    let mut source = added.source;
    let is_over = |source: &Source| !matches!(source.status, Status::Queued | Status::Processing);
    while !is_over(&source) && Instant::now() < end {
        tokio::time::sleep(POLL.min(end - Instant::now())).await;
        source = get_source(ctx, tenant, source.id).await?;
    }
    let db = ctx.db().reading(tenant);
    let (pages, failed) = store::tally_pages(db, tenant, source.id).await?;
    Ok(Scraped { has_ended: is_over(&source), duplicate: added.duplicate, source, pages, failed })
}
