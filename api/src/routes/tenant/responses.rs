//! Response bodies of the tenant routes.

use parlance_core::tenants::{self, Plan};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::response::types::{Id, OrNull, Timestamp};

/// Usage of a tenant, and the limits of its plan.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct TenantUsage {
    /// Current usage.
    pub(crate) usage: UsageCounts,
    /// Limits of the plan.
    pub(crate) limits: PlanLimits,
    /// Usage and limit as a text: "5/10", or "5/unlimited".
    pub(crate) utilization: Utilization,
}

/// Current usage of a tenant.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Used")]
pub(crate) struct UsageCounts {
    /// Number of bots.
    pub(crate) bot_count: i64,
    /// Conversations started in this calendar month (UTC).
    pub(crate) conversation_count: i64,
    /// Messages of this calendar month (UTC), without welcome messages.
    pub(crate) message_count: i64,
    /// Number of knowledge sources, in any state.
    pub(crate) source_count: i64,
    /// Size of stored knowledge in bytes: originals and texts.
    pub(crate) storage_bytes: i64,
    /// Number of API keys that are neither revoked nor expired.
    pub(crate) api_key_count: i64,
    /// Tokens of knowledge embedded in this calendar month (UTC).
    pub(crate) embedded_token_count: i64,
}

/// Limits of a plan; `null` means unlimited.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Limits")]
pub(crate) struct PlanLimits {
    /// Maximum number of bots.
    pub(crate) max_bots: OrNull<i64>,
    /// Maximum number of conversations started per calendar month.
    pub(crate) max_conversations_per_month: OrNull<i64>,
    /// Maximum number of messages per calendar month.
    pub(crate) max_messages_per_month: OrNull<i64>,
    /// Maximum number of knowledge sources.
    pub(crate) max_sources: OrNull<i64>,
    /// Maximum size of stored knowledge in bytes.
    pub(crate) max_storage_bytes: OrNull<i64>,
    /// Maximum number of API keys.
    pub(crate) max_api_keys: OrNull<i64>,
    /// Maximum number of tokens embedded per calendar month.
    pub(crate) max_embedded_tokens_per_month: OrNull<i64>,
}

/// Usage against limits, as texts.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Utilization {
    /// Bots, such as "5/10".
    pub(crate) bots: String,
    /// Conversations of this calendar month.
    pub(crate) conversations: String,
    /// Messages of this calendar month.
    pub(crate) messages: String,
    /// Knowledge sources.
    pub(crate) sources: String,
    /// Size of stored knowledge in bytes.
    pub(crate) storage_bytes: String,
    /// API keys.
    pub(crate) api_keys: String,
    /// Embedded tokens of this calendar month.
    pub(crate) embedded_tokens: String,
}

impl From<tenants::Usage> for TenantUsage {
    fn from(usage: tenants::Usage) -> Self {
        let limits = usage.plan.limits();
        let bots = i64::from(usage.bots);
        let max_bots = limits.bots.map(i64::from);
        Self {
            utilization: Utilization {
                bots: utilization(bots, max_bots),
                conversations: utilization(usage.conversations, limits.conversations),
                messages: utilization(usage.messages, limits.messages),
                sources: utilization(usage.sources, limits.sources),
                storage_bytes: utilization(usage.storage_bytes, limits.storage_bytes),
                api_keys: utilization(usage.api_keys, limits.api_keys),
                embedded_tokens: utilization(usage.embedded_tokens, limits.embedded_tokens),
            },
            usage: UsageCounts {
                bot_count: bots,
                conversation_count: usage.conversations,
                message_count: usage.messages,
                source_count: usage.sources,
                storage_bytes: usage.storage_bytes,
                api_key_count: usage.api_keys,
                embedded_token_count: usage.embedded_tokens,
            },
            limits: PlanLimits {
                max_bots: OrNull(max_bots),
                max_conversations_per_month: OrNull(limits.conversations),
                max_messages_per_month: OrNull(limits.messages),
                max_sources: OrNull(limits.sources),
                max_storage_bytes: OrNull(limits.storage_bytes),
                max_api_keys: OrNull(limits.api_keys),
                max_embedded_tokens_per_month: OrNull(limits.embedded_tokens),
            },
        }
    }
}

fn utilization(used: i64, limit: Option<i64>) -> String {
    limit.map_or_else(|| format!("{used}/unlimited"), |limit| format!("{used}/{limit}"))
}

/// A tenant account.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Tenant")]
pub(crate) struct TenantInfo {
    /// Unique identifier of the tenant.
    pub(crate) id: Id,
    /// Name of the tenant.
    pub(crate) name: String,
    /// Plan of the tenant.
    pub(crate) plan: Word<Plan>,
    /// Whether the tenant is active; the keys of an inactive tenant are rejected.
    pub(crate) is_active: bool,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
    /// Time of the last change.
    pub(crate) updated_at: Timestamp,
}

impl From<tenants::Tenant> for TenantInfo {
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
