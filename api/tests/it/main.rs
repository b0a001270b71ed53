//! Integration tests of the API over HTTP, with real Postgres and Redis servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod analytics;
mod attribution;
mod bots;
mod confidence;
mod conformance;
mod connections;
mod conversations;
mod deletion;
mod errors;
mod events;
mod examples;
mod fair_shares;
mod fixture;
mod idempotency;
mod isolation;
mod jobs;
mod keys;
mod knowledge;
mod limits;
mod memory;
mod models;
mod openai;
mod openapi;
mod permits;
mod quotas;
mod rollups;
mod row_level_security;
mod rows;
mod search;
mod security;
mod serving;
mod sources;
mod spec;
mod statements;
mod strangers;
mod tenants;

use parlance_core::jobs::Kind;
use parlance_testing::{Builder, TestApp, TestEmbedder};

/// Starts the application with a cheap test embedder. The crawler may reach loopback addresses.
pub(crate) async fn start_app() -> TestApp {
    Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .start()
        .await
}

/// Runs the waiting jobs of every queue until none is left.
pub(crate) async fn run_jobs(app: &TestApp) {
    for kind in Kind::ALL {
        while app.step(kind).await.is_some() {}
    }
}
