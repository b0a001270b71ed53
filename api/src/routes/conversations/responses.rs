//! Conversations, as the API shows them.

use parlance_core::bots::Channel;
use parlance_core::conversations::{self, Confidence, Rating, Sender, Status};
use parlance_core::ids::MessageId;
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};

/// A message and the answer to it.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Exchange {
    /// What the user said.
    pub(crate) user_message: UserMessage,
    /// What the bot said.
    pub(crate) bot_response: BotResponse,
}

/// What the user said.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UserMessage {
    /// Its id.
    pub(crate) id: Id,
    /// The text.
    pub(crate) message: String,
    /// When it was said.
    pub(crate) created_at: Timestamp,
}

/// What the bot said, and why.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct BotResponse {
    /// Its id.
    pub(crate) id: Id,
    /// The text; `[1]` marks what the source of index 1 supports.
    pub(crate) message: String,
    /// When it was said.
    pub(crate) created_at: Timestamp,
    /// What the answer rests on.
    pub(crate) sources: Vec<Citation>,
    /// Whether the knowledge had an answer: true for a tentative answer too, false for an unknown one only.
    pub(crate) answered: bool,
    /// Confidence that the knowledge answers the question: `high`, or `low` for a tentative answer. Null when the answer
    /// is unknown (`answered` is false).
    pub(crate) confidence: OrNull<Word<Confidence>>,
    /// Estimated probability that the knowledge answers the question, from 0 to 1, rounded to three digits. Given for
    /// unknown answers too.
    pub(crate) confidence_score: f64,
    /// SentenceSupport of each sentence that states something, in the order of the text; empty when no sentence does.
    pub(crate) support: Vec<SentenceSupport>,
    /// Whether a passage supports every sentence that states something; true when no sentence does.
    pub(crate) grounded: bool,
    /// Whether the model was down and the built-in answer was given.
    pub(crate) degraded: bool,
    /// Whether it broke off: the model did while it wrote.
    pub(crate) partial: bool,
    /// What wrote the answer.
    pub(crate) model: String,
    /// What the model read and wrote.
    pub(crate) usage: TokenUsage,
    /// How long it took, in milliseconds.
    pub(crate) timings_ms: Timings,
}

/// SentenceSupport of a sentence of an answer by a passage.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct SentenceSupport {
    /// Start of the sentence in the message, in characters (Unicode code points).
    pub(crate) start: u64,
    /// End of the sentence, exclusive, in characters; its citation markers are included.
    pub(crate) end: u64,
    /// The `index` of the source that supports the sentence; null when none does.
    pub(crate) citation: OrNull<u64>,
    /// Strength of the support by the best passage, from 0 (none) to 1 (verbatim), rounded to three digits.
    pub(crate) score: f64,
}

/// What a part of an answer rests on.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Citation {
    /// The number of its marker.
    pub(crate) index: u64,
    /// The knowledge source.
    pub(crate) source_id: Id,
    /// Its name.
    pub(crate) source_name: String,
    /// The chunk.
    pub(crate) chunk_id: Id,
    /// The chunk's place in the source, from 0.
    pub(crate) chunk_index: i32,
    /// The page, when the source has pages.
    pub(crate) page: OrNull<i32>,
    /// The headings above it.
    pub(crate) heading: OrNull<String>,
    /// Where the snippet begins in the source's content, in characters.
    pub(crate) start: i32,
    /// Where it ends, excluded.
    pub(crate) end: i32,
    /// How near it is to the question; at most 1.
    pub(crate) score: f64,
    /// The text.
    pub(crate) snippet: String,
    /// The source's address, when it has one.
    pub(crate) url: OrNull<String>,
}

/// What the model read and wrote, in tokens; null when it does not say.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Usage")]
pub(crate) struct TokenUsage {
    /// Tokens read.
    pub(crate) input_tokens: OrNull<i32>,
    /// Tokens written.
    pub(crate) output_tokens: OrNull<i32>,
}

/// How long the parts of an answer took, in milliseconds.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Timings {
    /// Embedding the question.
    pub(crate) embed: f64,
    /// Searching the knowledge.
    pub(crate) search: f64,
    /// Reranking what was found, where a model is configured for it.
    pub(crate) rerank: f64,
    /// From the call of the model to its first token.
    pub(crate) first_token: f64,
    /// All of it.
    pub(crate) total: f64,
}

/// A conversation with its messages.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct ConversationDetails {
    /// The conversation.
    pub(crate) session: Conversation,
    /// What was said, oldest first.
    pub(crate) messages: Vec<Message>,
}

/// A conversation.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Conversation {
    /// Its id.
    pub(crate) id: Id,
    /// Your name for it.
    pub(crate) session_id: String,
    /// The bot.
    pub(crate) bot_id: Id,
    /// That bot's name.
    pub(crate) bot_name: String,
    /// Who the user is, in your terms.
    pub(crate) user_identifier: OrNull<String>,
    /// The user's name.
    pub(crate) user_name: OrNull<String>,
    /// The user's e-mail address.
    pub(crate) user_email: OrNull<String>,
    /// Where it takes place.
    pub(crate) channel: Word<Channel>,
    /// Where it stands.
    pub(crate) status: Word<Status>,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When it was ended.
    pub(crate) ended_at: OrNull<Timestamp>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

