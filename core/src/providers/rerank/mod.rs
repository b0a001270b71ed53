//! Reranking models: score question and passage together.
//!
//! More accurate than comparing vectors, but slower, so only the top few passages are reranked.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::platform::config::Config;
use crate::platform::fair_queue::Caller;

mod onnx;

pub use onnx::OnnxReranker;

/// A reranking model (a cross-encoder).
#[async_trait]
pub trait Reranker: Send + Sync {
    /// Relevance of each passage to the question, from 0 to 1, in the order of the passages. Each passage is scheduled
    /// separately.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the model fails.
    async fn rerank(&self, caller: Caller, question: String, passages: Vec<String>) -> Result<Vec<f32>>;
}

/// Loads the configured model, if any.
///
/// # Errors
/// When the model cannot be loaded.
pub async fn from_config(config: &Config) -> Result<Option<Arc<dyn Reranker>>> {
    let Some(model) = config.rerank.model.clone() else { return Ok(None) };
    let (embedding, cache_dir) = (config.embedding.clone(), config.cache_dir.clone());
    let load = move || OnnxReranker::load(&model, &embedding, cache_dir.as_deref());
    Ok(Some(Arc::new(crate::blocking(load).await??)))
}
