//! robots.txt: any file parses into rules, and its demands on the crawler are bounded.

use parlance_crawl::robots::{MAX_CRAWL_DELAY, Robots};
use url::Url;

use crate::text_of;

/// Maximum sitemaps read from a file.
const MAX_SITEMAPS: usize = 100;

/// The first line is the requested path; the rest is the file.
pub fn check(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (path, file) = (text_of(lines.next().unwrap_or_default()), lines.next().unwrap_or_default());
    let Ok(site) = Url::parse("https://example.org/") else { return };
    let robots = Robots::parse(file);
    assert!(robots.reached());
    assert!(robots.crawl_delay().is_none_or(|delay| delay <= MAX_CRAWL_DELAY), "{:?}", robots.crawl_delay());
    assert!(robots.sitemaps().len() <= MAX_SITEMAPS, "{} sitemaps", robots.sitemaps().len());
    let Ok(page) = site.join(&path) else { return };
    let allowed = robots.allowed(&page);
    assert_eq!(Robots::parse(file).allowed(&page), allowed, "parsing is deterministic");
    if file.iter().all(u8::is_ascii_whitespace) {
        assert!(allowed, "a site without rules allows {page}");
    }
}
