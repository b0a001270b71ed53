//! Parlance's domain: tenants, bots, knowledge, conversations, the job ledger, and the providers.
//!
//! Knows no HTTP server and no worker loop. Each slice is a module with its types and verbs in
//! `mod.rs` and its SQL in a private `store.rs`; slices call each other's verbs, never each other's
//! tables.

pub mod analytics;
pub mod bots;
pub mod calibration;
pub mod context;
pub mod conversations;
pub mod error;
pub mod field;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod knowledge;
mod page;
pub mod platform;
pub mod providers;
pub mod purge;
pub mod tenants;
pub mod text_enum;
mod words;

pub use context::{Context, Providers};
pub use error::{Error, Result};
pub use field::is_blank;
pub use page::{Page, PageNumber, PageRequest, PageSize};

/// Since then, in milliseconds, to a hundredth.
fn milliseconds(begun: std::time::Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
}

/// Runs blocking work off the threads that serve requests and heartbeats.
///
/// # Errors
/// [`Error::Internal`] when the work panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal("blocking work did not end", error))
}
