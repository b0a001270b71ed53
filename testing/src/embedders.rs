//! Fake embedders for tests of job outcomes, where the content of vectors does not matter.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use parlance_core::error::Part;
use parlance_core::platform::fair_queue::{Caller, FairQueue};
use parlance_core::providers::embed::Embedder;
use parlance_core::{Error, Result};
use tokio_util::sync::CancellationToken;

/// Embeds by counting bytes. Can be set to fail, to panic and to block, and records its work.
#[derive(Clone, Default)]
pub struct TestEmbedder(Arc<State>);

#[derive(Default)]
struct State {
    fails: AtomicUsize,
    panics: AtomicBool,
    held: AtomicBool,
    /// Batches that may pass while others are held.
    passes: AtomicUsize,
    questions: Questions,
    questions_held: AtomicBool,
    questions_fail: AtomicBool,
    runs: AtomicUsize,
    passages: Mutex<Vec<String>>,
}

/// Questions, embedded one at a time in the order of the fair queue.
struct Questions {
    queue: FairQueue,
    embedded: Mutex<Vec<String>>,
}

impl Default for Questions {
    fn default() -> Self {
        Self { queue: FairQueue::new(1, 1), embedded: Mutex::default() }
    }
}

impl TestEmbedder {
    /// Makes the next `times` batches fail as if the model were unavailable.
    pub fn fail(&self, times: usize) {
        self.0.fails.store(times, Ordering::SeqCst);
    }

    /// Makes the next batch panic.
    pub fn panic_once(&self) {
        self.0.panics.store(true, Ordering::SeqCst);
    }

    /// Blocks batches until [`TestEmbedder::release`] or the cancellation of their job.
    pub fn hold(&self) {
        self.0.held.store(true, Ordering::SeqCst);
    }

    /// Unblocks one held batch.
    pub fn release_one(&self) {
        self.0.passes.fetch_add(1, Ordering::SeqCst);
    }

    fn is_held(&self) -> bool {
        let pass = |passes: usize| passes.checked_sub(1);
        self.0.held.load(Ordering::SeqCst)
            && self.0.passes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, pass).is_err()
    }

    /// Blocks questions until [`TestEmbedder::release`].
    pub fn hold_questions(&self) {
        self.0.questions_held.store(true, Ordering::SeqCst);
    }

    /// Number of waiting questions.
    #[must_use]
    pub fn waiting_questions(&self) -> usize {
        self.0.questions.queue.waiting()
    }

    /// Questions and sentences in the order in which they were embedded.
    #[must_use]
    pub fn questions(&self) -> Vec<String> {
        self.0.questions.embedded.lock().unwrap().clone()
    }

    /// Makes questions fail as if the model were unavailable.
    pub fn fail_questions(&self) {
        self.0.questions_fail.store(true, Ordering::SeqCst);
    }

    /// Unblocks batches and questions.
    pub fn release(&self) {
        self.0.questions_held.store(false, Ordering::SeqCst);
        self.0.held.store(false, Ordering::SeqCst);
    }

    /// Number of batches started.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.0.runs.load(Ordering::SeqCst)
    }

    /// Passages that were embedded, duplicates included.
    #[must_use]
    pub fn passages(&self) -> Vec<String> {
        self.0.passages.lock().unwrap().clone()
    }

    /// Number of repeated embeddings of passages.
    #[must_use]
    pub fn duplicates(&self) -> usize {
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

    /// One token per word.
    fn token_starts(&self, text: &str) -> Vec<usize> {
        text.split_whitespace().map(|word| word.as_ptr() as usize - text.as_ptr() as usize).collect()
    }

    async fn embed_query(&self, caller: Caller, text: String) -> Result<Vec<f32>> {
        let _place = self.0.questions.queue.enter(caller, text.split_whitespace().count()).await;
        while self.0.questions_held.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if self.0.questions_fail.load(Ordering::SeqCst) {
            return Err(Error::unavailable(Part::Embedding, "the embedder is set to fail"));
        }
        let vector = vector(&text);
        self.0.questions.embedded.lock().unwrap().push(text);
        Ok(vector)
    }

    async fn embed_sentences(&self, caller: Caller, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            vectors.push(self.embed_query(caller, text).await?);
        }
        Ok(vectors)
    }

    async fn embed_passages(
        &self,
        _: Caller,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        self.0.runs.fetch_add(1, Ordering::SeqCst);
        assert!(!self.0.panics.swap(false, Ordering::SeqCst), "the embedder is set to panic");
        while self.is_held() {
            if stop.is_cancelled() {
                return Err(Error::Cancelled);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let failing =
            self.0.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if failing.is_ok() {
            return Err(Error::unavailable(Part::Embedding, "the embedder is set to fail"));
        }
        let vectors = texts.iter().map(|text| vector(text)).collect();
        done(texts.len());
        self.0.passages.lock().unwrap().extend(texts);
        Ok(vectors)
    }
}

/// An embedder that fails at random, as a remote provider may.
pub struct Flaky {
    inner: Arc<dyn Embedder>,
    /// Percentage of batches that fail.
    percent: u32,
}

impl Flaky {
    /// Wraps an embedder; this percentage of its batches fails.
    #[must_use]
    pub fn wrap(inner: Arc<dyn Embedder>, percent: u32) -> Arc<dyn Embedder> {
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

    async fn embed_query(&self, caller: Caller, text: String) -> Result<Vec<f32>> {
        self.inner.embed_query(caller, text).await
    }

    async fn embed_sentences(&self, caller: Caller, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        self.inner.embed_sentences(caller, texts).await
    }

    async fn embed_passages(
        &self,
        caller: Caller,
        texts: Vec<String>,
        done: Arc<dyn Fn(usize) + Send + Sync>,
        stop: CancellationToken,
    ) -> Result<Vec<Vec<f32>>> {
        if rand::random_range(0..100) < self.percent {
            return Err(Error::unavailable(Part::Embedding, "simulated provider failure"));
        }
        self.inner.embed_passages(caller, texts, done, stop).await
    }
}

/// Byte counts in eight buckets, as a unit vector.
fn vector(text: &str) -> Vec<f32> {
    let mut buckets = [1e-3_f32; 8];
    for byte in text.bytes() {
        buckets[usize::from(byte) % 8] += 1.0;
    }
    let length = buckets.iter().map(|count| count * count).sum::<f32>().sqrt();
    buckets.map(|count| count / length).to_vec()
}
