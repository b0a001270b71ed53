//! Conversations: what customers ask and bots answer.
//!
//! Owns the tables `conversation`, `message`, `answer_trace` and `knowledge_gap`. `answer` makes an answer, `turns` keeps their order;
//! [`mod@extractive`], [`mod@followup`] and [`mod@prompt`] are pure.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::bots::Channel;
use crate::field::Invalid;
use crate::ids::{BotId, ChunkId, ConversationId, MessageId, SourceId};
use crate::stored_enum;

mod answer;
pub mod attribution;
pub mod confidence;
mod converse;
pub mod courtesy;
pub mod draft;
pub mod extractive;
pub mod facts;
pub mod followup;
mod gaps;
mod generated;
mod incoming;
mod lookup;
mod manage;
pub mod markers;
mod metrics;
mod passages;
pub mod prompt;
mod send;
mod sentences;
mod store;
mod telling;
mod trace;
mod turns;
mod wording;
mod writing;

pub use crate::enums::ConversationStatus as Status;
pub use answer::preview;
pub use converse::{Talk, converse};
pub use gaps::{Gap, GapFilter};
pub use incoming::{
    Comment, ConversationChanges, Feedback, MessageText, Metadata, NewMessage, Opening, UserText,
};
pub(crate) use manage::purge;
pub use manage::{
    abandon_idle, check_answer, erase, get, get_session, give_feedback, list, list_gaps, open, update,
};
pub use send::send;
pub use sentences::SentenceVectors;
pub use telling::{Teller, Told};
pub use trace::{Considered, Trace, TracedAnswer, trace};
pub use writing::{Checked, Writing};

const SESSION_LENGTH: usize = 255;

stored_enum! {
    /// What a customer thinks of an answer.
    pub enum Rating {
        /// It helped.
        Up = "up",
        /// It did not.
        Down = "down",
    }
}

stored_enum! {
    /// Who wrote a message.
    pub enum Sender {
        /// The customer.
        User = "user",
        /// The bot.
        Bot = "bot",
    }
}

/// A client's name for a conversation: 1 to 255 characters of `[A-Za-z0-9._:@-]`, unique in a tenant.
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
    /// A name that nobody has.
    #[must_use]
    pub fn fresh() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
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
    /// Of an answer: whether the knowledge had one.
    pub answered: Option<bool>,
    /// Of an answer that is not unknown: how sure the bot is.
    pub confidence: Option<Confidence>,
    /// Of an answer: whether it broke off.
    pub is_partial: bool,
    /// Of an answer: what it rests on.
    pub sources: Vec<Citation>,
    /// Of an answer: what the customer thinks of it.
    pub rating: Option<Rating>,
    /// The same in the customer's words.
    pub comment: Option<String>,
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

stored_enum! {
    /// How sure a bot is of an answer that it gives.
    pub enum Confidence {
        /// The knowledge answers the question.
        High = "high",
        /// The knowledge may answer it: the answer says that it is tentative.
        Low = "low",
    }
}

/// Support of one sentence of an answer by a passage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// Start of the sentence in the answer, in characters.
    pub start: usize,
    /// Its end, exclusive; the sentence's markers are included.
    pub end: usize,
    /// The `index` of the citation that supports it; `None` when no passage does.
    pub citation: Option<usize>,
    /// How well the best passage supports it, from 0 to 1.
    pub score: f32,
}

/// How long the parts of an answer took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// Embedding the question.
    pub embed: f64,
    /// Searching.
    pub search: f64,
    /// Reranking what was found.
    #[serde(default)]
    pub rerank: f64,
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
    /// The passages from which it was made, by the numbers of their markers.
    pub passages: Vec<ChunkId>,
    /// Whether the knowledge had an answer: false for an unknown answer only.
    pub answered: bool,
    /// How sure the bot is; `None` when it does not know.
    pub confidence: Option<Confidence>,
    /// Probability that the knowledge answers the question, from 0 to 1.
    pub confidence_score: f32,
    /// Support of each sentence that states something, in the order of the text.
    pub support: Vec<Support>,
    /// Whether a passage supports every sentence that states something.
    pub grounded: bool,
    /// Whether the model was down and the built-in answer was given.
    pub degraded: bool,
    /// Whether it broke off: the model did, or whoever asked was gone.
    pub is_partial: bool,
    /// What wrote it.
    pub model: String,
    /// Tokens the model read, when it says so.
    pub input_tokens: Option<i32>,
    /// Tokens the model wrote, when it says so.
    pub output_tokens: Option<i32>,
    /// How long it took.
    pub timings: Timings,
}

/// Which conversations of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Those with a bot.
    pub bot: Option<BotId>,
    /// Those that stand there.
    pub status: Option<Status>,
    /// Those that take place there.
    pub channel: Option<Channel>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_holds_what_the_contract_allows() {
        for good in ["a", "session-123", "user@example.com", "web:7.x_y", &"x".repeat(255)] {
            assert_eq!(good.parse::<SessionId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "ü", "a/b", "a\n", &"x".repeat(256)] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad:?}");
        }
    }
}
