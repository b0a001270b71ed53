//! Spider, with the door's client in its hands. Nothing else names it.
//!
//! Off by default, for two reasons. Spider depends on reqwest with its default features, which brings
//! aws-lc beside ring, against `deny.toml`; and what it offers must here be right or bounded. Its
//! robots.txt parser takes the first rule, not the longest, and knows neither `*` within a path nor `$`:
//! it judged 23 of the 43 cases in `tests/it/robots.rs` wrongly.
//!
//! `cargo test -p parlance-crawl --features spider` proves that it stays inside the door.

use spider::website::Website;
use url::Url;

use crate::door::Door;

/// A crawl of a site by spider, every request of which goes through the door: pages, robots.txt, site
/// maps and redirects.
pub fn website(door: &Door, root: &Url, page_limit: u32) -> Website {
    let mut website = Website::new(root.as_str());
    website.with_respect_robots_txt(true).with_limit(page_limit).with_user_agent(Some(door.user_agent()));
    website.set_http_client(door.client().clone());
    website
}
