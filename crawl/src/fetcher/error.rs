//! Errors of the fetcher.

use super::Refusal;

/// A [`Fetcher`](super::Fetcher) could not be created.
#[derive(Debug, thiserror::Error)]
#[error(
    "The guarded web client could not be set up. Check the user agent and the certificates of this machine."
)]
pub struct FetcherError(#[from] reqwest::Error);

/// A failed fetch. Each variant displays as a sentence for a person; the cause is its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL, or one that it redirected to, is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Connecting or receiving took too long.
    #[error("The site took too long to answer. Try again later.")]
    Timeout,
    /// The decompressed body exceeds the limit.
    #[error("The page is larger than {} KiB. Use a smaller page, or upload the document as a file.", limit / 1024)]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Too many redirects.
    #[error("The address redirects too many times. Use the address that it ends at.")]
    TooManyRedirects,
    /// The name has no addresses, or its lookup failed.
    #[error("The name \"{0}\" could not be found. Check its spelling.")]
    Dns(String),
    /// The connection or the TLS handshake failed.
    #[error("The site could not be connected to. Check the address, or try again later.")]
    Connect(#[source] reqwest::Error),
    /// The response broke off or is not valid HTTP.
    #[error("The site's answer broke off or could not be understood. Try again later.")]
    Broken(#[source] reqwest::Error),
}

impl FetchError {
    /// Error code for logs and records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Timeout => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::TooManyRedirects => "too_many_redirects",
            Self::Dns(_) => "name_not_found",
            Self::Connect(_) => "not_connected",
            Self::Broken(_) => "broken_answer",
        }
    }

    /// Whether a retry may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) | Self::TooLarge { .. } | Self::TooManyRedirects => false,
            Self::Timeout | Self::Dns(_) | Self::Connect(_) | Self::Broken(_) => true,
        }
    }
}
