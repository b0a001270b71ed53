//! Scrape: a web site is added, and whoever asked may wait for it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Source, SourceRequest, Status, add, get_source, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::TenantId;

/// The pause between two looks at a source that is waited for.
const LOOK: Duration = Duration::from_millis(200);

/// What came of a web site.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// The source.
    pub source: Source,
    /// Whether the bot had the site already, so that nothing was done.
    pub duplicate: bool,
    /// Whether it has ended; else it goes on.
    pub has_ended: bool,
    /// Pages that were read.
    pub pages: i64,
    /// Pages that could not be read.
    pub failed: Vec<FailedPage>,
}

/// A page that could not be read.
#[derive(Clone, Debug)]
pub struct FailedPage {
    /// Its address.
    pub url: String,
    /// Why: a slug.
    pub reason: String,
    /// The status of the answer, when there was one.
    pub http_status: Option<i32>,
}

/// Adds a web site to a bot, and waits for it: not longer than `patience`. Whoever waits no more stops nothing.
///
/// # Errors
/// As [`add()`].
pub async fn scrape(
    ctx: &Context,
    tenant: TenantId,
    request: SourceRequest,
    patience: Duration,
) -> Result<Scraped> {
    let end = Instant::now() + patience;
    let added = add(ctx, tenant, request).await?;
    let mut source = added.source;
    let is_over = |source: &Source| !matches!(source.status, Status::Queued | Status::Processing);
    while !is_over(&source) && Instant::now() < end {
        tokio::time::sleep(LOOK.min(end - Instant::now())).await;
        source = get_source(ctx, tenant, source.id).await?;
    }
    let mut db = ctx.db().of(tenant).await?;
    let (pages, failed) = store::tally_pages(&mut *db, tenant, source.id).await?;
    Ok(Scraped { has_ended: is_over(&source), duplicate: added.duplicate, source, pages, failed })
}
