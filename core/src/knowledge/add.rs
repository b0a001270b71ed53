//! Adding a source: stores the original, then inserts the source and its first job.
//!
//! The added source is durable, even while Redis is down.

use super::crawl::CrawlSite;
use super::ingest::ExtractFile;
use super::original::{self, File, Hashed, Original};
use super::{Source, get_source, store};
use crate::bots;
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{BotId, SourceId, TenantId};
use crate::jobs::{self, About, Kind};
use crate::tenants::quota::{self, Growth};

/// A source to add.
#[derive(Clone, Debug)]
pub struct SourceRequest {
    /// The bot to add it to.
    pub bot: BotId,
    /// Its original.
    pub original: Original,
}

/// Result of adding a source.
#[derive(Clone, Debug)]
pub struct Added {
    /// The source.
    pub source: Source,
    /// Whether the bot had the same content already, so that nothing was added.
    pub duplicate: bool,
}

/// Adds a source to a bot. Returns the existing source if the bot has the same content already.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot; [`Error::LimitReached`] when the plan has no room for it.
pub async fn add(ctx: &Context, tenant: TenantId, request: SourceRequest) -> Result<Added> {
    let SourceRequest { bot, original } = request;
    if let Some(site) = &original.site {
        let refused = |refusal| Error::invalid("url", format!("The 'url' field cannot be read: {refusal}"));
        ctx.fetcher().check(&site.url).map_err(refused)?;
    }
    let bot = bots::get(ctx, tenant, bot).await?.id;
    let original = original.hashed(ctx, tenant).await?;
    let mut db = ctx.db().for_tenant(tenant).await?;
    let existing = store::find_by_content(&mut *db, tenant, bot, &original.hash).await?;
    if existing.is_none() {
        quota::check_growth(&mut db, tenant, growth(&original)).await?;
    }
    // The connection is not held while the original is stored.
    drop(db);
    if let Some(existing) = existing {
        return duplicate(ctx, tenant, existing).await;
    }
    let id = SourceId::fresh();
    let blob_key = original.store(ctx, tenant, id).await?;
    let inserted = insert(ctx, tenant, bot, id, &original, blob_key.as_deref()).await;
    if let (Some(blob_key), Err(_) | Ok(false)) = (blob_key, &inserted) {
        original::delete_unused(ctx, tenant, id, blob_key).await;
    }
    if !inserted? {
        // A concurrent request with the same content won.
        let mut db = ctx.db().for_tenant(tenant).await?;
        let winner = store::find_by_content(&mut *db, tenant, bot, &original.hash).await?;
        drop(db);
        return duplicate(ctx, tenant, winner.ok_or(Error::NotFound(Thing::Source))?).await;
    }
    jobs::dispatch::nudge(ctx, if original.site.is_some() { Kind::Scrape } else { Kind::Upload });
    Ok(Added { source: get_source(ctx, tenant, id).await?, duplicate: false })
}

/// Adds a file to a bot, named after the file.
///
/// # Errors
/// As [`add`] and [`Original::of_file`].
pub async fn upload(ctx: &Context, tenant: TenantId, bot: BotId, file: File) -> Result<Added> {
    add(ctx, tenant, SourceRequest { bot, original: Original::of_file(file)? }).await
}

fn growth(original: &Original) -> Growth {
    Growth::of_source(original.size())
}

async fn duplicate(ctx: &Context, tenant: TenantId, existing: SourceId) -> Result<Added> {
    Ok(Added { source: get_source(ctx, tenant, existing).await?, duplicate: true })
}

/// Inserts the source and its first job. False when the bot has the same content already.
async fn insert(
    ctx: &Context,
    tenant: TenantId,
    bot: BotId,
    source: SourceId,
    original: &Hashed,
    blob_key: Option<&str>,
) -> Result<bool> {
    let mut tx = ctx.db().begin(tenant).await?;
    if !store::insert_source(&mut **tx, tenant, bot, source, original).await? {
        return Ok(false);
    }
    store::insert_version(&mut **tx, tenant, source, 1, blob_key).await?;
    let about = About { tenant, bot: Some(bot), source: Some((source, 1)), parent: None };
    let job = match &original.site {
        Some(_) => jobs::enqueue(ctx, &mut tx, about, &CrawlSite { source, version: 1 }).await?,
        None => jobs::enqueue(ctx, &mut tx, about, &ExtractFile { source, version: 1 }).await?,
    };
    store::set_job(&mut **tx, tenant, source, job).await?;
    // Last, so that other uploads of the tenant wait only for the commit.
    quota::hold_growth(&mut tx, tenant, growth(original)).await?;
    tx.commit().await?;
    Ok(true)
}
