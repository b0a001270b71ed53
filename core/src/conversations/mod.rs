//! Conversations: what customers ask and bots answer.
//!
//! Owns the tables `conversation`, `message` and `knowledge_gap`. [`mod@answer`] makes an answer;
//! [`mod@extractive`] and [`mod@prompt`] are pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::bots::Channel;
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{BotId, ChunkId, ConversationId, MessageId, SourceId, TenantId};

pub mod answer;
pub mod extractive;
mod incoming;
mod passages;
pub mod prompt;
mod send;
mod store;

pub use incoming::{NewMessage, RawMessage};
pub use send::send;

/// The longest message, in characters.
pub const MESSAGE_LENGTH: usize = 8_000;
const SESSION_LENGTH: usize = 255;

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Status {
    /// It goes on.
    Active,
    /// It was ended.
    Ended,
    /// Nobody wrote for a long time.
    Abandoned,
}

impl Status {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Ended => "ended",
            Status::Abandoned => "abandoned",
        }
    }
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Sender {
    /// The customer.
    User,
    /// The bot.
    Bot,
}

impl Sender {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Sender::User => "user",
            Sender::Bot => "bot",
        }
    }
}

/// A client's name for a conversation: 1 to 255 characters of `[A-Za-z0-9._:@-]`, unique in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionId(String);

impl SessionId {
    /// Checks a client's name for a conversation.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is allowed.
    pub fn parse(raw: &str) -> Result<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
        if (1..=SESSION_LENGTH).contains(&raw.len()) && raw.chars().all(allowed) {
            return Ok(Self(raw.to_owned()));
        }
        Err(Error::invalid(
            "session_id",
            "The 'session_id' must be 1 to 255 characters of letters, digits and . _ : @ -",
        ))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// The client's name for it.
    pub session_id: String,
    /// The bot.
    pub bot_id: BotId,
    /// That bot's name.
    pub bot_name: String,
    /// Who the customer is, in the tenant's terms.
    pub user_identifier: Option<String>,
    /// The customer's name.
    pub user_name: Option<String>,
    /// The customer's address.
    pub user_email: Option<String>,
    /// Where it takes place.
    pub channel: Channel,
    /// Where it stands.
    pub status: Status,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When its row was made.
    pub created_at: DateTime<Utc>,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Who wrote it.
    pub sender: Sender,
    /// What it says.
    pub message: String,
    /// What it is; `text` today.
    pub message_type: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// What a part of an answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// The number of its marker: `[1]` is 1.
    pub index: usize,
    /// The source.
    pub source_id: SourceId,
    /// That source's name.
    pub source_name: String,
    /// The chunk.
    pub chunk_id: ChunkId,
    /// The chunk's place in the source, from 0.
    pub chunk_index: i32,
    /// Its page, when the source has pages.
    pub page: Option<i32>,
    /// The headings above it, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// Where the cited text begins in the source's text, in characters.
    pub start: i32,
    /// Where it ends, excluded.
    pub end: i32,
    /// How near it is to the question: a cosine, at most 1.
    pub score: f32,
    /// The cited text.
    pub snippet: String,
    /// The source's address, when it has one.
    pub url: Option<String>,
}

/// How long the parts of an answer took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// Embedding the question.
    pub embed: f64,
    /// Searching.
    pub search: f64,
    /// From the call of the model to its first token; the built-in answers have it all at once.
    pub first_token: f64,
    /// All of it.
    pub total: f64,
}

/// An answer, before it is a message.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it says, with markers.
    pub text: String,
    /// What it rests on.
    pub sources: Vec<Citation>,
    /// Whether the knowledge had an answer.
    pub answered: bool,
    /// Whether the model was down and the built-in answer was given.
    pub degraded: bool,
    /// What wrote it.
    pub model: String,
    /// Tokens the model read, when it says so.
    pub input_tokens: Option<i32>,
    /// Tokens the model wrote, when it says so.
    pub output_tokens: Option<i32>,
    /// How long it took.
    pub timings: Timings,
}

/// What one message to a conversation led to.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The customer's message.
    pub user_message: Message,
    /// The bot's.
    pub bot_response: Message,
    /// How that came about.
    pub answer: Answer,
}

/// A conversation with its messages, oldest first.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn get(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
) -> Result<(Conversation, Vec<Message>)> {
    let found = store::find(ctx.db(), tenant, session).await?.ok_or(Error::NotFound(Thing::Conversation))?;
    let messages = store::list_messages(ctx.db(), tenant, found.id).await?;
    Ok((found, messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_holds_what_the_contract_allows() {
        for good in ["a", "session-123", "user@example.com", "web:7.x_y", &"x".repeat(255)] {
            assert_eq!(SessionId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "ü", "a/b", "a\n", &"x".repeat(256)] {
            assert!(SessionId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
