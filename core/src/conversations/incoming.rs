//! Parsed requests about conversations, messages and feedback.

use super::{MESSAGE_LENGTH, Rating};
use crate::bots::Channel;
use crate::error::{Error, Problem, Result};
use crate::ids::BotId;
use crate::input::{
    Collect, clearable_text, is_blank, not_null, nothing_to_change, optional, optional_id, optional_text,
};

const METADATA_BYTES: usize = 4 * 1024;
const USER_LENGTH: usize = 255;
const COMMENT_LENGTH: usize = 2_000;

/// Validated message to send.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub(super) text: String,
    pub(super) opening: Opening,
}

/// Validated attributes of a new conversation.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    pub(super) bot: Option<BotId>,
    pub(super) user_identifier: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) user_email: Option<String>,
    pub(super) channel: Option<Channel>,
    pub(super) metadata: Option<serde_json::Value>,
}

/// Unvalidated attributes of a new conversation.
#[derive(Clone, Debug, Default)]
pub struct RawOpening {
    /// Bot of the conversation; the default bot when absent.
    pub bot_id: Option<String>,
    /// Up to 255 characters.
    pub user_identifier: Option<String>,
    /// Up to 255 characters.
    pub user_name: Option<String>,
    /// Up to 255 characters.
    pub user_email: Option<String>,
    /// [`Channel`]; the bot's channel when absent.
    pub channel: Option<String>,
    /// Object of up to 4 KiB.
    pub metadata: Option<serde_json::Value>,
}

