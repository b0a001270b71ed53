//! The words of a crawl: its pages, and what becomes of them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use url::Url;

use crate::stored_enum;

/// A page to be read.
#[derive(Clone, Debug)]
pub struct PageTask {
    /// Its place in the order in which pages were found, from 1.
    pub ordinal: i32,
    /// Its address.
    pub url: Url,
    /// Tries that failed.
    pub attempt: i32,
}

/// How far a crawl is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Pages that have their outcome.
    pub done: i64,
    /// Pages that are known.
    pub known: i64,
}

/// An address with what recognises the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The address.
    pub url: String,
    /// Equal for all addresses of the page.
    pub key: String,
}

/// What became of a page.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was read.
    Fetched(Fetched),
    /// It is none of ours, or was read under another address.
    Skipped(Cause),
    /// It could not be read.
    Failed(Cause),
    /// It may be read later: after this long.
    Again(Duration, Cause),
}

/// A page that was read.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where it is: after redirects.
    pub url: String,
    /// Its title.
    pub title: Option<String>,
    /// Its main content, as Markdown.
    pub text: String,
    /// The status of the answer.
    pub http_status: i32,
    /// What came over, inflated, in bytes.
    pub bytes: i64,
    /// Keys of other addresses of the page: where it was redirected to, and its canonical one.
    pub aliases: Vec<String>,
    /// Pages that it links to and that are to be read too.
    pub links: Vec<Link>,
}

/// Why a page was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Stable slug (`robots`, `duplicate`, `blocked_by_site`, `http_404`, `timeout` …).
    pub reason: String,
    /// Sentence.
    pub message: String,
    /// The status of the answer, when there was one.
    pub http_status: Option<i32>,
}

impl Cause {
    /// A cause with its slug and sentence.
    pub fn new(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into(), http_status: None }
    }

    /// The same, with the status of the answer.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { http_status: Some(i32::from(status)), ..self }
    }
}

stored_enum! {
    /// Where a page stands.
    pub enum PageState {
        /// It waits.
        Queued = "queued",
        /// It was read.
        Fetched = "fetched",
        /// It was left out.
        Skipped = "skipped",
        /// It could not be read.
        Failed = "failed",
    }
}

/// A page of a crawl as its owner sees it.
#[derive(Clone, Debug)]
pub struct SitePage {
    /// Its place in the order in which pages were found, from 1.
    pub ordinal: i32,
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: Option<String>,
    /// Where it stands.
    pub state: PageState,
    /// Why it was skipped or failed: a slug.
    pub reason: Option<String>,
    /// Why it was skipped or failed: a sentence.
    pub message: Option<String>,
    /// The status of the answer.
    pub http_status: Option<i32>,
    /// What came over, inflated, in bytes.
    pub bytes: Option<i64>,
    /// Its chunks.
    pub chunks: i64,
    /// When it was read.
    pub fetched_at: Option<DateTime<Utc>>,
}
