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
            },
            usage: UsageCounts {
                bot_count: bots,
                conversation_count: usage.conversations,
                message_count: usage.messages,
            },
            limits: PlanLimits {
                max_bots: OrNull(max_bots),
                max_conversations_per_month: OrNull(limits.conversations),
                max_messages_per_month: OrNull(limits.messages),
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
