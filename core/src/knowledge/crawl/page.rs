//! Types of a crawl: pages and their outcomes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use url::Url;

/// A page to fetch.
#[derive(Clone, Debug)]
pub struct PageTask {
    /// Position in order of discovery, from 1.
    pub ordinal: i32,
    /// Its URL.
    pub url: Url,
    /// Failed attempts so far.
    pub attempt: i32,
}

/// Progress of a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Pages with an outcome.
    pub done: i64,
    /// Known pages.
    pub known: i64,
}

/// A URL with its page's deduplication key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The URL.
    pub url: String,
    /// Normalised form, equal for all URLs of the page.
    pub key: String,
}

/// Outcome of a page fetch.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Fetched.
    Fetched(Fetched),
    /// Not part of the site, or a duplicate.
    Skipped(Cause),
    /// Failed for good.
    Failed(Cause),
    /// To be retried after this delay.
    Again(Duration, Cause),
}

/// A fetched page.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// URL after redirects.
    pub url: String,
    /// Its title.
    pub title: Option<String>,
    /// Its main content, as Markdown.
    pub text: String,
    /// HTTP status.
    pub http_status: i32,
    /// Decompressed size in bytes.
    pub bytes: i64,
    /// Keys of the page's other URLs: redirect targets and the canonical URL.
    pub aliases: Vec<String>,
    /// Links to further pages of the site.
    pub links: Vec<Link>,
}

/// Why a page was not fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Stable slug (`robots`, `duplicate`, `blocked_by_site`, `http_404`, `timeout` …).
    pub reason: String,
    /// Message, a full sentence.
    pub message: String,
    /// HTTP status, if there was a response.
    pub http_status: Option<i32>,
}

impl Cause {
    /// A cause without an HTTP status.
    pub fn new(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into(), http_status: None }
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { http_status: Some(i32::from(status)), ..self }
    }
}

/// State of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PageState {
    /// Waiting to be fetched.
    Queued,
    /// Fetched.
    Fetched,
    /// Skipped.
    Skipped,
    /// Could not be fetched.
    Failed,
}

impl PageState {
    /// Every state.
    pub const ALL: [PageState; 4] =
        [PageState::Queued, PageState::Fetched, PageState::Skipped, PageState::Failed];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            PageState::Queued => "queued",
            PageState::Fetched => "fetched",
            PageState::Skipped => "skipped",
            PageState::Failed => "failed",
        }
    }
}

/// A page of a crawl as returned by the API.
#[derive(Clone, Debug)]
pub struct SitePage {
    /// Position in order of discovery, from 1.
    pub ordinal: i32,
    /// Its URL.
    pub url: String,
    /// Its title.
    pub title: Option<String>,
    /// Its state.
    pub state: PageState,
    /// Reason slug of a skipped or failed page.
    pub reason: Option<String>,
    /// Message of a skipped or failed page.
    pub message: Option<String>,
    /// HTTP status.
    pub http_status: Option<i32>,
    /// Decompressed size in bytes.
    pub bytes: Option<i64>,
    /// Number of chunks.
    pub chunks: i64,
    /// Fetch time.
    pub fetched_at: Option<DateTime<Utc>>,
}
