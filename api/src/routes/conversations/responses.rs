//! Response bodies of the conversation routes.

use parlance_core::bots::Channel;
use parlance_core::conversations::{self, Confidence, Rating, Sender, Status};
use parlance_core::ids::MessageId;
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};

/// A message and its answer.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Exchange {
    /// The user's message.
    pub(crate) user_message: UserMessage,
    /// The bot's answer.
    pub(crate) bot_response: BotResponse,
}

/// A message of a user.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UserMessage {
    /// Unique identifier.
    pub(crate) id: Id,
    /// Text.
    pub(crate) message: String,
    /// Time of the message.
    pub(crate) created_at: Timestamp,
}

/// An answer of a bot, with its sources.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct BotResponse {
    /// Unique identifier.
    pub(crate) id: Id,
    /// Text; the marker `[1]` cites the source with index 1.
    pub(crate) message: String,
    /// Time of the message.
    pub(crate) created_at: Timestamp,
    /// Sources that the answer cites.
    pub(crate) sources: Vec<Citation>,
    /// Whether the knowledge had an answer: true for confident and tentative answers, false for unknown ones.
    pub(crate) answered: bool,
    /// Confidence that the knowledge answers the question: `high`, or `low` for a tentative answer. Null when the
    /// answer is unknown (`answered` is false).
    pub(crate) confidence: OrNull<Word<Confidence>>,
    /// Estimated probability that the knowledge answers the question, from 0 to 1, rounded to three digits. Present
    /// for unknown answers as well.
    pub(crate) confidence_score: f64,
    /// Support of each factual sentence, in the order of the text; empty without factual sentences.
    pub(crate) support: Vec<SentenceSupport>,
    /// Whether a passage supports every factual sentence; true without factual sentences.
    pub(crate) grounded: bool,
    /// Whether the built-in answer replaced that of an unavailable language model.
    pub(crate) degraded: bool,
    /// Whether the answer is incomplete because the model stopped responding.
    pub(crate) partial: bool,
    /// Model that generated the answer.
    pub(crate) model: String,
    /// Token usage of the model.
    pub(crate) usage: TokenUsage,
    /// Timings, in milliseconds.
    pub(crate) timings_ms: Timings,
}

/// Support of a sentence of an answer by a passage.
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

/// A source that an answer cites.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Citation {
    /// Number of its citation marker.
    pub(crate) index: u64,
    /// Unique identifier of the knowledge source.
    pub(crate) source_id: Id,
    /// Name of the knowledge source.
    pub(crate) source_name: String,
    /// Unique identifier of the chunk.
    pub(crate) chunk_id: Id,
    /// Index of the chunk in the source, from 0.
    pub(crate) chunk_index: i32,
    /// Page number, if the source has pages.
    pub(crate) page: OrNull<i32>,
    /// Headings above the passage.
    pub(crate) heading: OrNull<String>,
    /// Start of the snippet in the source's content, in characters.
    pub(crate) start: i32,
    /// End of the snippet, exclusive, in characters.
    pub(crate) end: i32,
    /// Similarity to the question; at most 1.
    pub(crate) score: f64,
    /// Text.
    pub(crate) snippet: String,
    /// URL of the source, if it has one.
    pub(crate) url: OrNull<String>,
}

/// Token usage of a model; null if the model does not report it.
#[derive(Debug, Object, serde::Serialize)]
#[oai(rename = "Usage")]
pub(crate) struct TokenUsage {
    /// Input tokens.
    pub(crate) input_tokens: OrNull<i32>,
    /// Output tokens.
    pub(crate) output_tokens: OrNull<i32>,
}

/// Timings of an answer, in milliseconds.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Timings {
    /// Embedding the question.
    pub(crate) embed: f64,
    /// Searching the knowledge.
    pub(crate) search: f64,
    /// Reranking the passages, if a reranking model is configured.
    pub(crate) rerank: f64,
    /// From the call of the model to its first token.
    pub(crate) first_token: f64,
    /// Total.
    pub(crate) total: f64,
}

/// A conversation with its messages.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct ConversationDetails {
    /// The conversation.
    pub(crate) session: Conversation,
    /// Messages, oldest first.
    pub(crate) messages: Vec<Message>,
}

/// A conversation.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Conversation {
    /// Unique identifier.
    pub(crate) id: Id,
    /// Your session identifier.
    pub(crate) session_id: String,
    /// Unique identifier of the bot.
    pub(crate) bot_id: Id,
    /// Name of the bot.
    pub(crate) bot_name: String,
    /// Your identifier of the user.
    pub(crate) user_identifier: OrNull<String>,
    /// Name of the user.
    pub(crate) user_name: OrNull<String>,
    /// Email address of the user.
    pub(crate) user_email: OrNull<String>,
    /// Channel.
    pub(crate) channel: Word<Channel>,
    /// Status.
    pub(crate) status: Word<Status>,
    /// Start time.
    pub(crate) started_at: Timestamp,
    /// End time.
    pub(crate) ended_at: OrNull<Timestamp>,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
}

/// A message of a conversation.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Message {
    /// Unique identifier.
    pub(crate) id: Id,
    /// Sender.
    pub(crate) sender: Word<Sender>,
    /// Text.
    pub(crate) message: String,
    /// Type of the message.
    pub(crate) message_type: String,
    /// Time of the message.
    pub(crate) created_at: Timestamp,
    /// Whether the knowledge had an answer; null for messages that are not answers.
    pub(crate) answered: OrNull<bool>,
    /// Confidence of an answer: `high`, or `low` for a tentative one. Null for unknown answers, for messages that are
    /// not answers, and for answers of a version without confidence.
    pub(crate) confidence: OrNull<Word<Confidence>>,
    /// Whether the answer is incomplete: the model stopped responding, or the client disconnected.
    pub(crate) partial: bool,
    /// Sources that the answer cites; empty for other messages.
    pub(crate) sources: Vec<Citation>,
    /// The customer's rating of the answer.
    pub(crate) rating: OrNull<Word<Rating>>,
    /// The customer's comment on the answer.
    pub(crate) comment: OrNull<String>,
}

/// An updated conversation.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UpdatedConversation {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) conversation: Conversation,
    /// Human-readable confirmation.
    pub(crate) message: String,
}

/// A customer's feedback on an answer.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Feedback {
    /// Unique identifier of the answer.
    pub(crate) message_id: Id,
    /// Rating.
    pub(crate) rating: OrNull<Word<Rating>>,
    /// Comment.
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
            rating: OrNull::of(feedback.rating()),
            comment: OrNull(feedback.comment().map(str::to_owned)),
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

/// Rounds to a number of decimals.
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
