//! Checks of the embedding, reranking and language models.

use std::time::Instant;

use parlance_core::calibration::{self, Calibration};
use parlance_core::error::Chain;
use parlance_core::platform::config::Config;
use parlance_core::platform::db::Db;
use parlance_core::platform::fair_queue::Caller;
use parlance_core::providers::chat::{self, Prompt, Speaker, Turn};
use parlance_core::providers::{embed, rerank};
use parlance_embedded::parts::{Part, Parts};

use super::Finding;
use crate::models;

pub(super) async fn embedding(config: &Config, running: &Config, parts: &Parts) -> Finding {
    let mut embedding = config.embedding.clone();
    let embedded = models::embedded(&embedding);
    if embedded.is_some_and(|model| !parts.has(model.part()))
        || embedding.ort_dylib.is_none() && !parts.has(Part::OnnxRuntime)
    {
        return Finding::Note("`up` will download ONNX Runtime and the embedding model".to_owned());
    }
    if embedding.ort_dylib.is_none() {
        embedding.ort_dylib = parts.onnxruntime().ok();
    }
    if let Some(model) = embedded {
        (embedding.model, embedding.model_dir) = (None, parts.model(model, models::PRECISION).ok());
    }
    let result = match embed::from_config(&embedding, config.cache_dir.as_deref()).await {
        Ok(embedder) => {
            let vector = embedder.embed_query(Caller::system(), "Does it work?".to_owned()).await;
            vector.map(|vector| (embedder, vector.len()))
        }
        Err(error) => Err(error),
    };
    match result {
        Ok((embedder, dimensions)) => {
            let calibrated = calibration(running, embedder.id()).await;
            Finding::Good(format!("{}: {dimensions} dimensions; {calibrated}", embedder.id()))
        }
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "check EMBEDDING_MODEL, EMBEDDING_MODEL_DIR and ORT_DYLIB_PATH; or unset them for the embedded model",
        ),
    }
}

/// Description of a model's calibration.
async fn calibration(running: &Config, model: &str) -> String {
    let stored = match Calibration::embedded(model) {
        Some(embedded) => Ok(Some(embedded)),
        None => match Db::new(&running.database) {
            Ok(db) => calibration::find(&db, model).await,
            Err(error) => Err(error),
        },
    };
    match stored {
        Ok(Some(Calibration { unrelated, related })) => {
            format!("calibrated: cosine {unrelated:.3} for unrelated texts, {related:.3} for answers")
        }
        Ok(None) => "not calibrated yet: the first question triggers it".to_owned(),
        Err(error) => format!("calibration unknown: {}", Chain(&error)),
    }
}

pub(super) async fn reranker(config: &Config) -> Finding {
    let result = match rerank::from_config(config).await {
        Ok(Some(reranker)) => {
            let passages = vec!["It works.".to_owned()];
            reranker.rerank(Caller::system(), "Does it work?".to_owned(), passages).await
        }
        Ok(None) => {
            return Finding::Note("none: results are ranked by hybrid search only".to_owned());
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(_) => Finding::Good("RERANK_MODEL works".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "check RERANK_MODEL, or unset it"),
    }
}

/// Sends a one-word prompt. One answering model is enough.
pub(super) async fn chat_model(config: &Config) -> Finding {
    let fix = "check LLM_MODEL, LLM_BASE_URL and LLM_API_KEY; until then answers are extractive and marked as degraded";
    let models = match chat::from_config(&config.chat) {
        Ok(Some(models)) => models,
        Ok(None) => return Finding::Note("none: answers are extractive".to_owned()),
        Err(error) => return Finding::Bad(Chain(&error).to_string(), fix),
    };
    let question = Turn { speaker: Speaker::User, text: "Answer with the word yes.".to_owned() };
    let started = Instant::now();
    match models.open(&Prompt { system: String::new(), turns: vec![question] }).await {
        Ok(opened) => Finding::Good(format!(
            "{} sent its first token after {} ms",
            opened.model,
            started.elapsed().as_millis()
        )),
        Err(error) => Finding::Bad(Chain(&error).to_string(), fix),
    }
}
