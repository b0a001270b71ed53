//! An embedder for tests of the ledger, where it matters how a job ends and not what a vector says.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use parlance_core::error::Part;
use parlance_core::providers::embed::Embedder;
use parlance_core::{Error, Result};
use tokio_util::sync::CancellationToken;

/// Gives each text a vector of its bytes; can be told to fail, to panic and to take its time, and
/// counts what it does.
#[derive(Clone, Default)]
pub struct TestEmbedder(Arc<Told>);

#[derive(Default)]
struct Told {
    fails: AtomicUsize,
    panics: AtomicBool,
    held: AtomicBool,
    questions_held: AtomicBool,
    questions_fail: AtomicBool,
    runs: AtomicUsize,
    passages: Mutex<Vec<String>>,
}

impl TestEmbedder {
    /// The next `times` batches fail as if the model were down.
    pub fn fail(&self, times: usize) {
        self.0.fails.store(times, Ordering::SeqCst);
    }

    /// The next batch panics.
    pub fn panic_once(&self) {
        self.0.panics.store(true, Ordering::SeqCst);
    }

    /// Batches wait until [`TestEmbedder::release`], or until their job is told to stop.
    pub fn hold(&self) {
        self.0.held.store(true, Ordering::SeqCst);
    }

    /// Questions wait until [`TestEmbedder::release`].
    pub fn hold_questions(&self) {
        self.0.questions_held.store(true, Ordering::SeqCst);
    }

    /// Questions fail as if the model were down.
    pub fn fail_questions(&self) {
        self.0.questions_fail.store(true, Ordering::SeqCst);
    }

    /// Lets what is held go on.
    pub fn release(&self) {
        self.0.questions_held.store(false, Ordering::SeqCst);
        self.0.held.store(false, Ordering::SeqCst);
    }

    /// Batches that were begun.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.0.runs.load(Ordering::SeqCst)
    }

    /// Passages that were embedded, doubles included.
    #[must_use]
    pub fn passages(&self) -> Vec<String> {
        self.0.passages.lock().unwrap().clone()
    }

    /// Passages that were embedded more than once.
    #[must_use]
    pub fn doubles(&self) -> usize {
        let passages = self.passages();
        passages.len() - passages.iter().collect::<BTreeSet<_>>().len()
    }

    pub(crate) fn shared(self) -> Arc<dyn Embedder> {
        Arc::new(self)
    }
}

#[async_trait]
impl Embedder for TestEmbedder {
    fn id(&self) -> &'static str {
        "test/bytes"
    }

    /// A token a word.
    fn token_starts(&self, text: &str) -> Vec<usize> {
        text.split_whitespace().map(|word| word.as_ptr() as usize - text.as_ptr() as usize).collect()
    }

    async fn embed_query(&self, text: String) -> Result<Vec<f32>> {
        while self.0.questions_held.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if self.0.questions_fail.load(Ordering::SeqCst) {
            return Err(Error::unavailable(Part::Embedding, "the embedder was told to fail"));
        }
        Ok(vector(&text))
    }

    async fn embed_sentences(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            vectors.push(self.embed_query(text).await?);
        }
        Ok(vectors)
    }

    async fn embed_passages(
        &self,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        self.0.runs.fetch_add(1, Ordering::SeqCst);
        assert!(!self.0.panics.swap(false, Ordering::SeqCst), "the embedder was told to panic");
        while self.0.held.load(Ordering::SeqCst) {
            if stop.is_cancelled() {
                return Err(Error::Cancelled);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let failing =
            self.0.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if failing.is_ok() {
            return Err(Error::unavailable(Part::Embedding, "the embedder was told to fail"));
        }
        let vectors = texts.iter().map(|text| vector(text)).collect();
        done(texts.len());
        self.0.passages.lock().unwrap().extend(texts);
        Ok(vectors)
    }
}

/// A model that fails now and then, as a provider of embeddings does.
pub struct Flaky {
    inner: Arc<dyn Embedder>,
    /// Of a hundred batches, so many fail.
    percent: u32,
}

impl Flaky {
    /// Fails so many of a hundred batches.
    #[must_use]
    pub fn over(inner: Arc<dyn Embedder>, percent: u32) -> Arc<dyn Embedder> {
        Arc::new(Self { inner, percent })
    }
}

#[async_trait]
impl Embedder for Flaky {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn token_starts(&self, text: &str) -> Vec<usize> {
        self.inner.token_starts(text)
    }

    async fn embed_query(&self, text: String) -> Result<Vec<f32>> {
        self.inner.embed_query(text).await
    }

    async fn embed_sentences(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        self.inner.embed_sentences(texts).await
    }

    async fn embed_passages(
        &self,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        if rand::random_range(0..100) < self.percent {
            return Err(Error::unavailable(Part::Embedding, "the provider is having a bad moment"));
        }
        self.inner.embed_passages(texts, done, stop).await
    }
}

/// Counts of bytes, in eight buckets, at unit length.
fn vector(text: &str) -> Vec<f32> {
    let mut buckets = [1e-3_f32; 8];
    for byte in text.bytes() {
        buckets[usize::from(byte) % 8] += 1.0;
    }
    let length = buckets.iter().map(|count| count * count).sum::<f32>().sqrt();
    buckets.map(|count| count / length).to_vec()
}
