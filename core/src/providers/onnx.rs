//! What models in ONNX share: the runtime, the sessions of one model, the files of a folder.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use fastembed::TokenizerFiles;
use ort::environment::Environment;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{BoxError, Error, Result};
use crate::platform::config::Embedding;

/// Texts are cut here at the latest; the positions of BERT-like models end at 512.
pub(super) const MAX_TOKENS: usize = 512;

/// Sessions at most: enough that a question and a passage run side by side, and that both cores of a
/// small machine work on short texts, which more threads do not make faster.
pub(super) const SESSIONS: usize = 2;

/// Loads a session. Slow, and blocking.
pub(super) type Load<S> = Arc<dyn Fn() -> Result<S> + Send + Sync>;

/// How many sessions share so many threads, and how many threads each has.
pub(super) fn share(threads: usize) -> (usize, usize) {
    let sessions = threads.clamp(1, SESSIONS);
    (sessions, (threads / sessions).max(1))
}

/// Sessions of one model. The second is loaded when two texts come at once: each takes some fifty
/// megabytes.
pub(super) struct Sessions<S> {
    load: Load<S>,
    idle: Arc<Mutex<Vec<S>>>,
    count: usize,
    /// Fair: whoever waits longest is next.
    places: Arc<Semaphore>,
    wanted: Wanted,
}

/// Those who wait for a session now.
#[derive(Clone, Default)]
pub(super) struct Wanted(Arc<AtomicUsize>);

impl Wanted {
    /// Whether somebody does.
    pub(super) fn is_some(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// One of [`Wanted`], while it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn for_one(wanted: &'a Wanted) -> Self {
        wanted.0.fetch_add(1, Ordering::Relaxed);
        Self(&wanted.0)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Send + 'static> Sessions<S> {
    /// So many at most, of which one is there.
    pub(super) fn new(count: usize, first: S, load: Load<S>) -> Self {
        let (idle, places) = (Arc::new(Mutex::new(vec![first])), Arc::new(Semaphore::new(count)));
        Self { load, idle, count, places, wanted: Wanted::default() }
    }

    /// How many there are at most.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Who waits for one: work of [`Sessions::run_behind`] asks this, and makes way.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// Runs blocking work on a session of its own.
    ///
    /// # Errors
    /// Of the work, and of the loading of a session.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let waiting = Waiting::for_one(&self.wanted);
        let place = self.place().await?;
        drop(waiting);
        self.run_at(place, work).await
    }

    /// Runs blocking work that makes way for [`Sessions::run`].
    ///
    /// # Errors
    /// As there.
    pub(super) async fn run_behind<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_at(self.place().await?, work).await
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|error| Error::internal("the sessions of a model", error))
    }

    async fn run_at<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        work: impl FnOnce(&mut S) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (load, idle) = (Arc::clone(&self.load), Arc::clone(&self.idle));
        crate::blocking(move || {
            let _place = place;
            // A session that a panic takes with it is replaced by the next that is loaded.
            let session = lock(&idle).pop();
            let mut session = session.map_or_else(|| load(), Ok)?;
            let done = work(&mut session);
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
/// When it is not configured, or does not load.
pub(super) fn environment(config: &Embedding) -> Result<Environment> {
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

/// A model in a folder is called as the folder is.
pub(super) fn id_of(folder: &Path) -> String {
    folder.file_name().map_or("local".into(), |name| name.to_string_lossy().into_owned())
}

/// The model in a folder.
pub(super) const MODEL_FILE: &str = "model.onnx";

/// # Errors
/// When it cannot be read.
pub(super) fn model_file(folder: &Path) -> Result<Vec<u8>> {
    read(folder, MODEL_FILE)
}

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

/// A file of a model's folder.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|error| failed(&format!("{} cannot be read", path.display()), error))
}

pub(super) fn failed(what: &str, error: impl Into<BoxError>) -> Error {
    Error::internal(what, error)
}
