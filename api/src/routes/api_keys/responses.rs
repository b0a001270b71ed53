//! Response bodies of the API key routes.

use parlance_core::tenants::keys::{self, RawKey, Scope};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};

/// An API key, without the key itself.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct ApiKey {
    /// Its id.
    pub(crate) id: Id,
    /// What you call it.
    pub(crate) name: String,
    /// How the key begins.
    pub(crate) prefix: String,
    /// What it may do: `full` everything, `read` every GET, `chat` conversations, `knowledge` knowledge.
    pub(crate) scopes: Vec<Word<Scope>>,
    /// When it ends.
    pub(crate) expires_at: OrNull<Timestamp>,
    /// When it was last used, to the minute.
    pub(crate) last_used_at: OrNull<Timestamp>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

/// An API key that has just been made.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct CreatedApiKey {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) api_key: ApiKey,
    /// The key. It is shown this once.
    pub(crate) key: String,
    /// What was done.
    pub(crate) message: String,
}

impl CreatedApiKey {
    pub(super) fn of(key: keys::Key, raw: &RawKey, message: &str) -> Self {
        Self { api_key: key.into(), key: raw.expose().to_owned(), message: message.to_owned() }
    }
}

impl From<keys::Key> for ApiKey {
    fn from(key: keys::Key) -> Self {
        Self {
            id: key.id.into(),
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes.into_iter().map(Into::into).collect(),
            expires_at: OrNull::of(key.expires_at),
            last_used_at: OrNull::of(key.last_used_at),
            created_at: key.created_at.into(),
        }
    }
}
