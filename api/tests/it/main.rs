//! The API from outside: real HTTP, real Postgres and Redis.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bots;
mod conversations;
mod errors;
mod knowledge;
mod models;
mod openapi;
mod serving;
mod tenants;

use parlance_testing::{Builder, Stage, TestEmbedder};

/// The application, with an embedder that costs nothing.
pub(crate) async fn stage() -> Stage {
    Builder::default().embedder(TestEmbedder::default()).start().await
}
