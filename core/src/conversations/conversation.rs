//! Conversations and their session ids.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::bots::Channel;
use crate::conversation_status::ConversationStatus as Status;
use crate::field::Invalid;
use crate::ids::{BotId, ConversationId};

const SESSION_LENGTH: usize = 255;

/// Client-chosen name of a conversation: 1 to 255 characters of `[A-Za-z0-9._:@-]`, unique per tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionId(String);

impl FromStr for SessionId {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
        if (1..=SESSION_LENGTH).contains(&raw.len()) && raw.chars().all(allowed) {
            return Ok(Self(raw.to_owned()));
        }
        Err(Invalid::new("must be 1 to 255 characters of letters, digits and . _ : @ -"))
    }
}

impl SessionId {
    /// Generates a unique session id.
    #[must_use]
    pub fn fresh() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// Returns the session id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Conversation id.
    pub id: ConversationId,
    /// Session id chosen by the client.
    pub session_id: String,
    /// Bot id.
    pub bot_id: BotId,
    /// Bot name.
    pub bot_name: String,
    /// Tenant's own identifier of the customer.
    pub user_identifier: Option<String>,
    /// Customer's name.
    pub user_name: Option<String>,
    /// Customer's e-mail address.
    pub user_email: Option<String>,
    /// Channel of the conversation.
    pub channel: Channel,
    /// Status.
    pub status: Status,
    /// Start time.
    pub started_at: DateTime<Utc>,
    /// End time.
    pub ended_at: Option<DateTime<Utc>>,
    /// Creation time of the row.
    pub created_at: DateTime<Utc>,
}

/// Filter of a conversation list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Bot.
    pub bot: Option<BotId>,
    /// Status.
    pub status: Option<Status>,
    /// Channel.
    pub channel: Option<Channel>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_accept_only_the_documented_characters() {
        for good in ["a", "session-123", "user@example.com", "web:7.x_y", &"x".repeat(255)] {
            assert_eq!(good.parse::<SessionId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "ü", "a/b", "a\n", &"x".repeat(256)] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad:?}");
        }
    }
}
