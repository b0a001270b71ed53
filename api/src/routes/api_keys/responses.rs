//! Response bodies of the API key routes.

use parlance_core::tenants::keys::{self, RawKey, Scope};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};

/// An API key, without the secret key.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct ApiKey {
    /// Unique identifier of the API key.
    pub(crate) id: Id,
    /// Your name for the key.
    pub(crate) name: String,
    /// First characters of the secret key.
    pub(crate) prefix: String,
    /// Permissions: `full` permits every operation, `read` every GET, `chat` conversations, `knowledge` knowledge.
    pub(crate) scopes: Vec<Word<Scope>>,
    /// Time of expiry; null for a key that never expires.
    pub(crate) expires_at: OrNull<Timestamp>,
    /// Time of the last use, to the minute.
    pub(crate) last_used_at: OrNull<Timestamp>,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
}

/// A created API key.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct CreatedApiKey {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) api_key: ApiKey,
    /// The secret key. It is shown only once.
    pub(crate) key: String,
    /// Human-readable confirmation.
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
