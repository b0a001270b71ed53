//! Scraping: adds a web site and optionally waits for its crawl.

use std::time::Duration;

use tokio::time::Instant;

use super::{Source, SourceRequest, Status, add, get_source, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;

/// Polling interval while waiting for a source.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Result of a scrape.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// The source.
    pub source: Source,
    /// True if the bot already had the site; nothing was added.
    pub duplicate: bool,
    /// Whether processing has ended; otherwise it continues in the background.
    pub has_ended: bool,
    /// Number of fetched pages.
    pub pages: i64,
    /// Failed pages.
    pub failed: Vec<FailedPage>,
}

/// A page that could not be fetched.
#[derive(Clone, Debug)]
pub struct FailedPage {
    /// Its URL.
    pub url: String,
    /// Reason slug.
    pub reason: String,
    /// HTTP status, if there was a response.
    pub http_status: Option<i32>,
}

/// Adds a web site to a bot and waits at most `timeout` for it. The crawl continues after the timeout or a
/// disconnect.
///
/// # Errors
/// As [`add()`].
pub async fn scrape(
    ctx: &Context,
    tenant: TenantId,
    request: SourceRequest,
    timeout: Duration,
) -> Result<Scraped> {
    let deadline = Instant::now() + timeout;
    let added = add(ctx, tenant, request).await?;
    let mut source = added.source;
    let has_ended = |source: &Source| !matches!(source.status, Status::Queued | Status::Processing);
    while !has_ended(&source) && Instant::now() < deadline {
        tokio::time::sleep(POLL_INTERVAL.min(deadline - Instant::now())).await;
        source = get_source(ctx, tenant, source.id).await?;
    }
    let mut db = ctx.db().of(tenant).await?;
    let (pages, failed) = store::tally_pages(&mut *db, tenant, source.id).await?;
    Ok(Scraped { has_ended: has_ended(&source), duplicate: added.duplicate, source, pages, failed })
}
