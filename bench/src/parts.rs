//! The parts of the embedded default, prepared before any timing.
//!
//! The goal of `up` assumes cached parts.

use std::path::PathBuf;

use parlance_core::platform::config::{Config, Embedding};
use parlance_embedded::default_cache_dir;
use parlance_embedded::model::Precision;
use parlance_embedded::parts::Model;
use tokenizers::Tokenizer;

/// Locations of the parts, and the number of embedding threads.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) onnxruntime: PathBuf,
    pub(crate) model: PathBuf,
    pub(crate) threads: usize,
    embedding: Embedding,
}

impl Parts {
    /// Fetches and converts missing parts.
    pub(crate) fn prepare() -> anyhow::Result<Self> {
        let config = Config::from_env()?;
        let parts = parlance_embedded::parts::Parts::new(&config.cache_dir.unwrap_or_else(default_cache_dir));
        parts.postgres_bin()?;
        parts.redis_server()?;
        Ok(Self {
            onnxruntime: parts.onnxruntime()?,
            model: parts.model(Model::default(), Precision::Int8)?,
            threads: config.embedding.threads,
            embedding: config.embedding,
        })
    }

    /// The embedding configuration of `up`.
    pub(crate) fn embedding(&self) -> Embedding {
        Embedding {
            model: None,
            model_dir: Some(self.model.clone()),
            ort_dylib: Some(self.onnxruntime.clone()),
            ..self.embedding.clone()
        }
    }

    /// The model's tokenizer, without truncation and padding.
    pub(crate) fn tokenizer(&self) -> anyhow::Result<Tokenizer> {
        let read = |error| anyhow::anyhow!("cannot read the tokenizer: {error}");
        let mut tokenizer = Tokenizer::from_file(self.model.join("tokenizer.json")).map_err(read)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(read)?;
        Ok(tokenizer)
    }
}
