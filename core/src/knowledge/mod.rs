//! Knowledge: what a bot answers from.
//!
//! Owns the tables `source`, `source_version`, `source_page` and `chunk`. [`mod@ingest`] turns a source into
//! chunks with vectors, a step a job; [`mod@crawl`] goes through the pages of a web site; [`mod@search`] finds them; [`mod@chunk`] is pure.
//!
//! Invariant: a chunk is found only while its version is its source's live one, and a version becomes
//! live in one transaction, when its last vector is there.

use std::str::FromStr;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{BotId, ChunkId, JobId, SourceId, TenantId};
use crate::page::{Page, PageRequest};

mod add;
mod change;
pub mod chunk;
pub mod crawl;
pub mod index;
pub mod ingest;
mod original;
pub mod reembed;
pub mod reindex;
mod removal;
mod scrape;
pub mod search;
mod site;
mod steer;
mod store;
pub mod upkeep;

pub use add::{Added, RawSource, SourceRequest, add, upload};
pub use change::{RawSourceChanges, SourceChanges, refresh, update};
pub use original::{File, Original};
pub use removal::delete;
pub(crate) use removal::{purge_bot, purge_source, purge_vectors, purge_versions};
pub use scrape::{FailedPage, Scraped, scrape};
pub use steer::{cancel_any_job, cancel_job, retry_any_job, retry_job};

/// The largest file accepted, in bytes.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// How much of the text a list shows, in characters.
const PREVIEW_LENGTH: i32 = 200;

/// What a source was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum SourceType {
    /// An uploaded file.
    File,
    /// A web site.
    Url,
    /// A text in the request.
    Text,
}

impl SourceType {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            SourceType::File => "file",
            SourceType::Url => "url",
            SourceType::Text => "text",
        }
    }

    /// Every type, in the order of the reference.
    pub const ALL: [SourceType; 3] = [SourceType::File, SourceType::Url, SourceType::Text];
}

impl FromStr for SourceType {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        SourceType::ALL.into_iter().find(|kind| kind.as_str() == raw).ok_or_else(|| {
            let known = SourceType::ALL.map(SourceType::as_str).join(", ");
            Error::invalid("source_type", format!("The 'source_type' field must be one of: {known}"))
        })
    }
}

/// Where a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Status {
    /// It waits.
    Queued,
    /// It is being read, split or embedded.
    Processing,
    /// It answers.
    Ready,
    /// It could not be made; the error says why.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl Status {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Processing => "processing",
            Status::Ready => "ready",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }
}

/// A source.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// The bot that answers from it.
    pub bot_id: BotId,
    /// That bot's name.
    pub bot_name: String,
    /// Its name.
    pub name: String,
    /// What it was made from.
    pub source_type: SourceType,
    /// Where it stands.
    pub status: Status,
    /// The version that is being made or was made last, from 1.
    pub version: i32,
    /// The file's name, made safe for a path.
    pub file_name: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// The size of the original, in bytes.
    pub size_bytes: Option<i64>,
    /// The first 200 characters of its text.
    pub content_preview: Option<String>,
    /// Chunks of this version, once they are known.
    pub chunk_count: Option<i32>,
    /// Chunks of this version that have their vector.
    pub embedded_count: i64,
    /// Chunks of this version that kept the vector of an earlier one.
    pub reused_chunks: Option<i32>,
    /// What its owner should know about this version, a sentence each.
    pub notes: Vec<String>,
    /// Of a web site: whether pages below its address are read too.
    pub include_subpages: bool,
    /// Of a web site: pages at most.
    pub max_pages: Option<i32>,
    /// The job that began this version.
    pub job_id: Option<JobId>,
    /// Why it failed: a slug.
    pub error_code: Option<String>,
    /// Why it failed: a sentence.
    pub error_message: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A chunk as its owner sees it.
#[derive(Clone, Debug)]
pub struct ChunkRow {
    /// Its id.
    pub id: ChunkId,
    /// Its text.
    pub content: String,
    /// Its place in the source, from 0.
    pub ordinal: i32,
    /// The headings above it, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// Its page, when the source has pages.
    pub page: Option<i32>,
    /// Where it begins in the source's text, in characters.
    pub start: i32,
    /// Where it ends, excluded.
    pub end: i32,
    /// Its length in tokens of the embedding model.
    pub token_count: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A source with its whole text and its chunks.
#[derive(Clone, Debug)]
pub struct SourceDetails {
    /// The source.
    pub source: Source,
    /// Its text, once it is extracted.
    pub content: Option<String>,
    /// Its chunks, in order.
    pub chunks: Vec<ChunkRow>,
}

/// Which sources of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Those of a bot.
    pub bot: Option<BotId>,
    /// Those of a type.
    pub source_type: Option<SourceType>,
}

/// The original of a source, as it was given.
#[derive(Clone, Debug)]
pub struct Download {
    /// What it is called.
    pub file_name: String,
    /// What it is, as far as its name says.
    pub media_type: String,
    /// All of it.
    pub bytes: Bytes,
}

/// A page of a tenant's sources, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(
    ctx: &Context,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
) -> Result<Page<Source>> {
    let mut db = ctx.db().of(tenant).await?;
    let (sources, total) = store::list_sources(&mut *db, tenant, filter, page, PREVIEW_LENGTH).await?;
    Ok(Page::new(page, sources, total))
}

/// A source of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn get_source(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Source> {
    let found = store::find_source(&mut *ctx.db().of(tenant).await?, tenant, source, PREVIEW_LENGTH).await?;
    found.ok_or(Error::NotFound(Thing::Source))
}

/// A source with its text and chunks: those of the live version, else of the one being made.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn get(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<SourceDetails> {
    let mut db = ctx.db().of(tenant).await?;
    let found = store::find_source(&mut *db, tenant, source, PREVIEW_LENGTH).await?;
    let found = found.ok_or(Error::NotFound(Thing::Source))?;
    let content = store::find_content(&mut *db, tenant, source).await?;
    let chunks = store::list_chunks(&mut *db, tenant, source, None).await?;
    Ok(SourceDetails { source: found, content, chunks })
}

/// A page of a source's chunks, in order: those of the live version, else of the one being made.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn list_chunks(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    page: PageRequest,
) -> Result<Page<ChunkRow>> {
    let mut db = ctx.db().of(tenant).await?;
    let total = store::count_chunks(&mut *db, tenant, source).await?.ok_or(Error::NotFound(Thing::Source))?;
    let chunks = store::list_chunks(&mut *db, tenant, source, Some(page)).await?;
    Ok(Page::new(page, chunks, total))
}

/// The original of a source, in its newest version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source, or it has no original.
pub async fn download(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Download> {
    let found = store::find_original(&mut *ctx.db().of(tenant).await?, tenant, source).await?;
    let found = found.ok_or(Error::NotFound(Thing::Source))?;
    let bytes = ctx.blob().get(&found.blob_key).await?.ok_or(Error::NotFound(Thing::Source))?;
    Ok(Download { file_name: found.file_name, media_type: found.media_type, bytes })
}
