//! Response bodies of the web site routes.

use parlance_core::knowledge::crawl::{self, PageState};
use parlance_core::knowledge::{self, Status};
use poem_openapi::Object;

use super::responses::SourceError;
use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};
use crate::response::envelope::DoneOrAccepted;

/// Result of scraping a web site.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Scraped {
    /// Number of pages read.
    pub(crate) pages_scraped: i64,
    /// Number of chunks created from them.
    pub(crate) knowledge_chunks_created: i32,
    /// Pages that could not be read.
    pub(crate) failed_urls: Vec<FailedUrl>,
    /// Human-readable confirmation.
    pub(crate) message: String,
    /// Unique identifier of the knowledge source.
    pub(crate) source_id: Id,
    /// The job that crawled the site.
    pub(crate) job_id: OrNull<Id>,
    /// Status of the source: `failed` if no page could be read.
    pub(crate) status: Word<Status>,
    /// Error, if it failed.
    pub(crate) error: OrNull<SourceError>,
    /// Whether the bot already had the site; nothing was changed then.
    pub(crate) duplicate: bool,
}

/// A page that could not be read.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct FailedUrl {
    /// URL of the page.
    pub(crate) url: String,
    /// Machine-readable reason.
    pub(crate) reason: String,
    /// HTTP status of the response, if there was one.
    pub(crate) status: OrNull<i32>,
}

/// A web site that is being scraped.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Scraping {
    /// Unique identifier of the knowledge source.
    pub(crate) source_id: Id,
    /// The job that crawls the site: watch it at `/jobs/{job_id}/events`.
    pub(crate) job_id: OrNull<Id>,
    /// Status of the source.
    pub(crate) status: Word<Status>,
    /// Human-readable confirmation.
    pub(crate) message: String,
    /// Whether the bot already had the site; nothing was changed then.
    pub(crate) duplicate: bool,
}

/// A page of a web site, with the result of its crawl.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SitePage {
    /// Number in the order of discovery, from 1.
    pub(crate) number: i32,
    /// URL of the page.
    pub(crate) url: String,
    /// Title of the page.
    pub(crate) title: OrNull<String>,
    /// Result of the crawl.
    pub(crate) status: Word<PageState>,
    /// HTTP status of the response, if there was one.
    pub(crate) http_status: OrNull<i32>,
    /// Size of the page in bytes, decompressed.
    pub(crate) bytes: OrNull<i64>,
    /// Number of chunks created from it.
    pub(crate) chunks: i64,
    /// Machine-readable reason why it was skipped or failed.
    pub(crate) reason: OrNull<String>,
    /// Explanation why it was skipped or failed.
    pub(crate) message: OrNull<String>,
    /// Time of the fetch.
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
