//! Embedding models in ONNX, through fastembed and ONNX Runtime.
//!
//! Each text runs alone and unpadded: on CPUs that is as fast as any batch, takes the least memory,
//! and makes a vector depend on nothing but its text (dynamic int8 scales are per run).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fastembed::{
    EmbeddingModel, InitOptionsUserDefined, Pooling, QuantizationMode, TextEmbedding, TextInitOptions,
    UserDefinedEmbeddingModel,
};
use futures_util::stream::{FuturesUnordered, StreamExt};
use ort::environment::Environment;
use tokenizers::Tokenizer;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::Embedder;
use crate::config::Embedding;
use crate::error::{Error, Part, Result};
use crate::providers::onnx::{self, MAX_TOKENS, Sessions, failed};

/// A model in ONNX.
pub struct OnnxEmbedder {
    id: String,
    tokenizer: Tokenizer,
    sessions: Sessions<TextEmbedding>,
    /// Held by the batch of passages that is embedded. Batches that shared the sessions would end together, and
    /// leave them idle while all are written down; one after the other, one is written while the next is embedded.
    batch: Mutex<()>,
}

impl OnnxEmbedder {
    /// Loads the model that the configuration names. Slow, and blocking.
    ///
    /// # Errors
    /// When a file is missing or wrong, or ONNX Runtime does not load.
    pub fn load(config: &Embedding, cache_dir: Option<&Path>) -> Result<Self> {
        let environment = onnx::environment(config)?;
        let (places, threads) = onnx::share(config.threads);
        let (id, load): (_, onnx::Load<TextEmbedding>) = match config.model.clone() {
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
                let (id, folder) = (onnx::id_of(folder), folder.clone());
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
        Ok(Self { id, tokenizer, sessions: Sessions::new(places, first, load), batch: Mutex::default() })
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
        self.sessions.run(move |session| embed(session, &text)).await
    }

    async fn embed_passages(
        &self,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        // However this ends, the hands end with it.
        let stop = stop.child_token();
        let _end = stop.clone().drop_guard();
        let turn = stop.run_until_cancelled(self.batch.lock()).await.ok_or(Error::Cancelled)?;
        let batch =
            Arc::new(Batch { texts, begun: AtomicUsize::new(0), ended: AtomicUsize::new(0), done, stop });
        let hands = (0..self.sessions.count()).map(|_hand| self.lend_a_hand(&batch));
        let mut hands: FuturesUnordered<_> = hands.collect();
        let mut vectors = hands.next().await.transpose()?.unwrap_or_default();
        // When nothing is left to begin, a session is free for the next batch.
        drop(turn);
        while let Some(more) = hands.next().await {
            vectors.extend(more?);
        }
        vectors.sort_unstable_by_key(|(place, _)| *place);
        Ok(vectors.into_iter().map(|(_, vector)| vector).collect())
    }
}

/// Texts that are embedded by as many hands as there are sessions.
struct Batch {
    texts: Vec<String>,
    begun: AtomicUsize,
    ended: AtomicUsize,
    done: Arc<dyn Fn(usize) + Send + Sync>,
    stop: CancellationToken,
}

impl Batch {
    /// The next text that nobody has begun, and its place.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when nobody wants it any more.
    fn next(&self) -> Result<Option<(usize, &String)>> {
        if self.stop.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let place = self.begun.fetch_add(1, Ordering::Relaxed);
        Ok(self.texts.get(place).map(|text| (place, text)))
    }

    fn end_one(&self) {
        (self.done)(self.ended.fetch_add(1, Ordering::Relaxed) + 1);
    }
}

impl OnnxEmbedder {
    /// Embeds one text of a batch after the other on one session, which is left to whoever waits for one between two
    /// of them. Gives the vectors with their places.
    async fn lend_a_hand(&self, batch: &Arc<Batch>) -> Result<Vec<(usize, Vec<f32>)>> {
        let mut vectors = Vec::new();
        loop {
            let (batch, wanted) = (Arc::clone(batch), self.sessions.wanted());
            let embedding = self.sessions.run_behind(move |session| {
                let mut vectors = Vec::new();
                while let Some((place, text)) = batch.next()? {
                    vectors.push((place, embed(session, text)?));
                    batch.end_one();
                    if wanted.is_some() {
                        return Ok((vectors, true));
                    }
                }
                Ok((vectors, false))
            });
            let (embedded, is_more) = embedding.await?;
            vectors.extend(embedded);
            if !is_more {
                return Ok(vectors);
            }
        }
    }
}

/// A run of its own.
fn embed(session: &mut TextEmbedding, text: &str) -> Result<Vec<f32>> {
    let vectors = session.embed([text], None).map_err(|error| Error::unavailable(Part::Embedding, error))?;
    vectors.into_iter().next().ok_or_else(|| Error::internal("embedding", "the model gave no vector"))
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
    let model = UserDefinedEmbeddingModel::new(onnx::model_file(folder)?, onnx::tokenizer_files(folder)?)
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
