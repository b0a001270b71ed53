//! Messages and their ratings.

use chrono::{DateTime, Utc};

use super::{Answer, Citation, Confidence};
use crate::ids::MessageId;
use crate::stored_enum;

stored_enum! {
    /// Customer's rating of an answer.
    pub enum Rating {
        /// Helpful.
        Up = "up",
        /// Not helpful.
        Down = "down",
    }
}

stored_enum! {
    /// Author of a message.
    pub enum Sender {
        /// The customer.
        User = "user",
        /// The bot.
        Bot = "bot",
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
