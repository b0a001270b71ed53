//! Knowledge, as the API shows it.

use parlance_core::knowledge::{self, SourceType, Status};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};
use crate::response::envelope::CreatedOrFound;

/// What came of an upload.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Upload {
    /// The knowledge source.
    pub(crate) id: Id,
    /// Its name: the file's.
    pub(crate) name: String,
    /// What it is made from.
    pub(crate) source_type: Word<SourceType>,
    /// Where it stands: `processing` when it is new.
    pub(crate) status: Word<Status>,
    /// The file's size, in bytes.
    pub(crate) file_size: i64,
    /// What was done.
    pub(crate) message: String,
    /// The job that reads the file.
    pub(crate) job_id: OrNull<Id>,
    /// Whether the bot had the file already, so that nothing was done.
    pub(crate) duplicate: bool,
}

/// A knowledge source.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Source {
    /// Its id.
    pub(crate) id: Id,
    /// The bot that answers from it.
    pub(crate) bot_id: Id,
    /// That bot's name.
    pub(crate) bot_name: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is made from.
    pub(crate) source_type: Word<SourceType>,
    /// The first 200 characters of its content, once that is extracted.
    pub(crate) content_preview: OrNull<String>,
    /// The file's path, when it is made from a file.
    pub(crate) file_path: OrNull<String>,
    /// The address, when it is made from a web site.
    pub(crate) url: OrNull<String>,
    /// Where it stands.
    pub(crate) status: Word<Status>,
    /// How far it is.
    pub(crate) progress: Progress,
    /// Why it failed.
    pub(crate) error: OrNull<SourceError>,
    /// The job that began this version.
    pub(crate) job_id: OrNull<Id>,
    /// The size of the original, in bytes.
    pub(crate) size_bytes: OrNull<i64>,
    /// How many chunks it has, once that is known.
    pub(crate) chunk_count: OrNull<i32>,
    /// How many of them kept their vector from before, and were not embedded again.
    pub(crate) reused_chunks: OrNull<i32>,
    /// What you should know about it, a sentence each: a name that does not fit the content, pages that
    /// could not be read.
    pub(crate) notes: Vec<String>,
    /// Of a web site: whether pages below its address are read too.
    pub(crate) include_subpages: OrNull<bool>,
    /// Of a web site: how many pages are read at most.
    pub(crate) max_pages: OrNull<i32>,
    /// Which version of it this is, from 1.
    pub(crate) version: i32,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it last changed.
    pub(crate) updated_at: Timestamp,
}

/// A knowledge source that has just been made.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct CreatedSource {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) source: Source,
    /// What was done.
    pub(crate) message: String,
    /// Whether the bot had the content already, so that nothing was done.
    pub(crate) duplicate: bool,
}

/// A knowledge source that has just been changed.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UpdatedSource {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) source: Source,
    /// What was done.
    pub(crate) message: String,
}

/// A passage of a source, and where it is.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceChunk {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) chunk: Chunk,
    /// The headings above it.
    pub(crate) heading: OrNull<String>,
    /// The page, when the source has pages.
    pub(crate) page: OrNull<i32>,
    /// Where it begins in the source's content, in characters.
    pub(crate) start: i32,
    /// Where it ends, excluded.
    pub(crate) end: i32,
    /// Its length, in tokens of the embedding model.
    pub(crate) token_count: i32,
}

/// How far a source is.
#[derive(Debug, PartialEq, Eq, Object, serde::Serialize)]
pub(crate) struct Progress {
    /// How many are done.
    pub(crate) done: i64,
    /// How many there are, once that is known.
    pub(crate) total: OrNull<i64>,
    /// What is counted.
    pub(crate) unit: String,
    /// How much of it is done, from 0 to 100.
    pub(crate) percent: i64,
}

/// Why a source failed.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceError {
    /// For programs: a stable slug.
    pub(crate) code: String,
    /// For people: what is wrong and what to do.
    pub(crate) message: String,
}

/// A knowledge source with all of its text.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceWithContent {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) source: Source,
    /// Its text, once that is extracted.
    pub(crate) content: OrNull<String>,
}

/// A knowledge source with its text and its chunks.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SourceDetails {
    /// The source.
    pub(crate) source: SourceWithContent,
    /// Its chunks, in order.
    pub(crate) chunks: Vec<Chunk>,
}

/// A passage of a source.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Chunk {
    /// Its id.
    pub(crate) id: Id,
    /// Its text.
    pub(crate) content: String,
    /// Its place in the source, from 0.
    pub(crate) chunk_index: i32,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

impl From<knowledge::Added> for CreatedOrFound<Upload> {
    fn from(knowledge::Added { source, duplicate }: knowledge::Added) -> Self {
        // The reference calls a new upload `processing`, whether or not a worker has it yet.
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
    pub(super) fn saying(message: &str, source: knowledge::Source) -> Self {
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

/// Chunks that have their vector, of all chunks. It is whole only when the source answers.
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
    fn progress_is_whole_only_when_the_source_answers() {
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
