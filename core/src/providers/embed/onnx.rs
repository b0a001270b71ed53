//! ONNX embedding models: local folders on ONNX Runtime directly, catalogue models through fastembed.
//!
//! Each text runs alone and unpadded. On CPUs that is as fast as any batch and takes the least memory, and a
//! vector depends on its text alone (dynamic int8 scales are per run).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fastembed::{EmbeddingModel, TextEmbedding, TextInitOptions};
use futures_util::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use ort::environment::Environment;
use tokio_util::sync::CancellationToken;

use super::Embedder;
use super::local::LocalModel;
use super::prefixes::Prefixes;
use super::tokenizer::Tokenizer;
use crate::error::{Error, Part, Result};
use crate::platform::config::Embedding;
use crate::platform::fair_queue::{Caller, FairQueue};
use crate::providers::onnx::{self, MAX_TOKENS, Sessions, expected_tokens, failed};

/// An embedding model in ONNX format.
pub struct OnnxEmbedder {
    id: String,
    prefixes: Prefixes,
    tokenizer: Arc<Tokenizer>,
    sessions: Sessions<Model>,
    /// One place, for the current batch of passages. Concurrent batches would end together and leave the sessions
    /// idle during their writes; sequential ones overlap the write of one with the embedding of the next.
    batches: FairQueue,
}

/// One session of the model.
enum Model {
    Local(LocalModel),
    Catalogue(Box<TextEmbedding>),
}

impl OnnxEmbedder {
    /// Loads the configured model. Slow and blocking.
    ///
    /// # Errors
    /// When a file is missing or invalid, or ONNX Runtime fails to load.
    pub fn load(config: &Embedding, cache_dir: Option<&Path>) -> Result<Self> {
        let environment = onnx::environment(config)?;
        let (count, threads) = onnx::share(config.threads);
        match config.model.clone() {
            Some(name) => Self::of_catalogue(name, count, threads, cache_dir, environment),
            None => {
                let folder = config
                    .require_model_dir()
                    .map_err(|error| failed("no embedding model configured", error))?;
                Self::of_folder(folder, count, threads, environment)
            }
        }
    }

    fn of_folder(folder: &Path, count: usize, threads: usize, environment: Environment) -> Result<Self> {
        let tokenizer = Arc::new(Tokenizer::load(folder)?);
        let load: onnx::Load<Model> = {
            let (folder, tokenizer) = (folder.to_owned(), Arc::clone(&tokenizer));
            Arc::new(move || {
                let model = LocalModel::load(&folder, threads, &environment, Arc::clone(&tokenizer))?;
                Ok(Model::Local(model))
            })
        };
        // Load the first session eagerly, so that a broken model fails at startup.
        let first = load()?;
        Ok(Self {
            id: onnx::id_of(folder),
            prefixes: Prefixes::of_folder(folder)?,
            tokenizer,
            sessions: Sessions::new(count, first, load),
            batches: FairQueue::new(1, 1),
        })
    }

    fn of_catalogue(
        name: String,
        count: usize,
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
            sessions: Sessions::new(count, Model::Catalogue(Box::new(first)), load),
            batches: FairQueue::new(1, 1),
        })
    }
}

#[async_trait]
impl Embedder for OnnxEmbedder {
    fn id(&self) -> &str {
        &self.id
    }

    /// Falls back to one token per character, never an underestimate, when tokenization fails.
    fn token_starts(&self, text: &str) -> Vec<usize> {
        let starts = self.tokenizer.starts(text);
        starts.unwrap_or_else(|_| text.char_indices().map(|(start, _)| start).collect())
    }

    async fn embed_query(&self, caller: Caller, text: String) -> Result<Vec<f32>> {
        self.embed_one(caller, self.prefixes.query(text)).await
    }

    /// One run per sentence and at most one per session at a time, so that other questions can interleave.
    async fn embed_sentences(&self, caller: Caller, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let texts = texts.into_iter().map(|text| self.embed_one(caller, self.prefixes.passage(text)));
        stream::iter(texts).buffered(self.sessions.count()).try_collect().await
    }

