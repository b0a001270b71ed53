//! Shared parts of ONNX models: runtime, session pool, model files.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use fastembed::TokenizerFiles;
use ort::environment::Environment;

use crate::error::{BoxError, Error, Result};
use crate::platform::config::Embedding;
use crate::platform::fair_queue::{Caller, FairQueue, Place};

/// Upper bound of the input length in tokens: BERT-like models have 512 positions.
pub(super) const MAX_TOKENS: usize = 512;

/// Maximum number of sessions: enough to run a question beside a passage, and to use both cores of a small
/// machine on short texts, which gain nothing from more threads.
pub(super) const SESSIONS: usize = 2;

/// Loads a session. Slow and blocking.
pub(super) type Load<S> = Arc<dyn Fn() -> Result<S> + Send + Sync>;

/// Splits a thread budget into (number of sessions, threads per session).
pub(super) fn share(threads: usize) -> (usize, usize) {
    let sessions = threads.clamp(1, SESSIONS);
    (sessions, (threads / sessions).max(1))
}

/// Expected bytes of UTF-8 per token of prose, before tokenisation.
const BYTES_PER_TOKEN: usize = 4;

/// Expected cost of a text in tokens: approximate for prose of any script in a multilingual vocabulary, and at most the
/// model's window.
pub(super) fn expected_tokens(bytes: usize) -> usize {
    (bytes / BYTES_PER_TOKEN).clamp(1, MAX_TOKENS)
}

/// Session pool of one model, shared fairly among tenants by tokens. The second session is loaded on the first
/// concurrent use, as each takes some fifty megabytes.
pub(super) struct Sessions<S> {
    load: Load<S>,
    idle: Arc<Mutex<Vec<S>>>,
    count: usize,
    queue: FairQueue,
}

impl<S: Send + 'static> Sessions<S> {
    /// A pool of at most `count` sessions, starting with `first`.
    pub(super) fn new(count: usize, first: S, load: Load<S>) -> Self {
        let idle = Arc::new(Mutex::new(vec![first]));
        Self { load, idle, count, queue: FairQueue::new(count, count) }
    }

    /// Maximum number of sessions.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Runs blocking work of an expected cost, in tokens, on an exclusive session. Work of several runs should end when
    /// another caller has a claim to its place.
    ///
    /// # Errors
    /// When the work or loading a session fails.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        caller: Caller,
        tokens: usize,
        work: impl FnOnce(&mut S, &Place) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.queue.enter(caller, tokens).await;
        let (load, idle) = (Arc::clone(&self.load), Arc::clone(&self.idle));
        crate::blocking(move || {
            // A session lost to a panic is replaced by loading another.
            let session = lock(&idle).pop();
            let mut session = session.map_or_else(|| load(), Ok)?;
            let done = work(&mut session, &place);
            lock(&idle).push(session);
            done
        })
        .await?
    }
}

fn lock<S>(idle: &Mutex<Vec<S>>) -> MutexGuard<'_, Vec<S>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// ONNX Runtime, loaded once per process.
///
/// # Errors
/// When it is not configured or fails to load.
pub(super) fn environment(config: &Embedding) -> Result<Environment> {
    static LOADED: OnceLock<Environment> = OnceLock::new();
    if let Some(environment) = LOADED.get() {
        return Ok(environment.clone());
    }
    let library = config.require_ort().map_err(|error| failed("no ONNX Runtime configured", error))?;
    let cannot_load = format!("cannot load ONNX Runtime {}", library.display());
    let environment = ort::init_from(library)
        .map_err(|error| failed(&cannot_load, error))?
        .with_name("parlance")
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(&cannot_load, error))?;
    Ok(LOADED.get_or_init(|| environment).clone())
}

/// Id of a local model: its folder name.
pub(super) fn id_of(folder: &Path) -> String {
    folder.file_name().map_or("local".into(), |name| name.to_string_lossy().into_owned())
}

/// File name of the model in its folder.
pub(super) const MODEL_FILE: &str = "model.onnx";

/// Reads the model file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn model_file(folder: &Path) -> Result<Vec<u8>> {
    read(folder, MODEL_FILE)
}

/// Reads the tokenizer files.
///
/// # Errors
/// When one of the four cannot be read.
pub(super) fn tokenizer_files(folder: &Path) -> Result<TokenizerFiles> {
    Ok(TokenizerFiles {
        tokenizer_file: read(folder, "tokenizer.json")?,
        config_file: read(folder, "config.json")?,
        special_tokens_map_file: read(folder, "special_tokens_map.json")?,
        tokenizer_config_file: read(folder, "tokenizer_config.json")?,
    })
}

/// Reads a file in a model's folder.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|error| failed(&format!("cannot read {}", path.display()), error))
}

pub(super) fn failed(what: &str, error: impl Into<BoxError>) -> Error {
    Error::internal(what, error)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::ids::TenantId;

    #[tokio::test]
    async fn a_question_waits_for_one_of_another_tenants_200_searches() {
        let sessions = Arc::new(Sessions::new(1, (), Arc::new(|| Ok(()))));
        let [busy, other] = [(); 2].map(|()| Caller::interactive(TenantId::fresh()));
        let (release, held) = mpsc::channel::<()>();
        let order: Arc<Mutex<Vec<&str>>> = Arc::default();
        let run = |caller: Caller, name: &'static str, waits: Option<mpsc::Receiver<()>>| {
            let (sessions, order) = (Arc::clone(&sessions), Arc::clone(&order));
            tokio::spawn(async move {
                let work = move |(): &mut (), _: &Place| {
                    waits.map(|held| held.recv());
                    lock(&order).push(name);
                    Ok(())
                };
                sessions.run(caller, MAX_TOKENS, work).await.unwrap();
            })
        };
        let waits_for = async |waiting: usize| {
            while sessions.queue.waiting() != waiting {
                tokio::task::yield_now().await;
            }
        };
        let mut runs = vec![run(Caller::system(), "running", Some(held))];
        waits_for(0).await;
        runs.extend((0..200).map(|_| run(busy, "search", None)));
        waits_for(200).await;
        runs.push(run(Caller::background(TenantId::fresh()), "passage", None));
        waits_for(201).await;
        runs.push(run(other, "question", None));
        waits_for(202).await;
        release.send(()).unwrap();
        for run in runs {
            run.await.unwrap();
        }
        let order = lock(&order);
        assert_eq!(order[..3], ["running", "search", "question"]);
        let passage = order.iter().position(|name| *name == "passage").unwrap();
        assert_eq!(passage, 8, "a passage gets every eighth turn");
        assert_eq!(order.len(), 203);
    }

    #[test]
    fn a_text_costs_no_more_than_a_model_reads() {
        assert_eq!([0, 40, 8_000].map(expected_tokens), [1, 10, 512]);
    }
}
