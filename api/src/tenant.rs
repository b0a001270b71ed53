//! The tenant's own account.

use parlance_core::Context;
use parlance_core::tenants::{self, Plan};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};

use crate::auth::Tenant;
use crate::docs::Tag;
use crate::envelope::Found;
use crate::error::{Fails, Showing};
use crate::values::{Id, Timestamp};
use crate::words::Word;

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
    ) -> Result<Found<Info>, Fails<Showing>> {
        Ok(Found(tenants::get(&ctx, tenant.id()).await?.into()))
    }
}

/// A tenant.
#[derive(Debug, Object)]
#[oai(example, rename = "Tenant")]
pub(crate) struct Info {
    /// Its id.
    pub(crate) id: Id,
    /// Its name.
    pub(crate) name: String,
    /// What it pays for.
    pub(crate) plan: Word<Plan>,
    /// Whether its keys work.
    pub(crate) is_active: bool,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it last changed.
    pub(crate) updated_at: Timestamp,
}

impl From<tenants::Tenant> for Info {
    fn from(tenant: tenants::Tenant) -> Self {
        Self {
            id: tenant.id.into(),
            name: tenant.name,
            plan: tenant.plan.into(),
            is_active: tenant.is_active,
            created_at: tenant.created_at.into(),
            updated_at: tenant.updated_at.into(),
        }
    }
}