    async fn embed_passages(
        &self,
        caller: Caller,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        let texts: Vec<_> = texts.into_iter().map(|text| self.prefixes.passage(text)).collect();
        let expected = texts.iter().map(|text| expected_tokens(text.len())).sum();
        // Stops the loops on every exit path.
        let stop = stop.child_token();
        let _end = stop.clone().drop_guard();
        let turn = stop.run_until_cancelled(self.batches.enter(caller, expected)).await;
        let turn = turn.ok_or(Error::Cancelled)?;
        let batch = Arc::new(Batch {
            texts,
            started: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            tokens: AtomicUsize::new(0),
            done,
            stop,
        });
        let loops = (0..self.sessions.count()).map(|_| self.embed_batch(caller, &batch));
        let mut loops: FuturesUnordered<_> = loops.collect();
        let mut vectors = loops.next().await.transpose()?.unwrap_or_default();
        // The first loop to return found no text left, so its session is free for the next batch.
        turn.charge(batch.tokens.load(Ordering::Relaxed));
        drop(turn);
        while let Some(more) = loops.next().await {
            vectors.extend(more?);
        }
        vectors.sort_unstable_by_key(|(index, _)| *index);
        Ok(vectors.into_iter().map(|(_, vector)| vector).collect())
    }
}

/// Texts shared by one embedding loop per session.
struct Batch {
    texts: Vec<String>,
    started: AtomicUsize,
    finished: AtomicUsize,
    /// Tokens of the finished texts.
    tokens: AtomicUsize,
    done: Arc<dyn Fn(usize) + Send + Sync>,
    stop: CancellationToken,
}

impl Batch {
    /// Expected cost of the next unclaimed text.
    fn expected_tokens(&self) -> usize {
        let next = self.texts.get(self.started.load(Ordering::Relaxed));
        expected_tokens(next.map_or(0, String::len))
    }

    /// The next unclaimed text and its index.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the batch was stopped.
    fn next(&self) -> Result<Option<(usize, &String)>> {
        if self.stop.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let index = self.started.fetch_add(1, Ordering::Relaxed);
        Ok(self.texts.get(index).map(|text| (index, text)))
    }

    fn finish_one(&self, tokens: usize) {
        self.tokens.fetch_add(tokens, Ordering::Relaxed);
        (self.done)(self.finished.fetch_add(1, Ordering::Relaxed) + 1);
    }
}

impl OnnxEmbedder {
    /// Embeds one text, scheduled separately.
    async fn embed_one(&self, caller: Caller, text: String) -> Result<Vec<f32>> {
        let embedding = self.sessions.run(caller, expected_tokens(text.len()), move |model, place| {
            let (vector, tokens) = model.embed(&text)?;
            place.charge(tokens);
            Ok(vector)
        });
        embedding.await
    }

    /// Embeds the texts of a batch one by one, yielding the session between texts to waiting callers. Returns vectors
    /// with the index of their text.
    async fn embed_batch(&self, caller: Caller, batch: &Arc<Batch>) -> Result<Vec<(usize, Vec<f32>)>> {
        let mut vectors = Vec::new();
        loop {
            let (batch, stop) = (Arc::clone(batch), &batch.stop);
            // Yield after each text while others wait.
            let expected = batch.expected_tokens();
            let embedding = self.sessions.run(caller, expected, move |model, place| {
                let mut vectors = Vec::new();
                while let Some((index, text)) = batch.next()? {
                    let (vector, tokens) = model.embed(text)?;
                    vectors.push((index, vector));
                    batch.finish_one(tokens);
                    if place.is_wanted() {
                        return Ok((vectors, true));
                    }
                }
                Ok((vectors, false))
            });
            // The wait for the next place may be long.
            let embedding = stop.run_until_cancelled(embedding).await;
            let (embedded, is_more) = embedding.ok_or(Error::Cancelled)??;
            vectors.extend(embedded);
            if !is_more {
                return Ok(vectors);
            }
        }
    }
}

impl Model {
    /// Embeds one text in a separate run. Returns its number of tokens with the vector.
    fn embed(&mut self, text: &str) -> Result<(Vec<f32>, usize)> {
        match self {
            Self::Local(model) => model.embed(text),
            Self::Catalogue(model) => {
                let vectors =
                    model.embed([text], None).map_err(|error| Error::unavailable(Part::Embedding, error))?;
                let vector = vectors.into_iter().next();
                let vector =
                    vector.ok_or_else(|| Error::internal("embedding", "the model returned no vector"))?;
                Ok((vector, expected_tokens(text.len())))
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
        name.parse().map_err(|error: String| failed("invalid EMBEDDING_MODEL", error))?;
    let mut options = TextInitOptions::new(model)
        .with_environment(environment)
        .with_max_length(MAX_TOKENS)
        .with_intra_threads(threads)
        .with_show_download_progress(true);
    if let Some(cache_dir) = cache_dir {
        options = options.with_cache_dir(cache_dir.join("hub"));
    }
    TextEmbedding::try_new(options)
        .map_err(|error| failed(&format!("cannot load the embedding model {name}"), error))
}
