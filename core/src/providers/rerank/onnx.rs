//! ONNX reranking models, through fastembed and ONNX Runtime.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fastembed::{
    RerankInitOptions, RerankInitOptionsUserDefined, RerankerModel, TextRerank, UserDefinedRerankingModel,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::Reranker;
use crate::error::{Error, Part, Result};
use crate::platform::config::{Embedding, LocalOrNamed};
use crate::platform::fair_queue::Caller;
use crate::providers::onnx::{self, MAX_TOKENS, Sessions, expected_tokens, failed};

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
    /// One run per passage, so that other questions can interleave. A pair's score does not depend on other pairs.
    async fn rerank(&self, caller: Caller, question: String, passages: Vec<String>) -> Result<Vec<f32>> {
        let question: Arc<str> = question.into();
        let scores = passages.into_iter().map(|passage| {
            let question = Arc::clone(&question);
            let tokens = expected_tokens(question.len() + passage.len());
            self.sessions.run(caller, tokens, move |session, _| {
                let ranked = session
                    .rerank(&*question, [&*passage], false, Some(1))
                    .map_err(|error| Error::unavailable(Part::Reranking, error))?;
                Ok(ranked.first().map_or(0.0, |result| sigmoid(result.score)))
            })
        });
        stream::iter(scores).buffered(self.sessions.count()).try_collect().await
    }
}

/// Maps the cross-encoder's relevance logit to 0..1.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
