//! Input of conversations: messages, user details, changes and feedback.

use std::str::FromStr;

use serde_json::Value;

use super::Rating;
use crate::bots::Channel;
use crate::error::Result;
use crate::field::{Invalid, Text, nothing_to_change};
use crate::ids::BotId;

/// Largest metadata, in bytes of JSON.
const METADATA_BYTES: usize = 4 * 1024;

/// A customer's identifier, name or e-mail address, in the tenant's terms.
pub type UserText = Text<255>;

/// A customer's comment on an answer.
pub type Comment = Text<2_000>;

/// The text of a message. Unlike a blank [`Text`], a blank message is wrong, not missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText(Text<{ MessageText::MAX_LENGTH }>);

impl MessageText {
    /// Length at most, in characters.
    pub const MAX_LENGTH: usize = 8_000;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for MessageText {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let text: Result<_, Invalid> = raw.parse();
        text.map(Self).map_err(|invalid| Invalid::new(invalid.to_string()))
    }
}

/// A tenant's own JSON object, kept with a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(Value);

impl Metadata {
    /// The object.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

impl TryFrom<Value> for Metadata {
    type Error = Invalid;

    fn try_from(json: Value) -> Result<Self, Invalid> {
        if !json.is_object() || has_nul(&json) {
            return Err(Invalid::new("must be an object without NUL characters"));
        }
        let text = json.to_string();
        if text.len() > METADATA_BYTES || text.contains("\\u0000") {
            return Err(Invalid::new("must be an object of at most 4 KiB without NUL characters"));
        }
        Ok(Self(json))
    }
}

/// Postgres stores no NUL in JSON, not even an escaped one.
fn has_nul(json: &Value) -> bool {
    match json {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The text.
    pub text: MessageText,
    /// Used when the message opens the conversation.
    pub opening: Opening,
}

/// Details of a conversation to open.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The bot; the tenant's default bot when `None`. Looked up when the conversation opens.
    pub bot: Option<BotId>,
    /// The customer's identifier.
    pub user_identifier: Option<UserText>,
    /// The customer's name.
    pub user_name: Option<UserText>,
    /// The customer's e-mail address.
    pub user_email: Option<UserText>,
    /// The channel; the bot's when `None`.
    pub channel: Option<Channel>,
    /// The tenant's own data.
    pub metadata: Option<Metadata>,
}

/// Changes to a conversation. `None` keeps a field; `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationChanges {
    /// Whether to end the conversation.
    pub end: bool,
    /// The customer's identifier.
    pub user_identifier: Option<Option<UserText>>,
    /// The customer's name.
    pub user_name: Option<Option<UserText>>,
    /// The customer's e-mail address.
    pub user_email: Option<Option<UserText>>,
}

impl ConversationChanges {
    /// The changes, if there are any.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when nothing is to change.
    pub fn not_empty(self) -> Result<Self> {
        if self == Self::default() { Err(nothing_to_change()) } else { Ok(self) }
    }
}

/// A customer's feedback on an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    pub(super) rating: Option<Rating>,
    pub(super) comment: Option<Comment>,
}

impl Feedback {
    /// Feedback to store. Without a rating it withdraws earlier feedback, and the comment is dropped.
    #[must_use]
    pub fn new(rating: Option<Rating>, comment: Option<Comment>) -> Self {
        Self { rating, comment: comment.filter(|_| rating.is_some()) }
    }

    /// The rating; `None` withdraws it.
    #[must_use]
    pub fn rating(&self) -> Option<Rating> {
        self.rating
    }

    /// The comment.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_blank_message_is_wrong_and_not_missing() {
        let blank = " \n".parse::<MessageText>().unwrap_err();
        assert_eq!((blank.to_string().as_str(), blank.is_blank()), ("must not be blank", false));
        assert_eq!(" a ".parse::<MessageText>().unwrap().as_str(), "a");
        let long = "x".repeat(8_001).parse::<MessageText>().unwrap_err();
        assert_eq!(long.to_string(), "must be at most 8000 characters");
    }

    #[test]
    fn metadata_is_a_small_object_without_nul() {
        for wrong in
            [json!({"a": "\0"}), json!({"\0": 1}), json!({"a": [{"b": "x\0"}]}), json!([]), json!("a")]
        {
            let refused = Metadata::try_from(wrong).unwrap_err().to_string();
            assert_eq!(refused, "must be an object without NUL characters");
        }
        let refused = Metadata::try_from(json!({"a": "x".repeat(4_096)})).unwrap_err().to_string();
        assert_eq!(refused, "must be an object of at most 4 KiB without NUL characters");
        assert!(Metadata::try_from(json!({"a": [1, {"b": null}]})).is_ok());
    }

    #[test]
    fn a_change_must_change_something() {
        assert!(ConversationChanges::default().not_empty().is_err());
        assert!(ConversationChanges { end: true, ..ConversationChanges::default() }.not_empty().is_ok());
    }

    #[test]
    fn feedback_without_a_rating_has_no_comment() {
        let comment: Option<Comment> = "a".parse().ok();
        assert_eq!(Feedback::new(None, comment.clone()).comment(), None);
        assert_eq!(Feedback::new(Some(Rating::Up), comment).comment(), Some("a"));
    }
}
