//! Wiring of a process: one [`Context`] holds the configuration, the connections and the providers.
//!
//! The only place where providers are chosen. Must never: import the job ledger or a slice.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use parlance_crawl::fetcher::Fetcher;

use crate::error::Result;
use crate::ids::TenantId;
use crate::platform::bus::Bus;
use crate::platform::config::Config;
use crate::platform::cpu::Cpu;
use crate::platform::db::Db;
use crate::platform::fair_places::FairPlaces;
use crate::platform::limits::Limits;
use crate::platform::meters::Meters;
use crate::platform::pace::Pace;
use crate::platform::queue::Queue;
use crate::providers::absent::Absent;
use crate::providers::blob::{self, BlobStore};
use crate::providers::chat::{self, Models};
use crate::providers::embed::{self, Embedder};
use crate::providers::extract::Extractor;
use crate::providers::rerank::{self, Reranker};
use crate::providers::web::{self, Browsers};

/// Dependencies of domain operations. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Parts>);

struct Parts {
    config: Config,
    db: Db,
    queue: Queue,
    bus: Bus,
    meters: Meters,
    limits: Limits,
    pace: Pace,
    cpu: Cpu,
    state: Mutex<HashMap<TypeId, SharedState>>,
    extractor: Extractor,
    fetcher: Fetcher,
    browsers: Option<Browsers>,
    large_pages: FairPlaces<TenantId>,
    providers: Providers,
}

type SharedState = Arc<dyn Any + Send + Sync>;

/// The external services, each behind its trait.
#[derive(Clone)]
pub struct Providers {
    /// File storage.
    pub blob: Arc<dyn BlobStore>,
    /// The embedding model.
    pub embedder: Arc<dyn Embedder>,
    /// The previous embedding model, for bots not yet re-embedded.
    pub embedder_before: Option<Arc<dyn Embedder>>,
    /// The reranking model; `None`: no reranking.
    pub reranker: Option<Arc<dyn Reranker>>,
    /// The language model; `None`: built-in extractive answers.
    pub chat: Option<Models>,
}

impl Providers {
    /// Creates the configured providers.
    ///
    /// # Errors
    /// When one cannot be created: the storage folder is not writable, or a model does not load.
    pub async fn from_config(config: &Config) -> Result<Self> {
        Ok(Self {
            blob: blob::from_config(&config.storage)?,
            embedder: embed::from_config(&config.embedding, config.cache_dir.as_deref()).await?,
            embedder_before: match config.embedding.before() {
                Some(before) => Some(embed::from_config(&before, config.cache_dir.as_deref()).await?),
                None => None,
            },
            reranker: rerank::from_config(config).await?,
            chat: chat::from_config(&config.chat)?,
        })
    }

    /// Placeholders, for commands that use only the database.
    #[must_use]
    pub fn absent() -> Self {
        Self {
            blob: Arc::new(Absent),
            embedder: Arc::new(Absent),
            embedder_before: None,
            reranker: None,
            chat: None,
        }
    }
}

impl Context {
    /// Creates the context. Connects lazily: Postgres and Redis need not be up yet.
    ///
    /// # Errors
    /// When the configuration is unusable.
    pub fn new(config: Config, providers: Providers) -> Result<Self> {
        let bus = Bus::new(&config)?;
        let fetcher = web::fetcher(&config.scrape)?;
        let browser = config.scrape.browser.clone();
        Ok(Self(Arc::new(Parts {
            db: Db::new(&config.database)?,
            queue: Queue::new(&config)?,
            pace: Pace::new(bus.clone()),
            bus,
            meters: Meters::default(),
            cpu: Cpu::default(),
            limits: Limits::new(&config.limits),
            state: Mutex::default(),
            extractor: Extractor::new(
                config.extract.program.as_deref(),
                config.extract.tesseract.as_deref(),
            )?,
            browsers: browser.map(|address| Browsers::new(&fetcher, address, config.jobs.concurrency)),
            fetcher,
            large_pages: web::large_pages(),
            providers,
            config,
        })))
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The job queue client.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// The event bus.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// File storage.
    #[must_use]
    pub fn blob(&self) -> &dyn BlobStore {
        &*self.0.providers.blob
    }

    /// The embedding model.
    #[must_use]
    pub fn embedder(&self) -> &Arc<dyn Embedder> {
        &self.0.providers.embedder
    }

    /// The previous embedding model, during re-embedding with [`Context::embedder`].
    #[must_use]
    pub fn embedder_before(&self) -> Option<&Arc<dyn Embedder>> {
        self.0.providers.embedder_before.as_ref()
    }

    /// The reranking model, if configured.
    #[must_use]
    pub fn reranker(&self) -> Option<&Arc<dyn Reranker>> {
        self.0.providers.reranker.as_ref()
    }

    /// The language model, if configured.
    #[must_use]
    pub fn chat(&self) -> Option<&Models> {
        self.0.providers.chat.as_ref()
    }

    /// The file extractor: a child process per file.
    #[must_use]
    pub fn extractor(&self) -> &Extractor {
        &self.0.extractor
    }

    /// HTTP client for URLs that tenants supply.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.0.fetcher
    }

    /// Places for large pages in memory.
    #[must_use]
    pub fn large_pages(&self) -> &FairPlaces<TenantId> {
        &self.0.large_pages
    }

    /// Browsers for pages rendered by scripts, if configured.
    #[must_use]
    pub fn browsers(&self) -> Option<&Browsers> {
        self.0.browsers.as_ref()
    }

    /// The database, for stores.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Metrics of this process.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// Rate and concurrency limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Fair queue for processor-heavy work.
    #[must_use]
    pub fn cpu(&self) -> &Cpu {
        &self.0.cpu
    }

    /// Turns of requests to web hosts.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// Process-wide state of a slice, such as a cache: one value per type, created on first use.
    ///
    /// Keyed by type because the context is below the slices: typed fields would import them.
    pub(crate) fn state<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = state.entry(TypeId::of::<T>()).or_insert_with(|| Arc::<T>::default());
        // The key is the value's type: the downcast succeeds.
        Arc::clone(shared).downcast().unwrap_or_default()
    }

    /// Closes the connections. Call it before the process exits.
    pub async fn close(&self) {
        self.0.bus.close().await;
        self.0.db.close().await;
    }
}
