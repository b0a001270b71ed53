//! Knowledge, as the API shows it.

use parlance_core::knowledge::crawl::{self, PageState};
use parlance_core::knowledge::{self, SourceType, Status};
use poem_openapi::Object;

use crate::envelope::{CreatedOrFound, DoneOrAccepted};
use crate::values::{Id, OrNull, Timestamp};
use crate::words::Word;

/// What came of an upload.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
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
#[oai(example)]
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
#[oai(example)]
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
#[oai(example)]
pub(crate) struct UpdatedSource {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) source: Source,
    /// What was done.
    pub(crate) message: String,
}

/// A passage of a source, and where it is.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
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

/// What came of a web site.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
pub(crate) struct Scraped {
    /// Pages that were read.
    pub(crate) pages_scraped: i64,
    /// Chunks that were made of them.
    pub(crate) knowledge_chunks_created: i32,
    /// Pages that could not be read.
    pub(crate) failed_urls: Vec<FailedUrl>,
    /// What was done.
    pub(crate) message: String,
    /// The knowledge source.
    pub(crate) source_id: Id,
    /// The job that read the site.
    pub(crate) job_id: OrNull<Id>,
    /// Where the source stands: `failed` when no page could be read.
    pub(crate) status: Word<Status>,
    /// Why it failed.
    pub(crate) error: OrNull<SourceError>,
    /// Whether the bot had the site already, so that nothing was done.
    pub(crate) duplicate: bool,
}

/// A page that could not be read.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct FailedUrl {
    /// Its address.
    pub(crate) url: String,
    /// For programs: why.
    pub(crate) reason: String,
    /// The HTTP status of the answer, when there was one.
    pub(crate) status: OrNull<i32>,
}

/// A web site that is being read.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
pub(crate) struct Scraping {
    /// The knowledge source.
    pub(crate) source_id: Id,
    /// The job that reads the site: watch it at `/jobs/{job_id}/events`.
    pub(crate) job_id: OrNull<Id>,
    /// Where the source stands.
    pub(crate) status: Word<Status>,
    /// What was done.
    pub(crate) message: String,
    /// Whether the bot had the site already, so that nothing was done.
    pub(crate) duplicate: bool,
}

/// A page of a web site, and what became of it.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
pub(crate) struct SitePage {
    /// Its place in the order in which pages were found, from 1.
    pub(crate) number: i32,
    /// Its address.
    pub(crate) url: String,
    /// Its title.
    pub(crate) title: OrNull<String>,
    /// What became of it.
    pub(crate) status: Word<PageState>,
    /// The HTTP status of the answer, when there was one.
    pub(crate) http_status: OrNull<i32>,
    /// What came over, in bytes, once inflated.
    pub(crate) bytes: OrNull<i64>,
    /// The chunks that were made of it.
    pub(crate) chunks: i64,
    /// For programs: why it was skipped or failed.
    pub(crate) reason: OrNull<String>,
    /// For people: why it was skipped or failed.
    pub(crate) message: OrNull<String>,
    /// When it was read.
    pub(crate) fetched_at: OrNull<Timestamp>,
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
#[oai(example)]
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

impl From<knowledge::Scraped> for DoneOrAccepted<Scraped, Scraping> {
    fn from(scraped: knowledge::Scraped) -> Self {
        let knowledge::Scraped { source, duplicate, has_ended, pages, failed } = scraped;
        if !has_ended {
            return DoneOrAccepted::Accepted(Scraping {
                source_id: source.id.into(),
                job_id: OrNull::of(source.job_id),
                status: source.status.into(),
                message: "Website scraping started".to_owned(),
                duplicate,
            });
        }
        let message = match source.status {
            Status::Ready if failed.is_empty() => "Website scraped successfully",
            Status::Ready => "Website scraped; some pages could not be read",
            Status::Cancelled => "Website scraping was cancelled",
            _ => "Website could not be scraped",
        };
        let error = source.error_code.zip(source.error_message);
        DoneOrAccepted::Done(Scraped {
            pages_scraped: pages,
            knowledge_chunks_created: source.chunk_count.unwrap_or(0),
            failed_urls: failed
                .into_iter()
                .map(|page| FailedUrl {
                    url: page.url,
                    reason: page.reason,
                    status: OrNull(page.http_status),
                })
                .collect(),
            message: message.to_owned(),
            source_id: source.id.into(),
            job_id: OrNull::of(source.job_id),
            status: source.status.into(),
            error: OrNull(error.map(|(code, message)| SourceError { code, message })),
            duplicate,
        })
    }
}

impl From<crawl::SitePage> for SitePage {
    fn from(page: crawl::SitePage) -> Self {
        Self {
            number: page.ordinal,
            url: page.url,
            title: OrNull(page.title),
            status: page.state.into(),
            http_status: OrNull(page.http_status),
            bytes: OrNull(page.bytes),
            chunks: page.chunks,
            reason: OrNull(page.reason),
            message: OrNull(page.message),
            fetched_at: OrNull::of(page.fetched_at),
        }
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
