//! The models.

use std::time::Instant;

use parlance_core::calibration::{self, Calibration};
use parlance_core::config::Config;
use parlance_core::db::Db;
use parlance_core::error::Chain;
use parlance_core::providers::chat::{self, Prompt, Speaker, Turn};
use parlance_core::providers::{embed, rerank};
use parlance_embedded::parts::{Part, Parts};

use super::Finding;
use crate::models;

pub(super) async fn embedding(config: &Config, running: &Config, parts: &Parts) -> Finding {
    let mut embedding = config.embedding.clone();
    let own = models::embedded(&embedding);
    if own.is_some_and(|model| !parts.has(model.part()))
        || embedding.ort_dylib.is_none() && !parts.has(Part::OnnxRuntime)
    {
        return Finding::Note("`up` will fetch ONNX Runtime and the embedding model".to_owned());
    }
    if embedding.ort_dylib.is_none() {
        embedding.ort_dylib = parts.onnxruntime().ok();
    }
    if let Some(model) = own {
        (embedding.model, embedding.model_dir) = (None, parts.model(model, models::PRECISION).ok());
    }
    let tried = match embed::from_config(&embedding, config.cache_dir.as_deref()).await {
        Ok(embedder) => {
            embedder.embed_query("Does it work?".to_owned()).await.map(|vector| (embedder, vector.len()))
        }
        Err(error) => Err(error),
    };
    match tried {
        Ok((embedder, dimensions)) => {
            let calibrated = calibration(running, embedder.id()).await;
            Finding::Good(format!("{} gives {dimensions} dimensions; {calibrated}", embedder.id()))
        }
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "check EMBEDDING_MODEL, EMBEDDING_MODEL_DIR and ORT_DYLIB_PATH; or unset them for the embedded model",
        ),
    }
}

/// The calibration of a model, in words.
async fn calibration(running: &Config, model: &str) -> String {
    let kept = match Calibration::embedded(model) {
        Some(embedded) => Ok(Some(embedded)),
        None => match Db::new(&running.database) {
            Ok(db) => calibration::find(&db, model).await,
            Err(error) => Err(error),
        },
    };
    match kept {
        Ok(Some(Calibration { unrelated, related })) => {
            format!("calibrated: cosine {unrelated:.3} of unrelated texts, {related:.3} of answers")
        }
        Ok(None) => "not calibrated yet: the first question measures it".to_owned(),
        Err(error) => format!("its calibration is not known: {}", Chain(&error)),
    }
}

pub(super) async fn reranker(config: &Config) -> Finding {
    let tried = match rerank::from_config(config).await {
        Ok(Some(reranker)) => reranker.rerank("Does it work?".to_owned(), vec!["It works.".to_owned()]).await,
        Ok(None) => {
            return Finding::Note("none: what is found is ranked by meaning and words alone".to_owned());
        }
        Err(error) => Err(error),
    };
    match tried {
        Ok(_) => Finding::Good("the model of RERANK_MODEL ranks".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "check RERANK_MODEL, or unset it"),
    }
}

/// Asks the language models for a word: the first that begins to answer will do.
pub(super) async fn language(config: &Config) -> Finding {
    let cure = "check LLM_MODEL, LLM_BASE_URL and LLM_API_KEY; until then answers are the built-in ones, and degraded";
    let models = match chat::from_config(&config.chat) {
        Ok(Some(models)) => models,
        Ok(None) => return Finding::Note("none: answers are put together from what is found".to_owned()),
        Err(error) => return Finding::Bad(Chain(&error).to_string(), cure),
    };
    let question = Turn { speaker: Speaker::User, text: "Answer with the word yes.".to_owned() };
    let begun = Instant::now();
    match models.open(&Prompt { system: String::new(), turns: vec![question] }).await {
        Ok(opened) => Finding::Good(format!(
            "{} began to answer after {} ms",
            opened.model,
            begun.elapsed().as_millis()
        )),
        Err(error) => Finding::Bad(Chain(&error).to_string(), cure),
    }
}
