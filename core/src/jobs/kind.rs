//! Job kinds and states. A kind is declared once, in the table below: workers, the CLI, metrics, the API and the
//! checks of the manifests read it.

use std::time::Duration;

use crate::platform::config;
use crate::stored_enum;

/// What the ledger needs to know of a kind. `None`: the setting of that name in [`config::Jobs`].
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Name of the kind and of its queue, in the ledger, the API, metrics and `--queues`.
    pub name: &'static str,
    /// Jobs that one process runs at once.
    pub concurrency: Option<usize>,
    /// Time from enqueueing to failure, finished or not.
    pub deadline: Option<Duration>,
    /// Attempts before the job fails.
    pub max_attempts: i32,
    /// Backpressure: the kind that these jobs enqueue. A tenant with [`config::Jobs::embed_backlog`] of those
    /// waiting gets no more of these dispatched.
    pub feeds: Option<Kind>,
}

/// Ten attempts, with the pauses between them, outlast an outage of a quarter of an hour.
const DEFAULT: Spec = Spec { name: "", concurrency: None, deadline: None, max_attempts: 10, feeds: None };

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal { $($field:ident: $value:expr),* })+) => {
        $crate::stored_enum! {
            /// What a job does, and so which queue carries it.
            #[derive(Hash, PartialOrd, Ord)]
            pub enum Kind {
                $($(#[$doc])* $kind = $name,)+
            }
        }

        impl Kind {
            /// Its declaration.
            #[must_use]
            pub const fn spec(self) -> Spec {
                match self {
                    $(Kind::$kind => Spec { name: $name, $($field: $value,)* ..DEFAULT },)+
                }
            }
        }
    };
}

// The kinds that a source passes through come first, in that order.
kinds! {
    /// Extracts the text of a stored file.
    Upload = "upload" {}
    /// Crawls a web site and extracts the text of its pages.
    Scrape = "scrape" {}
    /// Splits text into chunks.
    Chunk = "chunk" { feeds: Some(Kind::Embed) }
    /// Embeds a batch of chunks.
    Embed = "embed" {}
    /// Reindexes a bot's chunks for the lexical search of another language.
    Reindex = "reindex" {}
    /// Re-embeds a bot's chunks with another model.
    Reembed = "reembed" {}
    /// Builds or drops a bot's own indexes, to fit its size.
    Index = "index" {}
    /// Removes deleted rows and files.
    Purge = "purge" { max_attempts: 20 }
}

impl Kind {
    /// Jobs of this kind that one process runs at once.
    #[must_use]
    pub fn concurrency(self, settings: &config::Jobs) -> usize {
        self.spec().concurrency.unwrap_or(settings.concurrency)
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
        /// A hint to it is in Redis.
        Dispatched = "dispatched",
        /// A worker holds its lease.
        Running = "running",
        /// Its results are committed.
        Succeeded = "succeeded",
        /// Will not be retried by itself; keeps its error: the dead letter.
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
