//! The words of the ledger: what a job does, and where it stands.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What a job does, and so which queue carries it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// A stored file becomes text.
    Upload,
    /// A web site becomes text, page by page.
    Scrape,
    /// Text becomes chunks.
    Chunk,
    /// A batch of chunks becomes vectors.
    Embed,
    /// The words of a bot's chunks become those of another language.
    Reindex,
    /// A bot's chunks become vectors of another model.
    Reembed,
    /// A bot with many chunks gets indexes of its own.
    Index,
    /// What was deleted is removed.
    Purge,
}

impl Kind {
    /// Every kind; first those that a source passes through, in that order.
    pub const ALL: [Kind; 8] = [
        Kind::Upload,
        Kind::Scrape,
        Kind::Chunk,
        Kind::Embed,
        Kind::Reindex,
        Kind::Reembed,
        Kind::Index,
        Kind::Purge,
    ];

    /// The name of the kind and of its queue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Upload => "upload",
            Kind::Scrape => "scrape",
            Kind::Chunk => "chunk",
            Kind::Embed => "embed",
            Kind::Reindex => "reindex",
            Kind::Reembed => "reembed",
            Kind::Index => "index",
            Kind::Purge => "purge",
        }
    }
}

/// One thing for each kind.
#[derive(Debug, Default)]
pub(crate) struct PerKind<T>([T; Kind::ALL.len()]);

impl<T> PerKind<T> {
    pub(crate) fn of(&self, kind: Kind) -> &T {
        let [upload, scrape, chunk, embed, reindex, reembed, index, purge] = &self.0;
        match kind {
            Kind::Upload => upload,
            Kind::Scrape => scrape,
            Kind::Chunk => chunk,
            Kind::Embed => embed,
            Kind::Reindex => reindex,
            Kind::Reembed => reembed,
            Kind::Index => index,
            Kind::Purge => purge,
        }
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

/// Where a job stands. `queued → dispatched → running → succeeded | failed | cancelled`, and back to
/// `queued` for a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It waits for a place in the window, or for its time.
    Queued,
    /// A hint to it lies in Redis.
    Dispatched,
    /// A worker holds its lease.
    Running,
    /// Its results are there.
    Succeeded,
    /// It will not be tried again by itself; the cause stays with it: the dead letter.
    Failed,
    /// Somebody stopped it.
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

    /// Whether nothing more will happen by itself.
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
