//! Web access: an SSRF-safe HTTP client, robots.txt, sitemaps, challenge pages, crawl scope and rendered pages.
//!
//! Every request to a URL that a tenant supplied goes through [`fetcher`]. This crate knows no tenant,
//! database or queue. It must never reach the network except through [`fetcher::Fetcher`] and its
//! [`fetcher::ForwardProxy`], and only [`fetcher`] may build an HTTP client. [`browser`] connects to the operator's
//! browser, and the browser only to the proxy.

pub mod browser;
pub mod challenge;
pub mod directives;
pub mod disposition;
pub mod fetcher;
pub mod pace;
pub mod robots;
pub mod scope;
pub mod sitemap;
