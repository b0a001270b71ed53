//! Response bodies of the knowledge source routes.

use parlance_core::knowledge::{self, SourceType, Status};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};
use crate::response::envelope::CreatedOrFound;

/// Result of an upload.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Upload {
    /// Unique identifier of the knowledge source.
    pub(crate) id: Id,
    /// Name of the source: the file name.
    pub(crate) name: String,
    /// Type of the source.
    pub(crate) source_type: Word<SourceType>,
    /// Status: `processing` for a new file.
    pub(crate) status: Word<Status>,
    /// Size of the file, in bytes.
    pub(crate) file_size: i64,
    /// Human-readable confirmation.
    pub(crate) message: String,
    /// The job that processes the file.
    pub(crate) job_id: OrNull<Id>,
    /// Whether the bot already had the file; nothing was changed then.
    pub(crate) duplicate: bool,
}

/// A knowledge source.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Source {
    /// Unique identifier.
    pub(crate) id: Id,
    /// Unique identifier of the bot.
    pub(crate) bot_id: Id,
    /// Name of the bot.
    pub(crate) bot_name: String,
    /// Name of the source.
    pub(crate) name: String,
    /// Type of the source.
    pub(crate) source_type: Word<SourceType>,
    /// First 200 characters of the content, once it is extracted.
    pub(crate) content_preview: OrNull<String>,
    /// Path of the file, for a file source.
    pub(crate) file_path: OrNull<String>,
    /// URL, for a web site source.
    pub(crate) url: OrNull<String>,
    /// Status.
    pub(crate) status: Word<Status>,
    /// Progress of the processing.
    pub(crate) progress: Progress,
    /// Error, if the processing failed.
    pub(crate) error: OrNull<SourceError>,
    /// The job that created this version.
    pub(crate) job_id: OrNull<Id>,
    /// Size of the original, in bytes.
    pub(crate) size_bytes: OrNull<i64>,
    /// Number of chunks, once known.
    pub(crate) chunk_count: OrNull<i32>,
    /// Number of chunks that kept their vector from the previous version.
    pub(crate) reused_chunks: OrNull<i32>,
    /// Warnings, one sentence each: a file name that does not match the content, pages that could not be read.
    pub(crate) notes: Vec<String>,
    /// Whether pages below the URL are crawled too; null unless it is a web site.
    pub(crate) include_subpages: OrNull<bool>,
    /// Maximum number of pages crawled; null unless it is a web site.
    pub(crate) max_pages: OrNull<i32>,
    /// Version of the source, from 1.
    pub(crate) version: i32,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
    /// Time of the last change.
    pub(crate) updated_at: Timestamp,
}

/// A created knowledge source.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct CreatedSource {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) source: Source,
    /// Human-readable confirmation.
    pub(crate) message: String,
    /// Whether the bot already had the content; nothing was changed then.
    pub(crate) duplicate: bool,
}

/// An updated knowledge source.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UpdatedSource {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) source: Source,
    /// Human-readable confirmation.
    pub(crate) message: String,
}

/// A chunk of a source, with its position.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceChunk {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) chunk: Chunk,
    /// Headings above the chunk.
    pub(crate) heading: OrNull<String>,
    /// Page number, if the source has pages.
    pub(crate) page: OrNull<i32>,
    /// Start of the chunk in the source's content, in characters.
    pub(crate) start: i32,
    /// End of the chunk, exclusive, in characters.
    pub(crate) end: i32,
    /// Length in tokens of the embedding model.
    pub(crate) token_count: i32,
}

/// Progress of a source or a job.
#[derive(Debug, PartialEq, Eq, Object, serde::Serialize)]
pub(crate) struct Progress {
    /// Number of units done.
    pub(crate) done: i64,
    /// Total number of units, once known.
    pub(crate) total: OrNull<i64>,
    /// Unit that is counted.
    pub(crate) unit: String,
    /// Percentage done, from 0 to 100.
    pub(crate) percent: i64,
}

/// Error of a source or a job.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceError {
    /// Stable machine-readable error code.
    pub(crate) code: String,
    /// What went wrong and how to fix it.
    pub(crate) message: String,
}

/// A knowledge source with its content.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceWithContent {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) source: Source,
    /// Text content, once it is extracted.
    pub(crate) content: OrNull<String>,
}

/// A knowledge source with its content and chunks.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceDetails {
    /// The knowledge source.
    pub(crate) source: SourceWithContent,
    /// Chunks, in order.
    pub(crate) chunks: Vec<Chunk>,
}

