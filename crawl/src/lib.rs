//! Parlance's way out to the web: everything the platform asks of an address that a tenant named goes
//! through [`door`], and what comes back is read here: robots.txt, links, site maps, challenge pages.
//!
//! This crate knows no tenant, no database and no queue. It must never reach the network except through
//! [`door::Door`], and nothing here builds a client but [`door`].

pub mod challenge;
pub mod door;
pub mod robots;
pub mod scope;
pub mod sitemap;
#[cfg(feature = "spider")]
pub mod spider;
