//! How a fetch ends without a page.

use super::Refusal;

/// A door that could not be built.
#[derive(Debug, thiserror::Error)]
#[error(
    "The guarded web client could not be set up. Check the user agent and the certificates of this machine."
)]
pub struct DoorError(#[from] reqwest::Error);

/// A fetch without a page. Each reads as a sentence for a person; the cause is its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The door does not open for this address or for one it redirected to.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The site took too long to connect or to send the page.
    #[error("The site took too long to answer. Try again later.")]
    Timeout,
    /// The body is larger than the limit, in bytes once inflated.
    #[error("The page is larger than {} KiB. Use a smaller page, or upload the document as a file.", limit / 1024)]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More redirects than are followed.
    #[error("The address redirects too many times. Use the address that it ends at.")]
    TooManyRedirects,
    /// The name has no addresses, or could not be looked up.
    #[error("The name \"{0}\" could not be found. Check its spelling.")]
    Dns(String),
    /// No connection, or no handshake.
    #[error("The site could not be connected to. Check the address, or try again later.")]
    Connect(#[source] reqwest::Error),
    /// The answer broke off or is no HTTP.
    #[error("The site's answer broke off or could not be understood. Try again later.")]
    Broken(#[source] reqwest::Error),
}

impl FetchError {
    /// A short word for logs and records.
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

    /// Whether another try may end differently.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) | Self::TooLarge { .. } | Self::TooManyRedirects => false,
            Self::Timeout | Self::Dns(_) | Self::Connect(_) | Self::Broken(_) => true,
        }
    }
}
