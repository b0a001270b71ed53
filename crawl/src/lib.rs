//! Web access: HTTP client, robots.txt, sitemaps, challenge pages, crawl scope, rendered pages.
//!
//! Every request to a URL that a tenant supplied goes through [`fetcher`], which is SSRF-safe. This crate has
//! no access to tenants, databases or queues. It must never reach the network except through
//! [`fetcher::Fetcher`] and its [`fetcher::ForwardProxy`]. Only [`fetcher`] may build an HTTP client.
//! [`browser`] connects to the operator's browser, and the browser only to the proxy.

pub mod browser;
pub mod challenge;
pub mod directives;
pub mod disposition;
pub mod fetcher;
pub mod pace;
pub mod robots;
pub mod scope;
pub mod sitemap;
