//! Knowledge: the sources a bot answers from.
//!
//! Owns the tables `source`, `source_version`, `source_page` and `chunk`. [`mod@ingest`] turns a source into
//! embedded chunks, one job per step; [`mod@crawl`] walks the pages of a web site; [`mod@search`] retrieves
//! passages; [`mod@chunk`] is pure.
//!
//! Invariant: search returns only chunks of a source's live version, and a version goes live in one
//! transaction, once its last vector is stored.

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

/// Maximum size of an uploaded file, in bytes.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// Length of the content preview in lists, in characters.
const PREVIEW_LENGTH: i32 = 200;

/// Type of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum SourceType {
    /// An uploaded file.
    File,
    /// A web site.
    Url,
    /// Text sent in the request.
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

/// Processing status of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Status {
    /// Waiting for a worker.
    Queued,
    /// Being extracted, chunked or embedded.
    Processing,
    /// Searchable.
    Ready,
    /// Processing failed; see the error.
    Failed,
    /// Cancelled by a user.
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
    /// Bot that uses it.
    pub bot_id: BotId,
    /// Name of that bot.
    pub bot_name: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub source_type: SourceType,
    /// Its status.
    pub status: Status,
    /// Newest version, in progress or complete, from 1.
    pub version: i32,
    /// File name, sanitised for use in a path.
    pub file_name: Option<String>,
    /// URL of a web site.
    pub url: Option<String>,
    /// Size of the original, in bytes.
    pub size_bytes: Option<i64>,
    /// First 200 characters of the text.
    pub content_preview: Option<String>,
    /// Chunks of this version, once chunked.
    pub chunk_count: Option<i32>,
    /// Chunks of this version with a vector.
    pub embedded_count: i64,
    /// Chunks of this version that reused an earlier vector.
    pub reused_chunks: Option<i32>,
    /// Notes for the owner about this version, one sentence each.
    pub notes: Vec<String>,
    /// For a web site: whether pages below the URL are crawled.
    pub include_subpages: bool,
    /// For a web site: maximum number of pages.
    pub max_pages: Option<i32>,
    /// First job of this version.
    pub job_id: Option<JobId>,
    /// Error code of a failure.
    pub error_code: Option<String>,
    /// Error message of a failure.
    pub error_message: Option<String>,
    /// Creation time.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// A chunk as returned by the API.
#[derive(Clone, Debug)]
pub struct ChunkRow {
    /// Its id.
    pub id: ChunkId,
    /// Its text.
    pub content: String,
    /// Position in the source, from 0.
    pub ordinal: i32,
    /// Enclosing headings, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// Page number, if the source has pages.
    pub page: Option<i32>,
    /// Start offset in the source's text, in characters.
    pub start: i32,
    /// End offset, exclusive.
    pub end: i32,
    /// Length in tokens of the embedding model.
    pub token_count: i32,
    /// Creation time.
    pub created_at: DateTime<Utc>,
}

/// A source with its full text and chunks.
#[derive(Clone, Debug)]
pub struct SourceDetails {
    /// The source.
    pub source: Source,
    /// Its text, once extracted.
    pub content: Option<String>,
    /// Its chunks, in order.
    pub chunks: Vec<ChunkRow>,
}

/// Filter of the source list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only sources of this bot.
    pub bot: Option<BotId>,
    /// Only sources of this type.
    pub source_type: Option<SourceType>,
}

/// The original file or text of a source.
#[derive(Clone, Debug)]
pub struct Download {
    /// File name.
    pub file_name: String,
    /// Media type, derived from the file name.
    pub media_type: String,
    /// Content.
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

/// A source with the text and chunks of its live version, or of the version in progress if none is live.
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

/// A page of the chunks, in order, of a source's live version, or of the version in progress if none is live.
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

/// Downloads the original of a source's newest version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source, or the source has no original.
pub async fn download(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Download> {
    let found = store::find_original(&mut *ctx.db().of(tenant).await?, tenant, source).await?;
    let found = found.ok_or(Error::NotFound(Thing::Source))?;
    let bytes = ctx.blob().get(&found.blob_key).await?.ok_or(Error::NotFound(Thing::Source))?;
    Ok(Download { file_name: found.file_name, media_type: found.media_type, bytes })
}
