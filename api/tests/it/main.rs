//! Integration tests of the API: real HTTP, Postgres and Redis.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod analytics;
mod attribution;
mod bots;
mod confidence;
mod conversations;
mod errors;
mod events;
mod every_operation;
mod examples;
mod idempotency;
mod isolation;
mod jobs;
mod keys;
mod knowledge;
mod limits;
mod models;
mod openai;
mod openapi;
mod rollups;
mod row_security;
mod rows;
mod scene;
mod search;
mod security;
mod serving;
mod sources;
mod spec;
mod statements;
mod tenants;

use parlance_core::jobs::Kind;
use parlance_testing::{Builder, Stage, TestEmbedder};

/// Starts the application with a cheap test embedder.
pub(crate) async fn stage() -> Stage {
    Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .start()
        .await
}

/// Runs jobs of every kind until none waits.
pub(crate) async fn work(stage: &Stage) {
    for kind in Kind::ALL {
        while stage.step(kind).await.is_some() {}
    }
}
