//! Reasons for a page that could not be rendered.

use crate::fetcher::Refusal;

/// A page could not be rendered. Each variant displays as a sentence for a person; the cause is its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The URL is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This build has no browser support.
    #[error(
        "This build of Parlance cannot run a browser. Build it with the feature `browser`, or use the image."
    )]
    NotCompiled,
    /// The browser could not be started or reached.
    #[error("The browser of this server could not be started. Tell its operator.")]
    Unavailable(#[source] std::io::Error),
    /// The browser crashed too often.
    #[error("The browser crashed while it read the page.")]
    Crashed,
    /// The page was not ready in time.
    #[error("The page took too long in the browser.")]
    Timeout,
    /// The page used too much memory.
    #[error("The page needs more memory than a page may use.")]
    Memory,
    /// The rendered page is too large.
    #[error("The page is larger than {} KiB in the browser.", limit / 1024)]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The page did not load, or is no HTML page.
    #[error("The page did not load in the browser ({0}).")]
    Failed(String),
}

impl RenderError {
    /// Error code for logs and records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::NotCompiled | Self::Unavailable(_) => "browser_unavailable",
            Self::Crashed => "browser_crashed",
            Self::Timeout => "browser_timeout",
            Self::Memory => "browser_memory",
            Self::TooLarge { .. } => "too_large",
            Self::Failed(_) => "browser_failed",
        }
    }
}
