//! ONNX reranking models, through fastembed and ONNX Runtime.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fastembed::{
    RerankInitOptions, RerankInitOptionsUserDefined, RerankerModel, TextRerank, UserDefinedRerankingModel,
};

use super::Reranker;
use crate::error::{Error, Part, Result};
use crate::platform::config::{Embedding, LocalOrNamed};
use crate::providers::onnx::{self, MAX_TOKENS, Sessions, failed};

/// A reranking model in ONNX format.
pub struct OnnxReranker {
    sessions: Sessions<TextRerank>,
}

impl OnnxReranker {
    /// Loads a model with the runtime and thread budget of the embedding model. Slow and blocking.
    ///
    /// # Errors
    /// When a file is missing or invalid, or ONNX Runtime fails to load.
    pub fn load(model: &LocalOrNamed, embedding: &Embedding, cache_dir: Option<&Path>) -> Result<Self> {
        let environment = onnx::environment(embedding)?;
        let (count, threads) = onnx::share(embedding.threads);
        let load: onnx::Load<TextRerank> = match model.clone() {
            LocalOrNamed::Named(name) => {
                let known: RerankerModel =
                    name.parse().map_err(|error: String| failed("invalid RERANK_MODEL", error))?;
                let mut options = RerankInitOptions::new(known)
                    .with_environment(environment)
                    .with_max_length(MAX_TOKENS)
                    .with_intra_threads(threads)
                    .with_show_download_progress(true);
                if let Some(cache_dir) = cache_dir {
                    options = options.with_cache_dir(cache_dir.join("hub"));
                }
                Arc::new(move || {
                    TextRerank::try_new(options.clone())
                        .map_err(|error| failed(&format!("cannot load the reranking model {name}"), error))
                })
            }
            LocalOrNamed::Local(folder) => {
                let options = RerankInitOptionsUserDefined::new()
                    .with_environment(environment)
                    .with_max_length(MAX_TOKENS)
                    .with_intra_threads(threads)
                    // Spinning threads would occupy a core between runs.
                    .with_session_config("session.intra_op.allow_spinning", "0");
                Arc::new(move || {
                    let files = onnx::tokenizer_files(&folder)?;
                    let model = UserDefinedRerankingModel::new(onnx::model_file(&folder)?, files);
                    TextRerank::try_new_from_user_defined(model, options.clone()).map_err(|error| {
                        failed(&format!("cannot load the reranking model in {}", folder.display()), error)
                    })
                })
            }
        };
        // Load the first session eagerly, so that a broken model fails at startup.
        let first = load()?;
        Ok(Self { sessions: Sessions::new(count, first, load) })
    }
}

#[async_trait]
impl Reranker for OnnxReranker {
    async fn rerank(&self, question: String, passages: Vec<String>) -> Result<Vec<f32>> {
        self.sessions
            .run(move |session| {
                let mut scores = vec![0.0; passages.len()];
                // Batch size 1, unpadded: a pair's score depends on nothing else.
                let ranked = session
                    .rerank(&question, passages.iter().collect::<Vec<_>>(), false, Some(1))
                    .map_err(|error| Error::unavailable(Part::Reranking, error))?;
                for result in ranked {
                    if let Some(score) = scores.get_mut(result.index) {
                        *score = sigmoid(result.score);
                    }
                }
                Ok(scores)
            })
            .await
    }
}

/// Maps the cross-encoder's relevance logit to 0..1.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
