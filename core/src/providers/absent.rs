//! Placeholder providers for processes that use only the database, such as operator commands.
//!
//! Every call fails with [`Error::Unavailable`].

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::blob::BlobStore;
use super::embed::Embedder;
use crate::error::{Error, Part, Result};
use crate::platform::fair_queue::Caller;

/// Placeholder for any provider.
pub struct Absent;

fn absent<T>(part: Part) -> Result<T> {
    Err(Error::unavailable(part, "this process runs without this provider"))
}

#[async_trait]
impl BlobStore for Absent {
    async fn put(&self, _: &str, _: Bytes) -> Result<()> {
        absent(Part::Storage)
    }

    async fn get(&self, _: &str) -> Result<Option<Bytes>> {
        absent(Part::Storage)
    }

    async fn delete(&self, _: &str) -> Result<()> {
        absent(Part::Storage)
    }

    async fn check(&self) -> Result<()> {
        absent(Part::Storage)
    }
}

#[async_trait]
impl Embedder for Absent {
    fn id(&self) -> &'static str {
        "none"
    }

    fn token_starts(&self, _: &str) -> Vec<usize> {
        Vec::new()
    }

    async fn embed_query(&self, _: Caller, _: String) -> Result<Vec<f32>> {
        absent(Part::Embedding)
    }

    async fn embed_sentences(&self, _: Caller, _: Vec<String>) -> Result<Vec<Vec<f32>>> {
        absent(Part::Embedding)
    }

    async fn embed_passages(
        &self,
        _: Caller,
        _: Vec<String>,
        _: Arc<dyn Fn(usize) + Send + Sync>,
        _: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        absent(Part::Embedding)
    }
}
