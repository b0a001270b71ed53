//! robots.txt (RFC 9309).
//!
//! `robotxt` parses the file: longest match, `*` and `$`, merged groups, Allow over Disallow on a tie,
//! normalised percent-encoding. The file must only be fetched through the fetcher, and a site whose file
//! cannot be fetched disallows everything.

use std::time::Duration;

use url::Url;

use crate::fetcher::{FetchError, FetchOptions, FetchResponse, Fetcher, OnExcess};

/// Product token that robots.txt files address: the user agent without its version.
pub const PRODUCT: &str = "ParlanceBot";

/// Maximum crawl delay. Longer requested delays are capped.
pub const MAX_CRAWL_DELAY: Duration = Duration::from_secs(30);

/// Maximum number of sitemaps per file.
const MAX_SITEMAPS: usize = 100;
/// RFC 9309, 2.3.1.2: at least five redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// The rules of one site for this crawler.
#[derive(Debug, Clone)]
pub struct Robots {
    rules: robotxt::Robots,
    crawl_delay: Option<Duration>,
    reached: bool,
    retry_after: Option<Duration>,
}

impl Robots {
    /// Fetches and parses the robots.txt of a page's site. A missing file (4xx) or too many redirects allow
    /// everything; a server error (5xx), too many requests (429) or no response disallows everything.
    ///
    /// # Errors
    /// Only [`FetchError::Refused`]: the fetcher refuses the site or a redirect of the file.
    pub async fn fetch(fetcher: &Fetcher, page: &Url) -> Result<Self, FetchError> {
        fetcher.check(page)?;
        let Ok(url) = robotxt::robots_url(page) else {
            return Ok(Self::unreachable());
        };
        // One extra byte signals to the parser that the last line may be cut.
        let request = FetchOptions {
            accept: "text/plain, */*;q=0.1",
            max_bytes: robotxt::BYTE_LIMIT + 1,
            on_excess: OnExcess::Truncate,
            max_redirects: MAX_REDIRECTS,
            pace: None,
        };
        match fetcher.run(&url, request).await {
            Ok(fetched) => Ok(Self::from_response(&fetched)),
            Err(refused @ FetchError::Refused(_)) => Err(refused),
            Err(FetchError::TooManyRedirects) => Ok(Self::allow_all()),
            Err(error) => {
                tracing::debug!(%url, %error, code = error.code(), "robots.txt not fetched; disallowing everything");
                Ok(Self::unreachable())
            }
        }
    }

    /// Parses the first 500 KiB of a robots.txt.
    pub fn parse(text: &[u8]) -> Self {
        Self::new(robotxt::Robots::parse(text, PRODUCT), true)
    }

    /// The rules of a site without a robots.txt.
    pub fn allow_all() -> Self {
        Self::new(robotxt::Robots::allow_all(), true)
    }

    /// Whether a page of this site may be fetched. Only path and query count.
    pub fn allowed(&self, url: &Url) -> bool {
        self.rules.is_url_allowed(url)
    }

    /// The requested delay between two requests, at most [`MAX_CRAWL_DELAY`].
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// The listed sitemaps of any host, unchecked.
    pub fn sitemaps(&self) -> &[Url] {
        let listed = self.rules.sitemaps();
        listed.get(..MAX_SITEMAPS).unwrap_or(listed)
    }

    /// Whether the site's rules are known. If not, nothing is allowed, and a retry may succeed.
    pub fn reached(&self) -> bool {
        self.reached
    }

    /// `Retry-After` of the response to robots.txt, if the rules are not known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn from_response(fetched: &FetchResponse) -> Self {
        match fetched.status {
            200..=299 => Self::parse(&fetched.body),
            429 | 500.. => Self { retry_after: fetched.retry_after, ..Self::unreachable() },
            _ => Self::allow_all(),
        }
    }

    fn unreachable() -> Self {
        Self::new(robotxt::Robots::disallow_all(), false)
    }

    fn new(rules: robotxt::Robots, reached: bool) -> Self {
        let requested = rules.crawl_delay();
        if let Some(delay) = requested.filter(|delay| *delay > MAX_CRAWL_DELAY) {
            tracing::debug!(?delay, honoured = ?MAX_CRAWL_DELAY, "crawl delay of robots.txt capped");
        }
        Self {
            crawl_delay: requested.map(|delay| delay.min(MAX_CRAWL_DELAY)),
            rules,
            reached,
            retry_after: None,
        }
    }
}
