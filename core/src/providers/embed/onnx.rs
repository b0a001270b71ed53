//! Embedding models in ONNX, through fastembed and ONNX Runtime.
//!
//! Each text runs alone and unpadded: on CPUs that is as fast as any batch, takes the least memory,
//! and makes a vector depend on nothing but its text (dynamic int8 scales are per run).

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use fastembed::{
    EmbeddingModel, InitOptionsUserDefined, Pooling, QuantizationMode, TextEmbedding, TextInitOptions,
    TokenizerFiles, UserDefinedEmbeddingModel,
};
use futures_util::stream::{self, StreamExt};
use ort::environment::Environment;
use tokenizers::Tokenizer;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Embedder;
use crate::config::Embedding;
use crate::error::{Error, Part, Result};

/// Texts are cut here at the latest; the positions of BERT-like models end at 512.
const MAX_TOKENS: usize = 512;

/// Sessions at most: enough that a question and a passage run side by side, and that both cores of a
/// small machine work on short texts, which more threads do not make faster.
const SESSIONS: usize = 2;

/// A model in ONNX.
pub struct OnnxEmbedder {
    id: String,
    tokenizer: Tokenizer,
    sessions: Sessions,
}

/// Sessions of one model. The second is loaded when two texts come at once: each takes some fifty
/// megabytes.
#[derive(Clone)]
struct Sessions {
    load: Arc<dyn Fn() -> Result<TextEmbedding> + Send + Sync>,
    idle: Arc<Mutex<Vec<TextEmbedding>>>,
    /// Fair, so that a question waits for one passage at most.
    places: Arc<Semaphore>,
}

impl Sessions {
    async fn embed(&self, text: String) -> Result<Vec<f32>> {
        let vectors = self.embed_each(vec![text]).await?;
        vectors.into_iter().next().ok_or_else(|| Error::internal("embedding", "the model gave no vector"))
    }

    /// One run each, on one session without giving it back between them.
    async fn embed_each(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|error| Error::internal("embedding", error))?;
        let sessions = self.clone();
        crate::blocking(move || {
            let _place = place;
            // A session that a panic takes with it is replaced by the next that is loaded.
            let idle = sessions.lock().pop();
            let mut session = idle.map_or_else(|| (sessions.load)(), Ok)?;
            let mut one = |text: &String| {
                let vectors = session
                    .embed([text], None)
                    .map_err(|error| Error::unavailable(Part::Embedding, error))?;
                vectors
                    .into_iter()
                    .next()
                    .ok_or_else(|| Error::internal("embedding", "the model gave no vector"))
            };
            let vectors = texts.iter().map(&mut one).collect();
            sessions.lock().push(session);
            vectors
        })
        .await?
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TextEmbedding>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnnxEmbedder {
    /// Loads the model that the configuration names. Slow, and blocking.
    ///
    /// # Errors
    /// When a file is missing or wrong, or ONNX Runtime does not load.
    pub fn load(config: &Embedding, cache_dir: Option<&Path>) -> Result<Self> {
        let environment = environment(config)?;
        let places = config.threads.clamp(1, SESSIONS);
        let threads = (config.threads / places).max(1);
        let (id, load): (_, Arc<dyn Fn() -> Result<TextEmbedding> + Send + Sync>) = match config.model.clone()
        {
            Some(name) => {
                let cache_dir = cache_dir.map(Path::to_owned);
                let load = {
                    let name = name.clone();
                    move || catalogue_model(&name, threads, cache_dir.as_deref(), environment.clone())
                };
                (name, Arc::new(load))
            }
            None => {
                let folder =
                    config.require_model_dir().map_err(|error| failed("no model is configured", error))?;
                let id =
                    folder.file_name().map_or("local".into(), |name| name.to_string_lossy().into_owned());
                let folder = folder.clone();
                (id, Arc::new(move || local_model(&folder, threads, environment.clone())))
            }
        };
        // One now: what is wrong with a model is found out at the start.
        let first = load()?;
        let mut tokenizer = first.tokenizer.clone();
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| Error::internal("the tokenizer cannot be set up", error))?;
        let sessions = Sessions {
            load,
            idle: Arc::new(Mutex::new(vec![first])),
            places: Arc::new(Semaphore::new(places)),
        };
        Ok(Self { id, tokenizer, sessions })
    }
}