impl NewMessage {
    /// Validates every field, `message` first. An unknown `bot_id` is reported later, when the conversation
    /// is opened.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all problems, in field order.
    pub fn parse(message: Option<String>, opening: RawOpening) -> Result<Self> {
        let mut problems = Vec::new();
        let text = problems.take(message_text(message));
        let opening = problems.take(Opening::parse(opening));
        match (text, opening) {
            (Some(text), Some(opening)) => Ok(Self { text, opening }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

impl Opening {
    /// Validates every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all problems, in field order.
    pub fn parse(raw: RawOpening) -> Result<Self> {
        let mut problems = Vec::new();
        let bot = problems.take(optional_id("bot_id", "a bot", raw.bot_id.as_deref()));
        let user_identifier =
            problems.take(optional_text("user_identifier", raw.user_identifier, USER_LENGTH));
        let user_name = problems.take(optional_text("user_name", raw.user_name, USER_LENGTH));
        let user_email = problems.take(optional_text("user_email", raw.user_email, USER_LENGTH));
        let channel = problems.take(channel(raw.channel));
        let metadata = problems.take(metadata(raw.metadata));
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        Ok(Self {
            bot: bot.flatten(),
            user_identifier: user_identifier.flatten(),
            user_name: user_name.flatten(),
            user_email: user_email.flatten(),
            channel: channel.flatten(),
            metadata: metadata.flatten(),
        })
    }
}

/// Unvalidated changes to a conversation. `Some(None)` clears a field.
#[derive(Clone, Debug, Default)]
pub struct RawConversationChanges {
    /// Only `ended` is allowed.
    pub status: Option<Option<String>>,
    /// Up to 255 characters.
    pub user_identifier: Option<Option<String>>,
    /// Up to 255 characters.
    pub user_name: Option<Option<String>>,
    /// Up to 255 characters.
    pub user_email: Option<Option<String>>,
}

/// Validated changes to a conversation.
#[derive(Clone, Debug)]
pub struct ConversationChanges {
    pub(super) end: bool,
    pub(super) user_identifier: Option<Option<String>>,
    pub(super) user_name: Option<Option<String>>,
    pub(super) user_email: Option<Option<String>>,
}

impl ConversationChanges {
    /// Validates every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all problems, in field order, or when nothing would change.
    pub fn parse(raw: RawConversationChanges) -> Result<Self> {
        let mut problems = Vec::new();
        let status =
            problems.take(not_null("status", raw.status).and_then(|status| match status.as_deref() {
                None => Ok(false),
                Some("ended") => Ok(true),
                Some(_) => Err(Error::invalid("status", "The 'status' field must be one of: ended")),
            }));
        let user_identifier =
            problems.take(clearable_text("user_identifier", raw.user_identifier, USER_LENGTH));
        let user_name = problems.take(clearable_text("user_name", raw.user_name, USER_LENGTH));
        let user_email = problems.take(clearable_text("user_email", raw.user_email, USER_LENGTH));
        match (status, user_identifier, user_name, user_email) {
            (Some(false), Some(None), Some(None), Some(None)) => Err(nothing_to_change()),
            (Some(end), Some(user_identifier), Some(user_name), Some(user_email)) => {
                Ok(Self { end, user_identifier, user_name, user_email })
            }
            _ => Err(Error::Invalid(problems)),
        }
    }
}

/// Validated feedback on an answer.
#[derive(Clone, Debug)]
pub struct Feedback {
    /// `None` withdraws earlier feedback.
    pub rating: Option<Rating>,
    /// The customer's comment.
    pub comment: Option<String>,
}

impl Feedback {
    /// Validates every field; a rating of `null` withdraws the feedback.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all problems, in field order.
    pub fn parse(rating: Option<Option<String>>, comment: Option<String>) -> Result<Self> {
        let mut problems = Vec::new();
        let rating = rating.ok_or_else(|| Error::Invalid(vec![Problem::missing("rating")]));
        let rating = problems.take(rating.and_then(optional::<Rating>));
        let comment = problems.take(optional_text("comment", comment, COMMENT_LENGTH));
        match (rating, comment) {
            (Some(rating), Some(comment)) => {
                Ok(Self { rating, comment: comment.filter(|_| rating.is_some()) })
            }
            _ => Err(Error::Invalid(problems)),
        }
    }
}

pub(super) fn message_text(raw: Option<String>) -> Result<String> {
    let text = raw.ok_or_else(|| Error::Invalid(vec![Problem::missing("message")]))?;
    if is_blank(&text) {
        return Err(Error::invalid("message", "The 'message' field must not be blank"));
    }
    optional_text("message", Some(text), MESSAGE_LENGTH)?
        .ok_or_else(|| Error::Invalid(vec![Problem::missing("message")]))
}

fn channel(raw: Option<String>) -> Result<Option<Channel>> {
    optional(raw).map_err(|error| match error {
        // The parser names its field `channel_type`, after the bot's field.
        Error::Invalid(problems) => Error::Invalid(
            problems.into_iter().map(|problem| problem.renamed("channel_type", "channel")).collect(),
        ),
        other => other,
    })
}

fn metadata(raw: Option<serde_json::Value>) -> Result<Option<serde_json::Value>> {
    let Some(value) = raw.filter(|value| !value.is_null()) else { return Ok(None) };
    let text = value.to_string();
    // Postgres stores no NUL character, not even an escaped one.
    if !value.is_object() || text.len() > METADATA_BYTES || text.contains("\\u0000") {
        return Err(Error::invalid(
            "metadata",
            "The 'metadata' field must be an object of at most 4 KiB without NUL characters",
        ));
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_of_a_message_are_reported_at_once() {
        let raw = RawOpening {
            bot_id: Some("nonsense".into()),
            channel: Some("fax".into()),
            metadata: Some(serde_json::json!([])),
            ..RawOpening::default()
        };
        let Err(Error::Invalid(problems)) = NewMessage::parse(Some("  ".into()), raw) else { panic!() };
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["message", "bot_id", "channel", "metadata"]);
    }

    #[test]
    fn an_update_must_change_something() {
        assert!(ConversationChanges::parse(RawConversationChanges::default()).is_err());
        let status = |word: &str| RawConversationChanges {
            status: Some(Some(word.into())),
            ..RawConversationChanges::default()
        };
        assert!(ConversationChanges::parse(status("ended")).unwrap().end);
        assert!(ConversationChanges::parse(status("active")).is_err());
    }

    #[test]
    fn feedback_needs_a_rating_and_null_withdraws_it() {
        assert!(Feedback::parse(None, None).is_err());
        assert!(Feedback::parse(Some(Some("meh".into())), None).is_err());
        assert_eq!(Feedback::parse(Some(None), Some("a".into())).unwrap().comment, None);
        assert_eq!(Feedback::parse(Some(Some("up".into())), None).unwrap().rating, Some(Rating::Up));
    }
}
