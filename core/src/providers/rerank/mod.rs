//! What reads a question and a passage together and says how well the one answers the other: slower than comparing
//! vectors, and better, so it is asked about a few.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::platform::config::Config;

mod onnx;

pub use onnx::OnnxReranker;

/// A reranking model (a cross-encoder).
#[async_trait]
pub trait Reranker: Send + Sync {
    /// How well each passage answers the question, from 0 to 1, in the order of the passages.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the model does not answer.
    async fn rerank(&self, question: String, passages: Vec<String>) -> Result<Vec<f32>>;
}

/// The model that the configuration names, if any.
///
/// # Errors
/// When it cannot be loaded.
pub async fn from_config(config: &Config) -> Result<Option<Arc<dyn Reranker>>> {
    let Some(model) = config.rerank.model.clone() else { return Ok(None) };
    let (embedding, cache_dir) = (config.embedding.clone(), config.cache_dir.clone());
    let load = move || OnnxReranker::load(&model, &embedding, cache_dir.as_deref());
    Ok(Some(Arc::new(crate::blocking(load).await??)))
}
