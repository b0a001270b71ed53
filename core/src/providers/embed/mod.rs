//! What turns text into vectors.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::platform::config::Embedding;

mod local;
mod onnx;
mod prefixes;
mod tokenizer;
mod unigram;

pub use onnx::OnnxEmbedder;

/// An embedding model. Its vectors have unit length, so that their inner product is their cosine.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The model and its precision; vectors of different ids are not comparable.
    fn id(&self) -> &str;

    /// The bytes at which the tokens of a text begin, ascending, without its special ones and without
    /// what the model wants before it.
    fn token_starts(&self, text: &str) -> Vec<usize>;

    /// The vector of a question. Waits for one passage at most.
    async fn embed_query(&self, text: String) -> Result<Vec<f32>>;

    /// The vectors of sentences to compare with a question, in their order. They wait as a question does.
    async fn embed_sentences(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>>;

    /// The vectors of passages, in their order; `done` hears after each how many are.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] soon after `stop` is cancelled.
    async fn embed_passages(
        &self,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>>;
}

/// The model that the configuration names.
///
/// # Errors
/// When it cannot be loaded.
pub async fn from_config(config: &Embedding, cache_dir: Option<&Path>) -> Result<Arc<dyn Embedder>> {
    let (config, cache_dir) = (config.clone(), cache_dir.map(Path::to_owned));
    let embedder = crate::blocking(move || OnnxEmbedder::load(&config, cache_dir.as_deref())).await??;
    Ok(Arc::new(embedder))
}

/// The cosine of two vectors of unit length.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
