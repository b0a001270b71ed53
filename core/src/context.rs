//! The wiring: one [`Context`] per process holds the configuration and every part. The only place
//! where providers are chosen.

use std::sync::Arc;

use parlance_crawl::fetcher::Fetcher;
use tokio::sync::Notify;

use crate::calibration::Calibrations;
use crate::conversations::{SentenceVectors, Turns};
use crate::error::Result;
use crate::jobs::PerKind;
use crate::platform::bus::Bus;
use crate::platform::config::Config;
use crate::platform::db::Db;
use crate::platform::limits::Limits;
use crate::platform::meters::Meters;
use crate::platform::queue::Queue;
use crate::providers::absent::Absent;
use crate::providers::blob::{self, BlobStore};
use crate::providers::chat::{self, Models};
use crate::providers::embed::{self, Embedder};
use crate::providers::extract::Extractor;
use crate::providers::rerank::{self, Reranker};
use crate::providers::web;

/// Everything a verb needs. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Parts>);

struct Parts {
    config: Config,
    db: Db,
    queue: Queue,
    bus: Bus,
    /// Rung when a queue may have work or room.
    bells: PerKind<Notify>,
    turns: Turns,
    meters: Meters,
    limits: Limits,
    calibrations: Calibrations,
    sentences: SentenceVectors,
    extractor: Extractor,
    fetcher: Fetcher,
    providers: Providers,
}

/// What Parlance asks of the outside world, each behind its trait.
#[derive(Clone)]
pub struct Providers {
    /// Where files are kept.
    pub blob: Arc<dyn BlobStore>,
    /// What turns text into vectors.
    pub embedder: Arc<dyn Embedder>,
    /// What did so before, for questions to bots whose vectors are its still.
    pub embedder_before: Option<Arc<dyn Embedder>>,
    /// What looks again at what a search found; `None`: nothing does.
    pub reranker: Option<Arc<dyn Reranker>>,
    /// What writes the answers; `None`: the built-in extractive answers.
    pub chat: Option<Models>,
}

impl Providers {
    /// The providers that the configuration names.
    ///
    /// # Errors
    /// When one cannot be made: a folder that is not writable, a model that does not load.
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
}

impl Providers {
    /// None: for commands that only speak to the database.
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
    /// Wires a process. Connects lazily: Postgres and Redis need not be up yet.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn new(config: Config, providers: Providers) -> Result<Self> {
        Ok(Self(Arc::new(Parts {
            db: Db::new(&config.database)?,
            queue: Queue::new(&config)?,
            bus: Bus::new(&config)?,
            bells: PerKind::default(),
            turns: Turns::default(),
            meters: Meters::default(),
            limits: Limits::new(&config.limits),
            calibrations: Calibrations::default(),
            sentences: SentenceVectors::default(),
            extractor: Extractor::new(config.extract.program.as_deref())?,
            fetcher: web::fetcher(&config.scrape)?,
            providers,
            config,
        })))
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The hints' way to the workers.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// The news.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// Where files are kept.
    #[must_use]
    pub fn blob(&self) -> &dyn BlobStore {
        &*self.0.providers.blob
    }

    /// What turns text into vectors.
    #[must_use]
    pub fn embedder(&self) -> &Arc<dyn Embedder> {
        &self.0.providers.embedder
    }

    /// What turned text into vectors before, while bots change over to [`Context::embedder`].
    #[must_use]
    pub fn embedder_before(&self) -> Option<&Arc<dyn Embedder>> {
        self.0.providers.embedder_before.as_ref()
    }

    /// What looks again at what a search found, when something does.
    #[must_use]
    pub fn reranker(&self) -> Option<&Arc<dyn Reranker>> {
        self.0.providers.reranker.as_ref()
    }

    /// What writes the answers, when it is a model.
    #[must_use]
    pub fn chat(&self) -> Option<&Models> {
        self.0.providers.chat.as_ref()
    }

    /// What reads files, each in a process of its own.
    #[must_use]
    pub fn extractor(&self) -> &Extractor {
        &self.0.extractor
    }

    /// HTTP client for URLs that tenants supply.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.0.fetcher
    }

    /// The database's doors, for stores.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// What this process counts of its work.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// What one caller may ask at once.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn calibrations(&self) -> &Calibrations {
        &self.0.calibrations
    }

    pub(crate) fn sentences(&self) -> &SentenceVectors {
        &self.0.sentences
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    pub(crate) fn bells(&self) -> &PerKind<Notify> {
        &self.0.bells
    }

    /// Closes the connections, when the process is about to end.
    pub async fn close(&self) {
        self.0.bus.close().await;
        self.0.db.close().await;
    }
}
