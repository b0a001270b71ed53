//! What a site's robots.txt asks of us (RFC 9309).
//!
//! The file is read by `robotxt`: longest match, `*` and `$`, groups that are merged, Allow before
//! Disallow at a tie, percent-encoding made alike. It must never be fetched but through the door, and a
//! site whose file cannot be had is a site that says no.

use std::time::Duration;

use url::Url;

use crate::door::{Door, Excess, FetchError, Fetched, Request};

/// The name that a robots.txt calls us by: the product token of the user agent, without a version.
pub const PRODUCT: &str = "ParlanceBot";

/// The longest pause honoured. Sites that ask for more get this one.
pub const MAX_CRAWL_DELAY: Duration = Duration::from_secs(30);

/// The most site maps read of a file.
const MAX_SITEMAPS: usize = 100;
/// RFC 9309, 2.3.1.2: at least five redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// The rules of one site for us.
#[derive(Debug, Clone)]
pub struct Robots {
    rules: robotxt::Robots,
    crawl_delay: Option<Duration>,
    reached: bool,
}

impl Robots {
    /// Fetches and reads the robots.txt of the site that a page belongs to. A file that is not there
    /// (4xx) or hides behind too many redirects allows everything; a site that errs (5xx) or does not
    /// answer allows nothing.
    ///
    /// # Errors
    /// Only [`FetchError::Refused`]: the door is shut for this site, or for where its file redirects to.
    pub async fn fetch(door: &Door, page: &Url) -> Result<Self, FetchError> {
        door.check(page)?;
        let Ok(url) = robotxt::robots_url(page) else {
            return Ok(Self::unreachable());
        };
        // One byte more tells the parser that its last line may have been cut.
        let request = Request {
            accept: "text/plain, */*;q=0.1",
            max_bytes: robotxt::BYTE_LIMIT + 1,
            excess: Excess::Cut,
            max_redirects: MAX_REDIRECTS,
        };
        match door.run(&url, request).await {
            Ok(fetched) => Ok(Self::answered(&fetched)),
            Err(refused @ FetchError::Refused(_)) => Err(refused),
            Err(FetchError::TooManyRedirects) => Ok(Self::allow_all()),
            Err(error) => {
                tracing::debug!(%url, %error, code = error.code(), "robots.txt did not come");
                Ok(Self::unreachable())
            }
        }
    }

    /// Reads a robots.txt: its first 500 KiB.
    pub fn parse(text: &[u8]) -> Self {
        Self::of(robotxt::Robots::parse(text, PRODUCT), true)
    }

    /// The rules of a site without a robots.txt.
    pub fn allow_all() -> Self {
        Self::of(robotxt::Robots::allow_all(), true)
    }

    /// Whether we may fetch a page of this site. Only its path and query are looked at.
    pub fn allowed(&self, url: &Url) -> bool {
        self.rules.is_url_allowed(url)
    }

    /// The pause asked for between two requests: never more than [`MAX_CRAWL_DELAY`].
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// The site maps named, whatever their host: nothing about them is checked yet.
    pub fn sitemaps(&self) -> &[Url] {
        let named = self.rules.sitemaps();
        named.get(..MAX_SITEMAPS).unwrap_or(named)
    }

    /// Whether the site told us its rules. Where it did not, nothing is allowed, and a later try may
    /// find it better.
    pub fn reached(&self) -> bool {
        self.reached
    }

    fn answered(fetched: &Fetched) -> Self {
        match fetched.status {
            200..=299 => Self::parse(&fetched.body),
            300..=499 => Self::allow_all(),
            _ => Self::unreachable(),
        }
    }

    fn unreachable() -> Self {
        Self::of(robotxt::Robots::disallow_all(), false)
    }

    fn of(rules: robotxt::Robots, reached: bool) -> Self {
        let asked = rules.crawl_delay();
        if let Some(delay) = asked.filter(|delay| *delay > MAX_CRAWL_DELAY) {
            tracing::debug!(?delay, honoured = ?MAX_CRAWL_DELAY, "robots.txt asks for a longer pause than is kept");
        }
        Self { crawl_delay: asked.map(|delay| delay.min(MAX_CRAWL_DELAY)), rules, reached }
    }
}
