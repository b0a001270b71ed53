//! Web sites, as the API shows them.

use parlance_core::knowledge::crawl::{self, PageState};
use parlance_core::knowledge::{self, Status};
use poem_openapi::Object;

use super::responses::SourceError;
use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};
use crate::response::envelope::DoneOrAccepted;

/// What came of a web site.
#[derive(Debug, Object, serde::Serialize)]
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