/// A chunk of a source.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Chunk {
    /// Unique identifier.
    pub(crate) id: Id,
    /// Text of the chunk.
    pub(crate) content: String,
    /// Index in the source, from 0.
    pub(crate) chunk_index: i32,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
}

impl From<knowledge::Added> for CreatedOrFound<Upload> {
    fn from(knowledge::Added { source, duplicate }: knowledge::Added) -> Self {
        // The reference documents `processing` for a new upload, even before a worker starts.
        let (status, message) = if duplicate {
            (source.status, "The bot has this file already")
        } else {
            (Status::Processing, "File uploaded and processing started")
        };
        let upload = Upload {
            id: source.id.into(),
            name: source.name,
            source_type: source.source_type.into(),
            status: status.into(),
            file_size: source.size_bytes.unwrap_or_default(),
            message: message.to_owned(),
            job_id: OrNull::of(source.job_id),
            duplicate,
        };
        if duplicate { CreatedOrFound::Found(upload) } else { CreatedOrFound::Created(upload) }
    }
}

impl From<knowledge::Added> for CreatedOrFound<CreatedSource> {
    fn from(knowledge::Added { source, duplicate }: knowledge::Added) -> Self {
        let message = if duplicate {
            "The bot has this content already"
        } else {
            "Knowledge source created successfully"
        };
        let created = CreatedSource { source: source.into(), message: message.to_owned(), duplicate };
        if duplicate { CreatedOrFound::Found(created) } else { CreatedOrFound::Created(created) }
    }
}

impl UpdatedSource {
    pub(super) fn new(message: &str, source: knowledge::Source) -> Self {
        Self { source: source.into(), message: message.to_owned() }
    }
}

impl From<knowledge::SourceDetails> for SourceDetails {
    fn from(details: knowledge::SourceDetails) -> Self {
        Self {
            source: SourceWithContent { source: details.source.into(), content: OrNull(details.content) },
            chunks: details.chunks.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<knowledge::Source> for Source {
    fn from(source: knowledge::Source) -> Self {
        let error = source.error_code.zip(source.error_message);
        Self {
            progress: progress(source.status, source.embedded_count, source.chunk_count),
            file_path: OrNull(source.file_name.map(|file| format!("/uploads/{}/{file}", source.id))),
            id: source.id.into(),
            bot_id: source.bot_id.into(),
            bot_name: source.bot_name,
            name: source.name,
            source_type: source.source_type.into(),
            content_preview: OrNull(source.content_preview),
            url: OrNull(source.url),
            status: source.status.into(),
            error: OrNull(error.map(|(code, message)| SourceError { code, message })),
            job_id: OrNull::of(source.job_id),
            size_bytes: OrNull(source.size_bytes),
            chunk_count: OrNull(source.chunk_count),
            reused_chunks: OrNull(source.reused_chunks),
            notes: source.notes,
            include_subpages: OrNull(source.max_pages.map(|_| source.include_subpages)),
            max_pages: OrNull(source.max_pages),
            version: source.version,
            created_at: source.created_at.into(),
            updated_at: source.updated_at.into(),
        }
    }
}

/// Embedded chunks out of all; 100 percent only when the source is ready.
fn progress(status: Status, done: i64, total: Option<i32>) -> Progress {
    let total = total.map(i64::from);
    let percent = match (status, total) {
        (Status::Ready, _) => 100,
        (_, Some(total)) if total > 0 => (done * 100 / total).clamp(0, 99),
        _ => 0,
    };
    Progress { done, total: OrNull(total), unit: "chunks".to_owned(), percent }
}

impl From<knowledge::ChunkRow> for Chunk {
    fn from(chunk: knowledge::ChunkRow) -> Self {
        Self {
            id: chunk.id.into(),
            content: chunk.content,
            chunk_index: chunk.ordinal,
            created_at: chunk.created_at.into(),
        }
    }
}

impl From<knowledge::ChunkRow> for SourceChunk {
    fn from(chunk: knowledge::ChunkRow) -> Self {
        Self {
            heading: OrNull(chunk.heading.clone()),
            page: OrNull(chunk.page),
            start: chunk.start,
            end: chunk.end,
            token_count: chunk.token_count,
            chunk: chunk.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ready_source_is_at_100_percent() {
        for (status, done, total, percent) in [
            (Status::Queued, 0, None, 0),
            (Status::Processing, 0, Some(0), 0),
            (Status::Processing, 1, Some(3), 33),
            (Status::Processing, 3, Some(3), 99),
            (Status::Ready, 3, Some(3), 100),
            (Status::Failed, 2, Some(4), 50),
        ] {
            assert_eq!(progress(status, done, total).percent, percent, "{status:?} {done} {total:?}");
        }
    }
}
