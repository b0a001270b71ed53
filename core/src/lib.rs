//! Parlance's domain: tenants, bots, knowledge, conversations, the job ledger and the providers.
//!
//! Contains no HTTP server and no worker loop. The modules form layers, from the lowest to the highest. A module imports
//! from lower layers and from its own, never in a circle; `layers.rs` checks it. The only exception: [`bots`] and
//! [`knowledge`] import each other.
//!
//! 1. [`error`], [`ids`], [`field`], [`mod@text_enum`], `page`, `conversation_status`, [`language`], `words`: values and
//!    their parsing.
//! 2. [`platform`]: configuration, connections and process-wide services.
//! 3. [`providers`]: models, file storage and extraction, behind traits.
//! 4. [`context`]: the wiring of a process; [`health`]: its readiness.
//! 5. [`jobs`]: the job ledger, and [`purge_job`], the payload that every slice can enqueue.
//! 6. The slices: [`tenants`], [`idempotency`], [`bots`] and [`knowledge`], [`calibration`], [`analytics`],
//!    [`conversations`].
//! 7. [`maintenance`]: work that spans slices.
//!
//! A slice has its types and operations in its module and its SQL in a private `store`. Slices call each other's
//! operations, never each other's tables. The layers are folders of one crate, not crates: see
//! docs/decisions/0022-folders-not-crates.md.

pub mod analytics;
pub mod bots;
pub mod calibration;
pub mod context;
mod conversation_status;
pub mod conversations;
pub mod error;
pub mod field;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod knowledge;
pub mod language;
#[cfg(test)]
mod layering_test;
pub mod maintenance;
mod page;
pub mod platform;
pub mod providers;
pub mod purge_job;
pub mod tenants;
pub mod text_enum;
mod words;

pub use context::{Context, Providers};
pub use error::{Error, Result};
pub use field::is_blank;
pub use page::{Page, PageNumber, PageRequest, PageSize};

/// Milliseconds since an instant, rounded to a hundredth.
fn milliseconds(since: std::time::Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
}

/// Runs blocking work outside of the threads that serve requests and heartbeats.
/// Processor-heavy work of tenants goes through [`Context::cpu`], which shares the cores fairly.
///
/// # Errors
/// [`Error::Internal`] when the work panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal("blocking work panicked", error))
}
