//! Conversations: what customers ask and bots answer.
//!
//! Owns the tables `conversation`, `message` and `knowledge_gap`. [`mod@answer`] makes an answer;
//! [`mod@extractive`] and [`mod@prompt`] are pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;

use crate::bots::{self, Bot, Channel};
use crate::context::Context;
use crate::error::{Error, Forbidden, Problem, Result, Thing};
use crate::ids::{BotId, ChunkId, ConversationId, MessageId, SourceId, TenantId};
use crate::input::{Collect, optional, optional_text};
use crate::tenants;

pub mod answer;
pub mod extractive;
mod passages;
pub mod prompt;
mod store;

/// The longest message, in characters.
pub const MESSAGE_LENGTH: usize = 8_000;
const SESSION_LENGTH: usize = 255;
const METADATA_BYTES: usize = 4 * 1024;

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

/// A message to send, with everything checked.
#[derive(Clone, Debug)]
pub struct NewMessage {
    text: String,
    opening: Opening,
}

/// What the first message of a conversation says about it.
#[derive(Clone, Debug, Default)]
struct Opening {
    bot: Option<BotId>,
    user_identifier: Option<String>,
    user_name: Option<String>,
    user_email: Option<String>,
    channel: Option<Channel>,
    metadata: Option<serde_json::Value>,
}

/// A message to send, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct RawMessage {
    /// 1 to 8,000 characters, not blank.
    pub message: Option<String>,
    /// The bot to open the conversation on; the default bot when absent.
    pub bot_id: Option<String>,
    /// Up to 255 characters.
    pub user_identifier: Option<String>,
    /// Up to 255 characters.
    pub user_name: Option<String>,
    /// Up to 255 characters.
    pub user_email: Option<String>,
    /// A [`Channel`]; the bot's when absent.
    pub channel: Option<String>,
    /// An object, up to 4 KiB.
    pub metadata: Option<serde_json::Value>,
}

