//! Messages and their ratings.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::{Answer, Citation, Confidence};
use crate::error::{Error, Result};
use crate::ids::MessageId;

/// Maximum length of a message, in characters.
pub const MESSAGE_LENGTH: usize = 8_000;

/// Customer's rating of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Rating {
    /// Helpful.
    Up,
    /// Not helpful.
    Down,
}

impl Rating {
    /// All ratings.
    pub const ALL: [Rating; 2] = [Rating::Up, Rating::Down];

    /// Wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Rating::Up => "up",
            Rating::Down => "down",
        }
    }
}

impl FromStr for Rating {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        Rating::ALL.into_iter().find(|rating| rating.as_str() == raw).ok_or_else(|| {
            let known = Rating::ALL.map(Rating::as_str).join(", ");
            Error::invalid("rating", format!("The 'rating' field must be one of: {known}"))
        })
    }
}

/// Author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Sender {
    /// The customer.
    User,
    /// The bot.
    Bot,
}

impl Sender {
    /// Wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Sender::User => "user",
            Sender::Bot => "bot",
        }
    }
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Message id.
    pub id: MessageId,
    /// Author.
    pub sender: Sender,
    /// Text.
    pub message: String,
    /// Message type; always `text` today.
    pub message_type: String,
    /// Answers only: whether the knowledge base had an answer.
    pub answered: Option<bool>,
    /// Answers only: confidence; `None` for "unknown" answers.
    pub confidence: Option<Confidence>,
    /// Answers only: whether generation stopped early.
    pub is_partial: bool,
    /// Answers only: citations.
    pub sources: Vec<Citation>,
    /// Answers only: the customer's rating.
    pub rating: Option<Rating>,
    /// Answers only: the customer's comment.
    pub comment: Option<String>,
    /// Creation time.
    pub created_at: DateTime<Utc>,
}

/// Customer message with the bot's response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Stored customer message.
    pub user_message: Message,
    /// Stored bot response.
    pub bot_response: Message,
    /// Answer behind the response.
    pub answer: Answer,
}