/// A message of a conversation.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Message {
    /// Its id.
    pub(crate) id: Id,
    /// Who said it.
    pub(crate) sender: Word<Sender>,
    /// The text.
    pub(crate) message: String,
    /// What it is.
    pub(crate) message_type: String,
    /// When it was said.
    pub(crate) created_at: Timestamp,
    /// Of an answer: whether the knowledge had one.
    pub(crate) answered: OrNull<bool>,
    /// Confidence of an answer: `high`, or `low` for a tentative one. Null for an unknown answer, for a message that is no
    /// answer, and for an answer of a version without confidence.
    pub(crate) confidence: OrNull<Word<Confidence>>,
    /// Of an answer: whether it broke off: the model did while it wrote, or whoever asked was gone.
    pub(crate) partial: bool,
    /// Of an answer: what it rests on.
    pub(crate) sources: Vec<Citation>,
    /// Of an answer: what the customer thinks of it.
    pub(crate) rating: OrNull<Word<Rating>>,
    /// The same in the customer's words.
    pub(crate) comment: OrNull<String>,
}

/// A conversation that has just been changed.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UpdatedConversation {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) conversation: Conversation,
    /// What was done.
    pub(crate) message: String,
}

/// What a customer thinks of an answer.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Feedback {
    /// The answer.
    pub(crate) message_id: Id,
    /// Whether it helped.
    pub(crate) rating: OrNull<Word<Rating>>,
    /// In the customer's words.
    pub(crate) comment: OrNull<String>,
}

impl UpdatedConversation {
    pub(super) fn of(conversation: conversations::Conversation) -> Self {
        Self { conversation: conversation.into(), message: "Conversation updated successfully".to_owned() }
    }
}

impl Feedback {
    pub(super) fn of(message: MessageId, feedback: conversations::Feedback) -> Self {
        Self {
            message_id: message.into(),
            rating: OrNull::of(feedback.rating),
            comment: OrNull(feedback.comment),
        }
    }
}

impl From<conversations::Exchange> for Exchange {
    fn from(exchange: conversations::Exchange) -> Self {
        let conversations::Exchange { user_message, bot_response, answer } = exchange;
        Self {
            user_message: user_message.into(),
            bot_response: BotResponse {
                id: bot_response.id.into(),
                message: bot_response.message,
                created_at: bot_response.created_at.into(),
                sources: answer.sources.into_iter().map(Into::into).collect(),
                answered: answer.answered,
                confidence: OrNull::of(answer.confidence),
                confidence_score: score(answer.confidence_score),
                support: answer.support.into_iter().map(Into::into).collect(),
                grounded: answer.grounded,
                degraded: answer.degraded,
                partial: answer.is_partial,
                model: answer.model,
                usage: TokenUsage {
                    input_tokens: OrNull(answer.input_tokens),
                    output_tokens: OrNull(answer.output_tokens),
                },
                timings_ms: answer.timings.into(),
            },
        }
    }
}

impl From<conversations::Message> for UserMessage {
    fn from(message: conversations::Message) -> Self {
        Self { id: message.id.into(), message: message.message, created_at: message.created_at.into() }
    }
}

impl From<conversations::Citation> for Citation {
    fn from(citation: conversations::Citation) -> Self {
        Self {
            index: citation.index as u64,
            source_id: citation.source_id.into(),
            source_name: citation.source_name,
            chunk_id: citation.chunk_id.into(),
            chunk_index: citation.chunk_index,
            page: OrNull(citation.page),
            heading: OrNull(citation.heading),
            start: citation.start,
            end: citation.end,
            score: rounded(f64::from(citation.score), 4),
            snippet: citation.snippet,
            url: OrNull(citation.url),
        }
    }
}

impl From<conversations::Support> for SentenceSupport {
    fn from(support: conversations::Support) -> Self {
        Self {
            start: support.start as u64,
            end: support.end as u64,
            citation: OrNull(support.citation.map(|index| index as u64)),
            score: score(support.score),
        }
    }
}

impl From<conversations::Timings> for Timings {
    fn from(timings: conversations::Timings) -> Self {
        Self {
            embed: rounded(timings.embed, 3),
            search: rounded(timings.search, 3),
            rerank: rounded(timings.rerank, 3),
            first_token: rounded(timings.first_token, 3),
            total: rounded(timings.total, 3),
        }
    }
}

/// A score from 0 to 1, rounded to three digits.
pub(crate) fn score(score: f32) -> f64 {
    rounded(f64::from(score), 3)
}

/// Without the digits that mean nothing.
fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}

impl From<(conversations::Conversation, Vec<conversations::Message>)> for ConversationDetails {
    fn from((session, messages): (conversations::Conversation, Vec<conversations::Message>)) -> Self {
        Self { session: session.into(), messages: messages.into_iter().map(Into::into).collect() }
    }
}

impl From<conversations::Conversation> for Conversation {
    fn from(conversation: conversations::Conversation) -> Self {
        Self {
            id: conversation.id.into(),
            session_id: conversation.session_id,
            bot_id: conversation.bot_id.into(),
            bot_name: conversation.bot_name,
            user_identifier: OrNull(conversation.user_identifier),
            user_name: OrNull(conversation.user_name),
            user_email: OrNull(conversation.user_email),
            channel: conversation.channel.into(),
            status: conversation.status.into(),
            started_at: conversation.started_at.into(),
            ended_at: OrNull::of(conversation.ended_at),
            created_at: conversation.created_at.into(),
        }
    }
}

impl From<conversations::Message> for Message {
    fn from(message: conversations::Message) -> Self {
        Self {
            id: message.id.into(),
            sender: message.sender.into(),
            message: message.message,
            message_type: message.message_type,
            created_at: message.created_at.into(),
            answered: OrNull(message.answered),
            confidence: OrNull::of(message.confidence),
            partial: message.is_partial,
            sources: message.sources.into_iter().map(Into::into).collect(),
            rating: OrNull::of(message.rating),
            comment: OrNull(message.comment),
        }
    }
}