#[async_trait]
impl Embedder for OnnxEmbedder {
    fn id(&self) -> &str {
        &self.id
    }

    /// A text that the tokenizer cannot read counts a token a character, which is never too few.
    fn token_starts(&self, text: &str) -> Vec<usize> {
        match self.tokenizer.encode(text, false) {
            Ok(encoding) => encoding.get_offsets().iter().map(|(start, _)| *start).collect(),
            Err(_) => text.char_indices().map(|(start, _)| start).collect(),
        }
    }

    async fn embed_query(&self, text: String) -> Result<Vec<f32>> {
        self.sessions.embed(text).await
    }

    async fn embed_passages(
        &self,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        let each = |texts| async {
            if stop.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.sessions.embed_each(texts).await
        };
        let mut vectors = Vec::with_capacity(texts.len());
        let mut embedding = stream::iter(hand_overs(texts)).map(each).buffered(SESSIONS);
        while let Some(embedded) = embedding.next().await {
            vectors.extend(embedded?);
            done(vectors.len());
        }
        Ok(vectors)
    }
}

/// Bytes of the texts that are handed to a session at once: those of one large chunk, so that a
/// question waits no longer. Short texts one by one would cost a tenth of the time in hand-overs.
const HAND_OVER: usize = 1024;

fn hand_overs(texts: Vec<String>) -> Vec<Vec<String>> {
    let mut groups: Vec<(usize, Vec<String>)> = Vec::new();
    for text in texts {
        match groups.last_mut() {
            Some((bytes, group)) if *bytes + text.len() <= HAND_OVER => {
                *bytes += text.len();
                group.push(text);
            }
            _ => groups.push((text.len(), vec![text])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// ONNX Runtime, loaded once per process.
fn environment(config: &Embedding) -> Result<Environment> {
    static LOADED: OnceLock<Environment> = OnceLock::new();
    if let Some(environment) = LOADED.get() {
        return Ok(environment.clone());
    }
    let library = config.require_ort().map_err(|error| failed("no ONNX Runtime is configured", error))?;
    let cannot_load = format!("ONNX Runtime {} cannot be loaded", library.display());
    let environment = ort::init_from(library)
        .map_err(|error| failed(&cannot_load, error))?
        .with_name("parlance")
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(&cannot_load, error))?;
    Ok(LOADED.get_or_init(|| environment).clone())
}

fn catalogue_model(
    name: &str,
    threads: usize,
    cache_dir: Option<&Path>,
    environment: Environment,
) -> Result<TextEmbedding> {
    let model: EmbeddingModel =
        name.parse().map_err(|error: String| failed("EMBEDDING_MODEL cannot be used", error))?;
    let mut options = TextInitOptions::new(model)
        .with_environment(environment)
        .with_max_length(MAX_TOKENS)
        .with_intra_threads(threads)
        .with_show_download_progress(true);
    if let Some(cache_dir) = cache_dir {
        options = options.with_cache_dir(cache_dir.join("hub"));
    }
    TextEmbedding::try_new(options)
        .map_err(|error| failed(&format!("the embedding model {name} cannot be loaded"), error))
}

fn local_model(folder: &Path, threads: usize, environment: Environment) -> Result<TextEmbedding> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|error| failed(&format!("{} cannot be read", path.display()), error))
    };
    let tokenizer = TokenizerFiles {
        tokenizer_file: read("tokenizer.json")?,
        config_file: read("config.json")?,
        special_tokens_map_file: read("special_tokens_map.json")?,
        tokenizer_config_file: read("tokenizer_config.json")?,
    };
    let model = UserDefinedEmbeddingModel::new(read("model.onnx")?, tokenizer)
        .with_pooling(Pooling::Mean)
        .with_quantization(QuantizationMode::Dynamic);
    let options = InitOptionsUserDefined::new()
        .with_environment(environment)
        .with_max_length(MAX_TOKENS)
        .with_intra_threads(threads)
        // Threads that spin between runs take a core from everybody else.
        .with_session_config("session.intra_op.allow_spinning", "0");
    TextEmbedding::try_new_from_user_defined(model, options)
        .map_err(|error| failed(&format!("the model in {} cannot be loaded", folder.display()), error))
}

fn failed(what: &str, error: impl Into<crate::error::BoxError>) -> Error {
    Error::internal(what, error)
}
