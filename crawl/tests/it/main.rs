//! Integration tests of the crawl crate: real sockets on this machine, never the internet.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod addresses;
mod bodies;
#[cfg(feature = "browser")]
mod browser;
#[cfg(feature = "browser")]
mod browser_pages;
#[cfg(feature = "browser")]
mod browser_processes;
mod challenge;
mod directives;
mod file_names;
mod forward_proxy;
mod names;
mod proxies;
mod redirects;
mod robots;
mod scope;
mod site;
mod sitemap;
