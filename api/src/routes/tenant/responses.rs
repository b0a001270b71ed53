//! Response bodies of the tenant routes.

use parlance_core::tenants::{self, Plan};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};

/// What a tenant has used, and what it may.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct TenantUsage {
    /// What it has used.
    pub(crate) usage: UsageCounts,
    /// What it may use.
    pub(crate) limits: PlanLimits,
    /// Both together, as "5/10", or "5/unlimited".
    pub(crate) utilization: Utilization,
}

/// What a tenant has used.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Used")]
pub(crate) struct UsageCounts {
    /// Bots that exist now.
    pub(crate) bot_count: i64,
    /// Conversations that began in this calendar month, UTC.
    pub(crate) conversation_count: i64,
    /// Messages of this calendar month, UTC; welcome messages do not count.
    pub(crate) message_count: i64,
}

/// What a tenant may use; `null` is unlimited.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Limits")]
pub(crate) struct PlanLimits {
    /// Bots at once.
    pub(crate) max_bots: OrNull<i64>,
    /// Conversations that begin in a calendar month.
    pub(crate) max_conversations_per_month: OrNull<i64>,
    /// Messages in a calendar month.
    pub(crate) max_messages_per_month: OrNull<i64>,
}

/// What a tenant has used of what it may.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Utilization {
    /// Bots.
    pub(crate) bots: String,
    /// Conversations.
    pub(crate) conversations: String,
    /// Messages.
    pub(crate) messages: String,
}

impl From<tenants::Usage> for TenantUsage {
    fn from(usage: tenants::Usage) -> Self {
        let limits = usage.plan.limits();
        let bots = i64::from(usage.bots);
        let max_bots = limits.bots.map(i64::from);
        Self {
            utilization: Utilization {
                bots: of(bots, max_bots),
                conversations: of(usage.conversations, limits.conversations),
                messages: of(usage.messages, limits.messages),
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

fn of(used: i64, limit: Option<i64>) -> String {
    limit.map_or_else(|| format!("{used}/unlimited"), |limit| format!("{used}/{limit}"))
}

/// A tenant.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Tenant")]
pub(crate) struct TenantInfo {
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
