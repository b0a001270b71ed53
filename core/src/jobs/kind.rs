//! Job kinds and states.
//!
//! The table below is the only declaration of a kind. Workers, the CLI, metrics, the API and the manifest checks read it.

use std::time::Duration;

use crate::platform::config;
use crate::stored_enum;

/// Parameters of a job kind. `None`: the setting of that name in [`config::Jobs`].
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Concurrent jobs per process.
    pub concurrency: Option<usize>,
    /// Whether its jobs mostly wait for other servers: many may run in a process ([`config::Jobs::crawls`]), but few of
    /// one tenant in all processes ([`config::Jobs::crawls_per_tenant`]). Their other work takes a place in a small
    /// pool. They do not count towards their tenant's running jobs of other kinds.
    pub waits: bool,
    /// Time from enqueueing to failure, finished or not.
    pub deadline: Option<Duration>,
    /// Attempts before the job fails.
    pub max_attempts: i32,
    /// Backpressure: the kind of the follow-up jobs. While a tenant has [`config::Jobs::embed_backlog`] of them
    /// waiting, its jobs of this kind are not dispatched.
    pub feeds: Option<Kind>,
}

/// Ten attempts, with the pauses between them, outlast an outage of a quarter of an hour.
const DEFAULT: Spec = Spec { concurrency: None, waits: false, deadline: None, max_attempts: 10, feeds: None };

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal { $($field:ident: $value:expr),* })+) => {
        $crate::stored_enum! {
            /// Kind of a job; each kind has its own queue. The string names both in the ledger, the API, metrics and
            /// `--queues`.
            #[derive(Hash, PartialOrd, Ord)]
            pub enum Kind {
                $($(#[$doc])* $kind = $name,)+
            }
        }

        impl Kind {
            /// Parameters of the kind.
            #[must_use]
            pub const fn spec(self) -> Spec {
                match self {
                    $(Kind::$kind => Spec { $($field: $value,)* ..DEFAULT },)+
                }
            }
        }
    };
}

// The ingestion steps come first, in pipeline order.
kinds! {
    /// Extracts the text of a stored file.
    Upload = "upload" {}
    /// Crawls a web site and extracts the text of its pages.
    Scrape = "scrape" { waits: true }
    /// Splits text into chunks.
    Chunk = "chunk" { feeds: Some(Kind::Embed) }
    /// Embeds a batch of chunks.
    Embed = "embed" {}
    /// Reindexes a bot's chunks for the lexical search of another language.
    Reindex = "reindex" {}
    /// Re-embeds a bot's chunks with another model.
    Reembed = "reembed" {}
    /// Builds or drops a bot's own indexes, depending on its size.
    Index = "index" {}
    /// Removes deleted rows and files.
    Purge = "purge" { max_attempts: 20 }
}

impl Kind {
    /// Concurrent jobs of this kind per process.
    #[must_use]
    pub fn concurrency(self, settings: &config::Jobs) -> usize {
        let spec = self.spec();
        let usual = if spec.waits { settings.crawls } else { settings.concurrency };
        spec.concurrency.unwrap_or(usual)
    }

    /// Maximum number of one tenant's dispatched and running jobs of this kind in all processes; `None`: no limit.
    #[must_use]
    pub fn per_tenant(self, settings: &config::Jobs) -> Option<usize> {
        self.spec().waits.then_some(settings.crawls_per_tenant)
    }

    /// Time from enqueueing to failure, finished or not.
    #[must_use]
    pub fn deadline(self, settings: &config::Jobs) -> Duration {
        self.spec().deadline.unwrap_or(settings.deadline)
    }
}

/// One value per kind.
#[derive(Debug, Default)]
pub(super) struct PerKind<T>([T; Kind::ALL.len()]);

impl<T> PerKind<T> {
    pub(super) fn of(&self, kind: Kind) -> &T {
        // `ALL` holds every kind once, in the order of declaration.
        &self.0[kind as usize]
    }
}

stored_enum! {
    /// State of a job. `queued → dispatched → running → succeeded | failed | cancelled`, and back to `queued` for a
    /// retry.
    pub enum State {
        /// Waits for a place in the dispatch window, or for its retry time.
        Queued = "queued",
        /// Its hint is in Redis.
        Dispatched = "dispatched",
        /// A worker holds its lease.
        Running = "running",
        /// Its results are committed.
        Succeeded = "succeeded",
        /// Dead letter: not retried automatically; keeps its error.
        Failed = "failed",
        /// Stopped on request.
        Cancelled = "cancelled",
    }
}

impl State {
    /// Whether the job has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Cancelled)
    }
}