impl NewMessage {
    /// Checks every field. A `bot_id` that is no id is a bot that does not exist, and is told when the
    /// conversation would be opened.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, in the order of the fields.
    pub fn parse(raw: RawMessage) -> Result<Self> {
        let mut problems = Vec::new();
        let text = problems.take(message_text(raw.message));
        let bot = problems.take(bot_id(raw.bot_id.as_deref()));
        let user_identifier = problems.take(optional_text("user_identifier", raw.user_identifier, 255));
        let user_name = problems.take(optional_text("user_name", raw.user_name, 255));
        let user_email = problems.take(optional_text("user_email", raw.user_email, 255));
        let channel = problems.take(channel(raw.channel));
        let metadata = problems.take(metadata(raw.metadata));
        match text {
            Some(text) if problems.is_empty() => Ok(Self {
                text,
                opening: Opening {
                    bot: bot.flatten(),
                    user_identifier: user_identifier.flatten(),
                    user_name: user_name.flatten(),
                    user_email: user_email.flatten(),
                    channel: channel.flatten(),
                    metadata: metadata.flatten(),
                },
            }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

fn message_text(raw: Option<String>) -> Result<String> {
    let text = raw.ok_or_else(|| Error::Invalid(vec![Problem::missing("message")]))?;
    if text.trim().is_empty() {
        return Err(Error::invalid("message", "The 'message' field must not be blank"));
    }
    optional_text("message", Some(text), MESSAGE_LENGTH)?
        .ok_or_else(|| Error::Invalid(vec![Problem::missing("message")]))
}

fn bot_id(raw: Option<&str>) -> Result<Option<BotId>> {
    raw.map(|raw| raw.parse().map_err(|_| Error::invalid("bot_id", "The 'bot_id' field must be a bot's id")))
        .transpose()
}

fn channel(raw: Option<String>) -> Result<Option<Channel>> {
    optional(raw).map_err(|error| match error {
        // The word is the bot's `channel_type`; this field has another name.
        Error::Invalid(problems) => Error::Invalid(
            problems.into_iter().map(|problem| problem.renamed("channel_type", "channel")).collect(),
        ),
        other => other,
    })
}

fn metadata(raw: Option<serde_json::Value>) -> Result<Option<serde_json::Value>> {
    let Some(value) = raw.filter(|value| !value.is_null()) else { return Ok(None) };
    if !value.is_object() || value.to_string().len() > METADATA_BYTES {
        return Err(Error::invalid("metadata", "The 'metadata' field must be an object of at most 4 KiB"));
    }
    Ok(Some(value))
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

/// Sends a message and gives the bot's answer. An unknown session is opened by it.
///
/// # Errors
/// [`Error::NotFound`] without a bot to open it on, [`Error::Forbidden`] when that bot is inactive,
/// [`Error::Conflict`] when the conversation has ended, [`Error::LimitReached`].
pub async fn send(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: NewMessage,
) -> Result<Exchange> {
    let mut tx = ctx.db().begin().await?;
    let (conversation, bot) = open(ctx, &mut tx, tenant, session, &message.opening).await?;
    // The question and its answer, so that an answer is never refused half-way.
    tenants::count_messages(&mut tx, tenant, 2).await?;
    let user_message = store::insert_user_message(&mut *tx, tenant, conversation, &message.text).await?;
    tx.commit().await?;

    let history =
        store::list_recent(ctx.db(), tenant, conversation, user_message.id, prompt::HISTORY).await?;
    let answer = answer::answer(ctx, tenant, &bot, &history, &message.text).await?;

    let mut tx = ctx.db().begin().await?;
    let bot_response = store::insert_bot_message(&mut *tx, tenant, conversation, &answer).await?;
    if !answer.answered {
        store::insert_gap(&mut *tx, tenant, bot.id, bot_response.id, &message.text).await?;
    }
    tx.commit().await?;
    Ok(Exchange { user_message, bot_response, answer })
}

/// The conversation of a session and its bot; makes it when there is none.
async fn open(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    session: &SessionId,
    opening: &Opening,
) -> Result<(ConversationId, Bot)> {
    if let Some(found) = store::find(&mut **tx, tenant, session).await? {
        return resume(ctx, tenant, found).await;
    }
    let bot = match opening.bot {
        Some(bot) => bots::get(ctx, tenant, bot).await?,
        None => bots::get_default(ctx, tenant).await?,
    };
    let bot = active(bot)?;
    let channel = opening.channel.unwrap_or(bot.channel_type);
    match store::insert(&mut **tx, tenant, &bot, session, channel, opening).await? {
        Some(conversation) => {
            tenants::count_conversation(tx, tenant).await?;
            if let Some(welcome) = &bot.welcome_message {
                store::insert_welcome(&mut **tx, tenant, conversation, welcome).await?;
            }
            Ok((conversation, bot))
        }
        None => {
            // Another first message of this session was faster.
            let found = store::find(&mut **tx, tenant, session).await?;
            resume(ctx, tenant, found.ok_or(Error::NotFound(Thing::Conversation))?).await
        }
    }
}

async fn resume(ctx: &Context, tenant: TenantId, found: Conversation) -> Result<(ConversationId, Bot)> {
    if found.status == Status::Ended {
        return Err(Error::Conflict {
            code: "conversation_ended",
            message: "The conversation has ended; use another session_id to begin a new one".to_owned(),
        });
    }
    Ok((found.id, active(bots::get(ctx, tenant, found.bot_id).await?)?))
}

fn active(bot: Bot) -> Result<Bot> {
    if bot.is_active { Ok(bot) } else { Err(Error::Forbidden(Forbidden::InactiveBot)) }
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

    #[test]
    fn everything_wrong_with_a_message_is_told_at_once() {
        let raw = RawMessage {
            message: Some("  ".into()),
            bot_id: Some("nonsense".into()),
            channel: Some("fax".into()),
            metadata: Some(serde_json::json!([])),
            ..RawMessage::default()
        };
        let Err(Error::Invalid(problems)) = NewMessage::parse(raw) else { panic!() };
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["message", "bot_id", "channel", "metadata"]);
    }
}
