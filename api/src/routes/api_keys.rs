//! The tenant's API keys: make, list, rotate, revoke.

use std::time::Duration;

use parlance_core::ids::KeyId;
use parlance_core::tenants::keys::{self, KeyRequest, RawKey, RawKeyRequest, Scope};
use parlance_core::{Context, Error, Result};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};

use crate::error::{Adding, Fails, Finding, Listing, Making, When, about};
use crate::extract::enums::Word;
use crate::extract::fields::{Field, Fields, Needed};
use crate::extract::json::JsonBody;
use crate::extract::page;
use crate::extract::tenant::Tenant;
use crate::extract::types::{Id, Moment, OrNull, PathId, Timestamp};
use crate::openapi::Tag;
use crate::response::envelope::{Created, Deleted, Listed};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Tenant")]
impl Api {
    /// List API keys
    ///
    /// Retrieve a paginated list of your API keys, newest first, without the keys themselves.
    #[oai(path = "/tenant/api-keys", method = "get", operation_id = "listApiKeys")]
    async fn list_keys(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::first", validator(minimum(value = "1")))]
        page: Query<Field<i64>>,
        /// Items per page.
        #[oai(default = "page::usual", validator(minimum(value = "1"), maximum(value = "100")))]
        per_page: Query<Field<i64>>,
    ) -> Result<Listed<ApiKey>, Fails<Listing>> {
        let page = page::alone(page.0, per_page.0)?;
        Ok(Listed::of(keys::list(&ctx, tenant.id(), page).await?))
    }

    /// Create API key
    ///
    /// Create an API key. The key is in the answer and is not shown again.
    #[oai(path = "/tenant/api-keys", method = "post", operation_id = "createApiKey")]
    async fn create_key(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        body: JsonBody<CreateApiKey>,
    ) -> Result<Created<CreatedApiKey>, Fails<Making>> {
        let request = body.0.parse().when("creating an API key")?;
        let (key, raw) = keys::create(&ctx, tenant.id(), &request).await?;
        Ok(Created(CreatedApiKey::of(key, &raw, "API key created successfully")))
    }

    /// Rotate API key
    ///
    /// Create an API key that may do what this one may. This one goes on working for the grace period, if
    /// there is one, and ends at once otherwise.
    #[oai(path = "/tenant/api-keys/:key_id/rotate", method = "post", operation_id = "rotateApiKey")]
    async fn rotate_key(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the API key to rotate.
        key_id: Path<PathId<KeyId>>,
        body: JsonBody<RotateApiKey>,
    ) -> Result<Created<CreatedApiKey>, Fails<Adding>> {
        let key = key_id.0.known()?;
        let grace = body.0.parse().when("rotating an API key");
        let grace = about(keys::get(&ctx, tenant.id(), key), grace).await?;
        let (key, raw) = keys::rotate(&ctx, tenant.id(), key, grace).await?;
        Ok(Created(CreatedApiKey::of(key, &raw, "API key rotated successfully")))
    }

    /// Revoke API key
    ///
    /// Permanently revoke an API key. It opens nothing from the moment of the answer.
    #[oai(path = "/tenant/api-keys/:key_id", method = "delete", operation_id = "revokeApiKey")]
    async fn revoke_key(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the API key to revoke.
        key_id: Path<PathId<KeyId>>,
    ) -> Result<Deleted, Fails<Finding>> {
        let name = keys::revoke(&ctx, tenant.id(), key_id.0.known()?).await?;
        Ok(Deleted(format!("API key '{name}' revoked successfully")))
    }
}

/// An API key, without the key itself.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
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
#[oai(example)]
pub(crate) struct CreatedApiKey {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) api_key: ApiKey,
    /// The key. It is shown this once.
    pub(crate) key: String,
    /// What was done.
    pub(crate) message: String,
}

/// An API key to make.
#[derive(Debug, Default, Object)]
#[oai(example)]
pub(crate) struct CreateApiKey {
    /// What you call it.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) name: Needed<String>,
    /// What it may do (default: `full`).
    #[oai(nullable, validator(min_items = 1))]
    pub(crate) scopes: Field<Vec<Word<Scope>>>,
    /// When it ends: a moment in the future (default: never).
    #[oai(nullable)]
    pub(crate) expires_at: Field<Moment>,
}

/// How to rotate an API key.
#[derive(Debug, Default, Object)]
#[oai(example)]
pub(crate) struct RotateApiKey {
    /// How many seconds the old key goes on working (default: 0, max: 604800, a week).
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "604800")))]
    pub(crate) grace_period_seconds: Field<i64>,
}

impl CreateApiKey {
    pub(crate) fn parse(self) -> Result<KeyRequest> {
        let mut fields = Fields::of_body();
        let raw = RawKeyRequest {
            name: fields.take("name", self.name),
            scopes: fields
                .take("scopes", self.scopes)
                .map(|scopes| scopes.into_iter().map(String::from).collect()),
            expires_at: fields.take("expires_at", self.expires_at).map(String::from),
        };
        fields.check(KeyRequest::parse(raw))
    }
}

impl RotateApiKey {
    pub(crate) fn parse(self) -> Result<Duration> {
        let mut fields = Fields::of_body();
        let seconds = fields.take("grace_period_seconds", self.grace_period_seconds).unwrap_or(0);
        let most = keys::MAX_GRACE.as_secs();
        fields.check(u64::try_from(seconds).ok().filter(|seconds| *seconds <= most).map_or_else(
            || {
                let message = format!("The 'grace_period_seconds' field must be between 0 and {most}");
                Err(Error::invalid("grace_period_seconds", message))
            },
            |seconds| Ok(Duration::from_secs(seconds)),
        ))
    }
}

impl CreatedApiKey {
    fn of(key: keys::Key, raw: &RawKey, message: &str) -> Self {
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
