//! A message as it comes in, parsed once.

use super::MESSAGE_LENGTH;
use crate::bots::Channel;
use crate::error::{Error, Problem, Result};
use crate::ids::BotId;
use crate::input::{Collect, optional, optional_text};

const METADATA_BYTES: usize = 4 * 1024;

/// A message to send, with everything checked.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub(super) text: String,
    pub(super) opening: Opening,
}

/// What the first message of a conversation says about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    pub(super) bot: Option<BotId>,
    pub(super) user_identifier: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) user_email: Option<String>,
    pub(super) channel: Option<Channel>,
    pub(super) metadata: Option<serde_json::Value>,
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
    let text = value.to_string();
    // Postgres keeps no NUL, not even an escaped one.
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
