//! Knowledge: the sources of a bot's answers.
//!
//! Owns the tables `source`, `source_version`, `source_page` and `chunk`. [`mod@ingest`] turns a source into chunks
//! with vectors, one job per step; [`mod@crawl`] reads the pages of a web site; [`mod@search`] finds chunks;
//! [`mod@chunk`] is pure.
//!
//! Invariant: search returns only chunks of a source's live version, and a version becomes live in one transaction,
//! after its last vector is stored.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{BotId, ChunkId, JobId, SourceId, TenantId};
use crate::page::{Page, PageRequest};
use crate::stored_enum;

mod add;
mod change;
pub mod chunk;
pub mod crawl;
mod end_version;
pub mod failed_files;
mod hit;
pub mod index;
pub mod ingest;
mod job_control;
mod original;
pub mod orphans;
pub mod reembed;
pub mod reindex;
mod removal;
mod scrape;
pub mod search;
mod site;
mod store;
pub mod uncounted;

pub use add::{Added, SourceRequest, add, upload};
pub use change::{SourceChanges, refresh, update};
pub(crate) use end_version::EndVersion;
pub use job_control::{cancel_any_job, cancel_job, retry_any_job, retry_job};
pub use original::{File, Original};
pub use parlance_extract::file_types;
pub use removal::delete;
pub(crate) use removal::{purge_bot, purge_source, purge_vectors, purge_versions};
pub use scrape::{FailedPage, Scraped, scrape};
pub use site::{MaxPages, Site, SiteUrl};

/// Maximum file size in bytes.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// Length of a text preview, in characters.
const PREVIEW_LENGTH: i32 = 200;

stored_enum! {
    /// The type of a source.
    pub enum SourceType {
        /// An uploaded file.
        File = "file",
        /// A web site.
        Url = "url",
        /// A text.
        Text = "text",
    }
}

stored_enum! {
    /// The state of a source.
    pub enum Status {
        /// Waiting for a worker.
        Queued = "queued",
        /// Being extracted, chunked or embedded.
        Processing = "processing",
        /// Live: searched for answers.
        Ready = "ready",
        /// Failed; the error has the cause.
        Failed = "failed",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}

/// A source.
#[derive(Clone, Debug)]
pub struct Source {
    /// The id.
    pub id: SourceId,
    /// The bot it belongs to.
    pub bot_id: BotId,
    /// Name of the bot.
    pub bot_name: String,
    /// The name.
    pub name: String,
    /// The type.
    pub source_type: SourceType,
    /// The state.
    pub status: Status,
    /// The version in progress, else the latest; from 1.
    pub version: i32,
    /// File name, safe in a path.
    pub file_name: Option<String>,
    /// Address of the web site.
    pub url: Option<String>,
    /// Size of the original, in bytes.
    pub size_bytes: Option<i64>,
    /// First 200 characters of the text.
    pub content_preview: Option<String>,
    /// Chunks of this version, once chunked.
    pub chunk_count: Option<i32>,
    /// Chunks of this version with a vector.
    pub embedded_count: i64,
    /// Chunks of this version that reuse the vector of an earlier version.
    pub reused_chunks: Option<i32>,
    /// Notes to the owner about this version, one sentence each.
    pub notes: Vec<String>,
    /// Whether pages below the address of a web site are crawled too.
    pub include_subpages: bool,
    /// Maximum number of pages of a web site.
    pub max_pages: Option<i32>,
    /// First job of this version.
    pub job_id: Option<JobId>,
    /// Cause of the failure, as a slug.
    pub error_code: Option<String>,
    /// Cause of the failure, as a sentence.
    pub error_message: Option<String>,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// Public view of a chunk.
#[derive(Clone, Debug)]
pub struct ChunkRow {
    /// The id.
    pub id: ChunkId,
    /// The text.
    pub content: String,
    /// Position in the source, from 0.
    pub ordinal: i32,
    /// The headings above it, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// The page, if the source has pages.
    pub page: Option<i32>,
    /// Start in the source's text, in characters.
    pub start: i32,
    /// End in the source's text, exclusive.
    pub end: i32,
    /// Length in tokens of the embedding model.
    pub token_count: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
}

/// A source with its full text and its chunks.
#[derive(Clone, Debug)]
pub struct SourceDetails {
    /// The source.
    pub source: Source,
    /// The text, once extracted.
    pub content: Option<String>,
    /// The chunks, in order.
    pub chunks: Vec<ChunkRow>,
}

/// Filter of a list of sources.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Sources of this bot only.
    pub bot: Option<BotId>,
    /// Sources of this type only.
    pub source_type: Option<SourceType>,
}

/// The original of a source, as uploaded.
#[derive(Clone, Debug)]
pub struct Download {
    /// The file name.
    pub file_name: String,
    /// The media type, by the file's extension.
    pub media_type: String,
    /// The content.
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
    let db = ctx.db().reading(tenant);
    let (sources, total) = store::list_sources(db, tenant, filter, page, PREVIEW_LENGTH).await?;
    Ok(Page::new(page, sources, total))
}

/// A source of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn get_source(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Source> {
    let found = store::find_source(ctx.db().reading(tenant), tenant, source, PREVIEW_LENGTH).await?;
    found.ok_or(Error::NotFound(Thing::Source))
}

/// A source with the text and chunks of its live version, or of the version in progress if none is live.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn get(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<SourceDetails> {
    let db = ctx.db().reading(tenant);
    let found = store::find_source(db, tenant, source, PREVIEW_LENGTH).await?;
    let found = found.ok_or(Error::NotFound(Thing::Source))?;
    let content = store::find_content(db, tenant, source).await?;
    let chunks = store::list_chunks(db, tenant, source, None).await?;
    Ok(SourceDetails { source: found, content, chunks })
}

/// A page of a source's chunks, in order: of the live version, or of the version in progress if none is live.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn list_chunks(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    page: PageRequest,
) -> Result<Page<ChunkRow>> {
    let db = ctx.db().reading(tenant);
    let total = store::count_chunks(db, tenant, source).await?.ok_or(Error::NotFound(Thing::Source))?;
    let chunks = store::list_chunks(db, tenant, source, Some(page)).await?;
    Ok(Page::new(page, chunks, total))
}

/// The original of a source's newest version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source, it has no original, or the original was removed after a
/// failure.
pub async fn download(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Download> {
    let found = store::find_original(ctx.db().reading(tenant), tenant, source).await?;
    let found = found.ok_or(Error::NotFound(Thing::Source))?;
    let missing = if found.is_removed { Thing::RemovedFile } else { Thing::Source };
    let key = found.blob_key.ok_or(Error::NotFound(missing))?;
    let bytes = ctx.blob().get(&key).await?.ok_or(Error::NotFound(Thing::Source))?;
    Ok(Download { file_name: found.file_name, media_type: found.media_type, bytes })
}
