//! Embedding models: turn text into vectors.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::platform::config::Embedding;
use crate::platform::fair_queue::Caller;

mod local;
mod onnx;
mod prefixes;
mod tokenizer;
mod unigram;

pub use onnx::OnnxEmbedder;

/// An embedding model, shared fairly among callers by tokens. Vectors have unit length, so the inner product is the
/// cosine similarity.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Model and precision. Vectors from different ids are not comparable.
    fn id(&self) -> &str;

    /// Byte offsets of the token starts, ascending, excluding special tokens and the model's prefix.
    fn token_starts(&self, text: &str) -> Vec<usize>;

    /// Embeds a question. An interactive caller waits for at most one passage, its own tenant's earlier texts, and the
    /// other tenants' shares.
    async fn embed_query(&self, caller: Caller, text: String) -> Result<Vec<f32>>;

    /// Embeds sentences for comparison with a question, in order, each scheduled separately.
    async fn embed_sentences(&self, caller: Caller, texts: Vec<String>) -> Result<Vec<Vec<f32>>>;

    /// Embeds passages, in order, one batch after the other. `done` is called after each passage with the number
    /// finished so far.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] soon after `stop` is cancelled.
    async fn embed_passages(
        &self,
        caller: Caller,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>>;
}

/// Loads the configured model.
///
/// # Errors
/// When the model cannot be loaded.
pub async fn from_config(config: &Embedding, cache_dir: Option<&Path>) -> Result<Arc<dyn Embedder>> {
    let (config, cache_dir) = (config.clone(), cache_dir.map(Path::to_owned));
    let embedder = crate::blocking(move || OnnxEmbedder::load(&config, cache_dir.as_deref())).await??;
    Ok(Arc::new(embedder))
}

/// Cosine similarity of two unit vectors.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
