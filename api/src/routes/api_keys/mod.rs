//! API key routes: create, list, rotate and revoke.

use parlance_core::ids::KeyId;
use parlance_core::tenants::keys;
use parlance_core::{Context, PageNumber, PageSize};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use crate::error::{Adding, Fails, Finding, Listing, Making, When, not_found_first};
use crate::extract::fields::Field;
use crate::extract::json::JsonBody;
use crate::extract::page;
use crate::extract::path::PathId;
use crate::extract::tenant::Tenant;
use crate::openapi::Tag;
use crate::response::envelope::{Created, Deleted, Listed};

pub(crate) mod requests;
pub(crate) mod responses;

use requests::{CreateApiKey, RotateApiKey};
use responses::{ApiKey, CreatedApiKey};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Tenant")]
impl Api {
    /// List API keys
    ///
    /// Retrieve a paginated list of your API keys, newest first, without the secret keys.
    #[oai(path = "/tenant/api-keys", method = "get", operation_id = "listApiKeys")]
    async fn list_keys(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
    ) -> Result<Listed<ApiKey>, Fails<Listing>> {
        let page = page::parse_only(page.0, per_page.0)?;
        Ok(Listed::of(keys::list(&ctx, tenant.id(), page).await?))
    }

    /// Create API key
    ///
    /// Create an API key. The response contains the secret key, which is not shown again.
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
    /// Create an API key with the same name, scopes and expiry. The old key stays valid for the grace period, if
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
        let grace = not_found_first(keys::get(&ctx, tenant.id(), key), grace).await?;
        let (key, raw) = keys::rotate(&ctx, tenant.id(), key, grace).await?;
        Ok(Created(CreatedApiKey::of(key, &raw, "API key rotated successfully")))
    }

    /// Revoke API key
    ///
    /// Permanently revoke an API key. It is invalid as soon as the response is sent.
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
