//! Job kinds and states. A kind is declared once, in the table below: workers, the CLI, metrics, the API and the
//! checks of the manifests read it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::platform::config;

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
        /// What a job does, and so which queue carries it.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type,
        )]
        #[sqlx(type_name = "text")]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] #[sqlx(rename = $name)] $kind,)+
        }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: [Kind; [$(Kind::$kind),+].len()] = [$(Kind::$kind),+];

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
    /// Name of the kind and of its queue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.spec().name
    }

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

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == raw).ok_or_else(|| {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            Error::invalid("kind", format!("The 'kind' field must be one of: {known}"))
        })
    }
}

/// State of a job. `queued → dispatched → running → succeeded | failed | cancelled`, and back to `queued` for a
/// retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Waits for a place in the dispatch window, or for its retry time.
    Queued,
    /// A hint to it is in Redis.
    Dispatched,
    /// A worker holds its lease.
    Running,
    /// Its results are committed.
    Succeeded,
    /// Will not be retried by itself; keeps its error: the dead letter.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl State {
    /// Every state, in the order in which a job passes through them.
    pub const ALL: [State; 6] =
        [State::Queued, State::Dispatched, State::Running, State::Succeeded, State::Failed, State::Cancelled];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Dispatched => "dispatched",
            State::Running => "running",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }

    /// Whether the job has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Cancelled)
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        State::ALL.into_iter().find(|state| state.as_str() == raw).ok_or_else(|| {
            let known = State::ALL.map(State::as_str).join(", ");
            Error::invalid("state", format!("The 'state' field must be one of: {known}"))
        })
    }
}
