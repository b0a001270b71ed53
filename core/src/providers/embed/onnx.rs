//! Embedding models in ONNX: those of folders on ONNX Runtime itself, those of the catalogue through
//! fastembed.
//!
//! Each text runs alone and unpadded: on CPUs that is as fast as any batch, takes the least memory,
//! and makes a vector depend on nothing but its text (dynamic int8 scales are per run).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fastembed::{EmbeddingModel, TextEmbedding, TextInitOptions};
use futures_util::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use ort::environment::Environment;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::Embedder;
use super::local::LocalModel;
use super::prefixes::Prefixes;
use super::tokenizer::Tokenizer;
use crate::error::{Error, Part, Result};
use crate::platform::config::Embedding;
use crate::providers::onnx::{self, MAX_TOKENS, Sessions, failed};

/// A model in ONNX.
pub struct OnnxEmbedder {
    id: String,
    prefixes: Prefixes,
    tokenizer: Arc<Tokenizer>,
    sessions: Sessions<Model>,
    /// Held by the batch of passages that is embedded. Batches that shared the sessions would end together, and
    /// leave them idle while all are written down; one after the other, one is written while the next is embedded.
    batch: Mutex<()>,
}

/// A session of a model.
enum Model {
    Local(LocalModel),
    Catalogue(Box<TextEmbedding>),
}

impl OnnxEmbedder {
    /// Loads the model that the configuration names. Slow, and blocking.
    ///
    /// # Errors
    /// When a file is missing or wrong, or ONNX Runtime does not load.
    pub fn load(config: &Embedding, cache_dir: Option<&Path>) -> Result<Self> {
        let environment = onnx::environment(config)?;
        let (places, threads) = onnx::share(config.threads);
        match config.model.clone() {
            Some(name) => Self::of_catalogue(name, places, threads, cache_dir, environment),
            None => {
                let folder =
                    config.require_model_dir().map_err(|error| failed("no model is configured", error))?;
                Self::of_folder(folder, places, threads, environment)
            }
        }
    }

    fn of_folder(folder: &Path, places: usize, threads: usize, environment: Environment) -> Result<Self> {
        let tokenizer = Arc::new(Tokenizer::load(folder)?);
        let load: onnx::Load<Model> = {
            let (folder, tokenizer) = (folder.to_owned(), Arc::clone(&tokenizer));
            Arc::new(move || {
                let model = LocalModel::load(&folder, threads, &environment, Arc::clone(&tokenizer))?;
                Ok(Model::Local(model))
            })
        };
        // One now: what is wrong with a model is found out at the start.
        let first = load()?;
        Ok(Self {
            id: onnx::id_of(folder),
            prefixes: Prefixes::of_folder(folder)?,
            tokenizer,
            sessions: Sessions::new(places, first, load),
            batch: Mutex::default(),
        })
    }

    fn of_catalogue(
        name: String,
        places: usize,
        threads: usize,
        cache_dir: Option<&Path>,
        environment: Environment,
    ) -> Result<Self> {
        let first = catalogue_model(&name, threads, cache_dir, environment.clone())?;
        let tokenizer = Arc::new(Tokenizer::of(first.tokenizer.clone())?);
        let load: onnx::Load<Model> = {
            let (name, cache_dir) = (name.clone(), cache_dir.map(Path::to_owned));
            Arc::new(move || {
                let model = catalogue_model(&name, threads, cache_dir.as_deref(), environment.clone())?;
                Ok(Model::Catalogue(Box::new(model)))
            })
        };
        Ok(Self {
            prefixes: Prefixes::of_catalogue(&name),
            id: name,
            tokenizer,
            sessions: Sessions::new(places, Model::Catalogue(Box::new(first)), load),
            batch: Mutex::default(),
        })
    }
}

#[async_trait]
impl Embedder for OnnxEmbedder {
    fn id(&self) -> &str {
        &self.id
    }

    /// A text that the tokenizer cannot read counts a token a character, which is never too few.
    fn token_starts(&self, text: &str) -> Vec<usize> {
        let starts = self.tokenizer.starts(text);
        starts.unwrap_or_else(|_| text.char_indices().map(|(start, _)| start).collect())
    }

    async fn embed_query(&self, text: String) -> Result<Vec<f32>> {
        let text = self.prefixes.query(text);
        self.sessions.run(move |model| model.embed(&text)).await
    }

    /// As many at a time as there are sessions, each in a run of its own, so that other questions come in between.
    async fn embed_sentences(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let texts = texts.into_iter().map(|text| {
            let text = self.prefixes.passage(text);
            self.sessions.run(move |model| model.embed(&text))
        });
        stream::iter(texts).buffered(self.sessions.count()).try_collect().await
    }

    async fn embed_passages(
        &self,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        let texts = texts.into_iter().map(|text| self.prefixes.passage(text)).collect();
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
            let embedding = self.sessions.run_behind(move |model| {
                let mut vectors = Vec::new();
                while let Some((place, text)) = batch.next()? {
                    vectors.push((place, model.embed(text)?));
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

impl Model {
    /// The vector of a text, in a run of its own.
    fn embed(&mut self, text: &str) -> Result<Vec<f32>> {
        match self {
            Self::Local(model) => model.embed(text),
            Self::Catalogue(model) => {
                let vectors =
                    model.embed([text], None).map_err(|error| Error::unavailable(Part::Embedding, error))?;
                let vector = vectors.into_iter().next();
                vector.ok_or_else(|| Error::internal("embedding", "the model gave no vector"))
            }
        }
    }
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
