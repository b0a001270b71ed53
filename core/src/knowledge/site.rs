//! Web site as a source: start address and limits of its crawl.

use std::str::FromStr;

use sha2::{Digest, Sha256};
use url::Url;

use crate::field::{Int, Invalid, is_blank};

/// Maximum number of pages to crawl.
pub type MaxPages = Int<1, 20>;

/// Default of [`MaxPages`].
const DEFAULT_PAGES: MaxPages = MaxPages::nearest(5);

/// An `http` or `https` address without fragment. The check whether it may be fetched follows when the site is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteUrl(Url);

impl SiteUrl {
    /// Maximum length in characters, accepted by all browsers and servers.
    pub const MAX_LENGTH: usize = 2_048;

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for SiteUrl {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        const EXPECTED: &str = "must be an address that begins with http:// or https://";
        if is_blank(raw) {
            return Err(Invalid::blank(EXPECTED));
        }
        if raw.chars().count() > Self::MAX_LENGTH {
            return Err(Invalid::new(format!("must be at most {} characters", Self::MAX_LENGTH)));
        }
        let mut url = Url::parse(raw.trim())
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
            .ok_or_else(|| Invalid::new(EXPECTED))?;
        url.set_fragment(None);
        Ok(Self(url))
    }
}

/// A web site to crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub(super) url: Url,
    /// Whether pages below the address are crawled too.
    pub(super) include_subpages: bool,
    /// 1 without subpages.
    pub(super) max_pages: i32,
}

impl Site {
    /// Creates a site. `max_pages` applies only with subpages.
    #[must_use]
    pub fn new(url: SiteUrl, include_subpages: bool, max_pages: Option<MaxPages>) -> Self {
        let max_pages = if include_subpages { max_pages.unwrap_or(DEFAULT_PAGES).get() } else { 1 };
        Self { url: url.0, include_subpages, max_pages: i32::try_from(max_pages).unwrap_or(1) }
    }

    /// The default name: the address without its scheme.
    pub(super) fn name(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{host}{}", self.url.path().trim_end_matches('/'))
    }

    /// Fingerprint of the address and the limits.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(format!("{} {} {}", self.url, self.include_subpages, self.max_pages)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_or_https_with_a_host() {
        let parse = |url: &str| url.parse::<SiteUrl>();
        assert_eq!(parse(" https://Example.com/Help#top ").unwrap().as_str(), "https://example.com/Help");
        for wrong in ["example.com", "ftp://example.com", "mailto:me@example.com", "https://"] {
            assert!(!parse(wrong).unwrap_err().is_blank(), "{wrong}");
        }
        assert!(parse(" ").unwrap_err().is_blank());
        let long = format!("https://example.com/{}", "x".repeat(SiteUrl::MAX_LENGTH));
        assert_eq!(parse(&long).unwrap_err().to_string(), "must be at most 2048 characters");
    }

    #[test]
    fn a_site_without_subpages_is_one_page() {
        let pages = |subpages, max| {
            let url = "https://example.com".parse().unwrap();
            Site::new(url, subpages, max).max_pages
        };
        assert_eq!(pages(false, Some(MaxPages::nearest(10))), 1);
        assert_eq!(pages(true, None), 5);
        assert_eq!(pages(true, Some(MaxPages::nearest(10))), 10);
    }
}
