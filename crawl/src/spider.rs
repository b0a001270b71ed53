//! Integration of the `spider` crawler with the fetcher's guarded client.
//!
//! Off by default, for two reasons. Spider depends on reqwest with default features, which pulls in aws-lc
//! besides ring, against `deny.toml`. And its robots.txt parser takes the first rule instead of the longest
//! and supports neither `*` within a path nor `$`: it got 23 of the 43 cases in `tests/it/robots.rs` wrong.
//!
//! `cargo test -p parlance-crawl --features spider` verifies that it uses only the guarded client.

use spider::website::Website;
use url::Url;

use crate::fetcher::Fetcher;

/// A spider crawl of a site. All its requests use the guarded client: pages, robots.txt, sitemaps, redirects.
pub fn website(fetcher: &Fetcher, root: &Url, page_limit: u32) -> Website {
    let mut website = Website::new(root.as_str());
    website.with_respect_robots_txt(true).with_limit(page_limit).with_user_agent(Some(fetcher.user_agent()));
    website.set_http_client(fetcher.client().clone());
    website
}
