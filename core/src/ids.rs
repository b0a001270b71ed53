//! Identifiers, one type each: a function that takes a bot cannot be given a source.
//!
//! All are UUID v7 (RFC 9562): they sort by creation time and index well.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Generates an id, greater than all ids generated earlier on this machine.
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as a bare UUID.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(raw: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(raw).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

id! {
    /// A customer company of the platform; the boundary of data isolation.
    TenantId
    /// An API key of a tenant: the row, never the secret.
    KeyId
    /// A chatbot of a tenant.
    BotId
    /// A knowledge source of a bot: a file, a web site or a text.
    SourceId
    /// A searchable chunk of a source.
    ChunkId
    /// A conversation between a customer and a bot.
    ConversationId
    /// A message of a conversation.
    MessageId
    /// A job in the ledger.
    JobId
    /// Fencing token of a claim: only its holder may settle the job.
    LeaseToken
    /// A worker process.
    WorkerId
}
