//! Knowledge: what a bot answers from.
//!
//! Owns the tables `source`, `source_version` and `chunk`. [`mod@ingest`] turns a source into chunks
//! with vectors, a step a job; [`mod@search`] finds them; [`mod@chunk`] is pure.
//!
//! Invariant: a chunk is found only while its version is its source's live one, and a version becomes
//! live in one transaction, when its last vector is there.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::bots;
use crate::context::Context;
use crate::error::{Error, Problem, Result, Thing};
use crate::ids::{BotId, ChunkId, JobId, SourceId, TenantId};
use crate::jobs::{self, About, Kind};
use crate::providers::extract::FileType;

pub mod chunk;
pub mod ingest;
pub mod search;
mod store;

/// The largest file accepted, in bytes.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// How long a file's name may be, in characters; the rest of it is cut.
const NAME_LENGTH: usize = 255;

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

/// What came of an upload.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// The source.
    pub source: Source,
    /// Whether the bot had the same content already, so that nothing was done.
    pub duplicate: bool,
}

/// Accepts a file: stores it, writes the source and its first job, and answers. The work is done by
/// the workers; the file is safe from here on, even while Redis is down.
///
/// # Errors
/// [`Error::NotFound`] without such a bot, [`Error::TooLarge`] above [`MAX_FILE_BYTES`],
/// [`Error::Invalid`] for a type that is not supported.
pub async fn upload(
    ctx: &Context,
    tenant: TenantId,
    bot: BotId,
    file_name: &str,
    bytes: Bytes,
) -> Result<Uploaded> {
    let bot = bots::get(ctx, tenant, bot).await?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::TooLarge { limit_bytes: MAX_FILE_BYTES });
    }
    let name = plain_name(file_name).ok_or_else(|| Error::Invalid(vec![Problem::missing("file")]))?;
    let file_type = FileType::of_name(&name).ok_or_else(|| {
        Error::invalid(
            "file",
            format!("The file's type is not supported; supported are {}", FileType::EXTENSIONS),
        )
    })?;
    let content_hash: [u8; 32] = Sha256::digest(&bytes).into();
    if let Some(existing) = store::find_by_content(ctx.db(), tenant, bot.id, &content_hash).await? {
        return Ok(Uploaded { source: get_source(ctx, tenant, existing).await?, duplicate: true });
    }

    let id = SourceId::fresh();
    let blob_key = format!("{tenant}/{id}/1");
    let new = store::NewSource {
        id,
        tenant,
        bot: bot.id,
        name: &name,
        source_type: SourceType::File,
        file_name: Some(safe_name(&name)),
        media_type: Some(file_type.media_type()),
        blob_key: Some(&blob_key),
        size_bytes: i64::try_from(bytes.len()).ok(),
        content_hash: &content_hash,
    };
    ctx.blob().put(&blob_key, bytes).await?;

    let mut tx = ctx.db().begin().await?;
    if !store::insert_source(&mut *tx, &new).await? {
        // Another upload of the same content won; its source is the one.
        drop(tx);
        ctx.blob().delete(&blob_key).await?;
        let existing = store::find_by_content(ctx.db(), tenant, bot.id, &content_hash).await?;
        let existing = existing.ok_or(Error::NotFound(Thing::Source))?;
        return Ok(Uploaded { source: get_source(ctx, tenant, existing).await?, duplicate: true });
    }
    store::insert_version(&mut *tx, tenant, id, 1).await?;
    let about = About { tenant, bot: Some(bot.id), source: Some((id, 1)), parent: None };
    let job = jobs::enqueue(ctx, &mut tx, about, &ingest::ExtractFile { source: id, version: 1 }).await?;
    store::set_job(&mut *tx, tenant, id, job).await?;
    tx.commit().await?;
    jobs::dispatch::nudge(ctx, Kind::Upload);
    Ok(Uploaded { source: get_source(ctx, tenant, id).await?, duplicate: false })
}

/// A source of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn get_source(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Source> {
    store::find_source(ctx.db(), tenant, source, PREVIEW_LENGTH).await?.ok_or(Error::NotFound(Thing::Source))
}

/// A source with its text and chunks: those of the live version, else of the one being made.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source.
pub async fn get(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<SourceDetails> {
    let found = get_source(ctx, tenant, source).await?;
    let content = store::find_content(ctx.db(), tenant, source).await?;
    let chunks = store::list_chunks(ctx.db(), tenant, source).await?;
    Ok(SourceDetails { source: found, content, chunks })
}

/// The last part of what a client sent as a file's name; clients of old sent whole paths.
fn plain_name(raw: &str) -> Option<String> {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// The name as one segment of a path that every system and shell takes as it is.
fn safe_name(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' })
        .collect::<String>()
        .trim_start_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{plain_name, safe_name};

    #[test]
    fn a_name_is_never_a_path() {
        for (raw, plain, safe) in [
            ("report.md", "report.md", "report.md"),
            ("../../etc/passwd.md", "passwd.md", "passwd.md"),
            (r"C:\docs\My File (1).md", "My File (1).md", "My-File--1-.md"),
            ("Größe?.md", "Größe?.md", "Größe-.md"),
            (".hidden.md", ".hidden.md", "hidden.md"),
        ] {
            let name = plain_name(raw).unwrap();
            assert_eq!((name.as_str(), safe_name(&name).as_str()), (plain, safe));
        }
        assert_eq!(plain_name("  "), None);
        assert_eq!(plain_name("a/"), None);
    }
}
