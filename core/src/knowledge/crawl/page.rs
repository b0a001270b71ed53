//! Types of a crawl: pages and their outcomes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use url::Url;

use crate::knowledge::chunk::Markup;
use crate::stored_enum;

/// A page to fetch.
#[derive(Clone, Debug)]
pub struct PageTask {
    /// Position in order of discovery, from 1.
    pub ordinal: i32,
    /// The URL.
    pub url: Url,
    /// Failed attempts so far.
    pub attempt: i32,
}

/// Progress of a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Pages with an outcome.
    pub done: i64,
    /// Pages discovered.
    pub known: i64,
    /// Whether the crawl may read further pages.
    pub has_room: bool,
}

/// A URL with its page key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The URL.
    pub url: String,
    /// Page key: equal for all URLs of the page.
    pub key: String,
}

/// Outcome of a page.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Fetched.
    Fetched(Fetched),
    /// Skipped: unwanted, outside the crawl's scope, or fetched under another URL. Its links are followed.
    Skipped(Cause, Vec<Link>),
    /// Failed. A page without text of its own may still link to others.
    Failed(Cause, Vec<Link>),
    /// To be retried after this pause.
    RetryLater(Duration, Cause),
}

impl Outcome {
    /// A skipped page without links.
    #[must_use]
    pub fn skipped(cause: Cause) -> Self {
        Self::Skipped(cause, Vec::new())
    }

    /// A failed page without links.
    #[must_use]
    pub fn failed(cause: Cause) -> Self {
        Self::Failed(cause, Vec::new())
    }
}

/// A fetched page.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// URL after redirects.
    pub url: String,
    /// The title.
    pub title: Option<String>,
    /// The main content.
    pub text: String,
    /// Markup of the content.
    pub markup: Markup,
    /// HTTP status of the response.
    pub http_status: i32,
    /// Size of the response after decompression, in bytes.
    pub bytes: i64,
    /// Keys of the page's other URLs: the redirect target.
    pub aliases: Vec<String>,
    /// Key of the canonical URL stated by the page. It is a hint, used only if the texts agree.
    pub canonical: Option<String>,
    /// Linked pages within the crawl's scope.
    pub links: Vec<Link>,
}

/// Cause of a skipped or failed page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Stable slug (`robots`, `duplicate`, `blocked_by_site`, `http_404`, `timeout`, `site_too_slow` …).
    pub reason: String,
    /// Human-readable sentence.
    pub message: String,
    /// HTTP status of the response, if there was one.
    pub http_status: Option<i32>,
}

impl Cause {
    /// Creates a cause from a slug and a sentence.
    pub fn new(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into(), http_status: None }
    }

    /// The crawl ended before this page, because its site answers too slowly.
    #[must_use]
    pub fn site_too_slow() -> Self {
        let message =
            "The site answers too slowly: the crawl ended before this page. Refresh the source to try again.";
        Self::new("site_too_slow", message)
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { http_status: Some(i32::from(status)), ..self }
    }
}

stored_enum! {
    /// State of a page.
    pub enum PageState {
        /// Waiting.
        Queued = "queued",
        /// Fetched.
        Fetched = "fetched",
        /// Skipped.
        Skipped = "skipped",
        /// Failed.
        Failed = "failed",
    }
}

/// Public view of a crawled page.
#[derive(Clone, Debug)]
pub struct SitePage {
    /// Position in order of discovery, from 1.
    pub ordinal: i32,
    /// The URL.
    pub url: String,
    /// The title.
    pub title: Option<String>,
    /// The state.
    pub state: PageState,
    /// Cause of a skip or failure, as a slug.
    pub reason: Option<String>,
    /// Cause of a skip or failure, as a sentence.
    pub message: Option<String>,
    /// HTTP status of the response.
    pub http_status: Option<i32>,
    /// Size of the response after decompression, in bytes.
    pub bytes: Option<i64>,
    /// Number of chunks.
    pub chunks: i64,
    /// Time of the fetch.
    pub fetched_at: Option<DateTime<Utc>>,
}
