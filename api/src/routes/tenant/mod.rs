//! Tenant routes: the account, and its usage against the plan.

use parlance_core::Context;
use parlance_core::tenants;
use poem::web::Data;
use poem_openapi::OpenApi;

use crate::error::{Fails, Showing};
use crate::extract::tenant::Tenant;
use crate::openapi::Tag;
use crate::response::envelope::Found;

pub(crate) mod responses;

use responses::{TenantInfo, TenantUsage};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Tenant")]
impl Api {
    /// Get tenant information
    ///
    /// Retrieve basic information about your tenant account.
    #[oai(path = "/tenant/info", method = "get", operation_id = "getTenantInfo")]
    async fn get_tenant_info(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
    ) -> Result<Found<TenantInfo>, Fails<Showing>> {
        Ok(Found(tenants::get(&ctx, tenant.id()).await?.into()))
    }

    /// Get usage statistics
    ///
    /// Retrieve current usage statistics and plan limits. Conversations, messages and embedded tokens are counted per
    /// calendar month (UTC); a limit of `null` means unlimited.
    #[oai(path = "/tenant/usage", method = "get", operation_id = "getTenantUsage")]
    async fn get_tenant_usage(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
    ) -> Result<Found<TenantUsage>, Fails<Showing>> {
        Ok(Found(tenants::usage(&ctx, tenant.id()).await?.into()))
    }
}
