//! The words of the ledger: what a job does, and where it stands.

use crate::stored_enum;

stored_enum! {
    /// What a job does, and so which queue carries it.
    #[derive(Hash, PartialOrd, Ord)]
    pub enum Kind {
        /// A stored file becomes text.
        Upload = "upload",
        /// A web site becomes text, page by page.
        Scrape = "scrape",
        /// Text becomes chunks.
        Chunk = "chunk",
        /// A batch of chunks becomes vectors.
        Embed = "embed",
        /// The words of a bot's chunks become those of another language.
        Reindex = "reindex",
        /// A bot's chunks become vectors of another model.
        Reembed = "reembed",
        /// A bot with many chunks gets indexes of its own.
        Index = "index",
        /// What was deleted is removed.
        Purge = "purge",
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

stored_enum! {
    /// Where a job stands. `queued → dispatched → running → succeeded | failed | cancelled`, and back to
    /// `queued` for a retry.
    pub enum State {
        /// It waits for a place in the window, or for its time.
        Queued = "queued",
        /// A hint to it lies in Redis.
        Dispatched = "dispatched",
        /// A worker holds its lease.
        Running = "running",
        /// Its results are there.
        Succeeded = "succeeded",
        /// It will not be tried again by itself; the cause stays with it: the dead letter.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
}

impl State {
    /// Whether nothing more will happen by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Cancelled)
    }
}
