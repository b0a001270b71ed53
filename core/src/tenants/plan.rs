//! Plans and their limits.

use crate::stored_enum;

const MIB: i64 = 1024 * 1024;
const GIB: i64 = 1024 * MIB;

stored_enum! {
    /// Subscription plan of a tenant, cheapest first.
    pub enum Plan {
        /// For trials.
        Free = "free",
        /// For small sites.
        Starter = "starter",
        /// For businesses.
        Professional = "professional",
        /// Unlimited.
        Enterprise = "enterprise",
    }
}

/// A plan's limits; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of bots.
    pub bots: Option<i32>,
    /// Conversations started in a calendar month, UTC.
    pub conversations: Option<i64>,
    /// Messages stored in a calendar month, UTC; welcome messages excepted.
    pub messages: Option<i64>,
    /// Maximum number of knowledge sources, in any state.
    pub sources: Option<i64>,
    /// Maximum size of stored knowledge in bytes: originals and texts.
    pub storage_bytes: Option<i64>,
    /// Maximum number of API keys that are neither revoked nor expired.
    pub api_keys: Option<i64>,
    /// Tokens embedded in a calendar month, UTC.
    pub embedded_tokens: Option<i64>,
}

impl Plan {
    /// Limits of the plan. Bots, conversations and messages of `professional` are the API reference's example. The
    /// others allow each bot about fifty sources of two megabytes, each embedded about five times a month.
    #[must_use]
    pub const fn limits(self) -> Limits {
        match self {
            Plan::Free => Limits {
                bots: Some(1),
                conversations: Some(100),
                messages: Some(1_000),
                sources: Some(50),
                storage_bytes: Some(100 * MIB),
                api_keys: Some(5),
                embedded_tokens: Some(2_000_000),
            },
            Plan::Starter => Limits {
                bots: Some(3),
                conversations: Some(1_000),
                messages: Some(10_000),
                sources: Some(500),
                storage_bytes: Some(GIB),
                api_keys: Some(20),
                embedded_tokens: Some(20_000_000),
            },
            Plan::Professional => Limits {
                bots: Some(10),
                conversations: Some(5_000),
                messages: Some(50_000),
                sources: Some(10_000),
                storage_bytes: Some(20 * GIB),
                api_keys: Some(100),
                embedded_tokens: Some(200_000_000),
            },
            Plan::Enterprise => Limits {
                bots: None,
                conversations: None,
                messages: None,
                sources: None,
                storage_bytes: None,
                api_keys: None,
                embedded_tokens: None,
            },
        }
    }
}
