//! The account and its keys.

use parlance_core::tenants::Plan;
use parlance_core::tenants::keys::Scope;
use poem_openapi::types::Example;

use super::{KEY, TENANT, given, moment};
use crate::extract::fields::Field;
use crate::extract::types::{Id, Moment, OrNull};
use crate::routes::api_keys::requests::{CreateApiKey, RotateApiKey};
use crate::routes::api_keys::responses::{ApiKey, CreatedApiKey};
use crate::routes::tenant::responses::{self as tenant, Info};

impl Example for Info {
    fn example() -> Self {
        Self {
            id: Id::from(TENANT),
            name: "Your Company".into(),
            plan: Plan::Professional.into(),
            is_active: true,
            created_at: moment(0),
            updated_at: moment(0),
        }
    }
}

impl Example for tenant::Usage {
    fn example() -> Self {
        Self {
            usage: tenant::Used { bot_count: 5, conversation_count: 1250, message_count: 8500 },
            limits: tenant::Limits {
                max_bots: OrNull(Some(10)),
                max_conversations_per_month: OrNull(Some(5000)),
                max_messages_per_month: OrNull(Some(50_000)),
            },
            utilization: tenant::Utilization {
                bots: "5/10".into(),
                conversations: "1250/5000".into(),
                messages: "8500/50000".into(),
            },
        }
    }
}

impl Example for ApiKey {
    fn example() -> Self {
        Self {
            id: Id::from(KEY),
            name: "Web site".into(),
            prefix: "tk_4fQ9sL2x".into(),
            scopes: vec![Scope::Chat.into()],
            expires_at: OrNull(None),
            last_used_at: OrNull(None),
            created_at: moment(0),
        }
    }
}

impl Example for CreatedApiKey {
    fn example() -> Self {
        Self {
            api_key: ApiKey::example(),
            key: "tk_…".into(),
            message: "API key created successfully".into(),
        }
    }
}

impl Example for CreateApiKey {
    fn example() -> Self {
        Self {
            name: given("Web site"),
            scopes: Field::Given(vec![Scope::Chat.into()]),
            expires_at: Field::Given(Moment::from("2036-01-15T10:05:00Z")),
        }
    }
}

impl Example for RotateApiKey {
    fn example() -> Self {
        Self { grace_period_seconds: Field::Given(3600) }
    }
}
