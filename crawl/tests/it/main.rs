//! Integration tests of the crawl crate: real sockets on this machine, never the internet.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod addresses;
mod bodies;
mod challenge;
mod directives;
mod file_names;
mod names;
mod proxies;
mod redirects;
mod robots;
mod scope;
mod site;
mod sitemap;
#[cfg(feature = "spider")]
mod spider;
