//! Request bodies of the conversation routes.

use parlance_core::Result;
use parlance_core::bots::Channel;
use parlance_core::conversations::{
    Comment, ConversationChanges, Feedback, MessageText, Metadata, NewMessage, Opening, Rating, SessionId,
    UserText,
};
use parlance_core::ids::BotId;
use poem_openapi::Object;

use crate::extract::enums::Ended;
use crate::extract::fields::{Field, Fields, Required};

/// Details of a conversation to open.
#[derive(Debug, Default, Object)]
pub(crate) struct Said {
    /// The bot to open the conversation on (default: your default bot).
    pub(crate) bot_id: Field<Option<BotId>>,
    /// Who the user is, in your terms.
    pub(crate) user_identifier: Field<Option<UserText>>,
    /// The user's name.
    pub(crate) user_name: Field<Option<UserText>>,
    /// The user's e-mail address.
    pub(crate) user_email: Field<Option<UserText>>,
    /// Where the conversation takes place (default: the bot's channel type).
    pub(crate) channel: Field<Option<Channel>>,
    /// An object of your own, up to 4 KiB, without NUL characters.
    pub(crate) metadata: Field<Option<Metadata>>,
}

/// A message to send. All but the message counts only when it opens the conversation.
#[derive(Debug, Default, Object)]
pub(crate) struct SendMessage {
    /// The message content to send.
    pub(crate) message: Required<MessageText>,
    /// Whether the answer comes as it is written, as server-sent events; the same as the header
    /// `Accept: text/event-stream`.
    pub(crate) stream: Field<Option<bool>>,
    #[oai(flatten)]
    pub(crate) opening: Said,
}

/// A conversation to open.
#[derive(Debug, Default, Object)]
pub(crate) struct OpenConversation {
    /// Your name for it: 1 to 255 characters of letters, digits and `._:@-` (default: a fresh one).
    pub(crate) session_id: Field<Option<SessionId>>,
    #[oai(flatten)]
    pub(crate) opening: Said,
}

/// Changes to a conversation.
#[derive(Debug, Default, Object)]
pub(crate) struct UpdateConversation {
    /// `ended`: it takes no more messages.
    pub(crate) status: Field<Ended>,
    /// Who the user is, in your terms.
    pub(crate) user_identifier: Field<Option<UserText>>,
    /// The user's name.
    pub(crate) user_name: Field<Option<UserText>>,
    /// The user's e-mail address.
    pub(crate) user_email: Field<Option<UserText>>,
}

/// A customer's feedback on an answer.
#[derive(Debug, Default, Object)]
pub(crate) struct GiveFeedback {
    /// Whether it helped; `null` takes the feedback back.
    pub(crate) rating: Required<Option<Rating>>,
    /// In the customer's words.
    pub(crate) comment: Field<Option<Comment>>,
}

impl Said {
    fn parse(self, fields: &mut Fields) -> Option<Opening> {
        let bot = fields.optional("bot_id", self.bot_id);
        let user_identifier = fields.optional("user_identifier", self.user_identifier);
        let user_name = fields.optional("user_name", self.user_name);
        let user_email = fields.optional("user_email", self.user_email);
        let channel = fields.optional("channel", self.channel);
        let metadata = fields.optional("metadata", self.metadata);
        Some(Opening {
            bot: bot?,
            user_identifier: user_identifier?,
            user_name: user_name?,
            user_email: user_email?,
            channel: channel?,
            metadata: metadata?,
        })
    }
}

impl SendMessage {
    /// The message, and whether to stream its answer.
    pub(crate) fn parse(self) -> Result<(NewMessage, bool)> {
        let mut fields = Fields::of_body();
        let text = fields.required("message", self.message);
        let stream = fields.optional("stream", self.stream);
        let opening = self.opening.parse(&mut fields);
        fields.finish(|| Some((NewMessage { text: text?, opening: opening? }, stream?.unwrap_or(false))))
    }
}

impl OpenConversation {
    pub(crate) fn parse(self) -> Result<(Option<SessionId>, Opening)> {
        let mut fields = Fields::of_body();
        let session = fields.optional("session_id", self.session_id);
        let opening = self.opening.parse(&mut fields);
        fields.finish(|| Some((session?, opening?)))
    }
}

impl UpdateConversation {
    pub(crate) fn parse(self) -> Result<ConversationChanges> {
        let mut fields = Fields::of_body();
        let status = fields.not_null("status", self.status);
        let user_identifier = fields.change("user_identifier", self.user_identifier);
        let user_name = fields.change("user_name", self.user_name);
        let user_email = fields.change("user_email", self.user_email);
        let changes = fields.finish(|| {
            Some(ConversationChanges {
                end: status? == Some(Ended::Ended),
                user_identifier: user_identifier?,
                user_name: user_name?,
                user_email: user_email?,
            })
        });
        changes.and_then(ConversationChanges::not_empty)
    }
}

impl GiveFeedback {
    pub(crate) fn parse(self) -> Result<Feedback> {
        let mut fields = Fields::of_body();
        let rating = fields.required_or_null("rating", self.rating);
        let comment = fields.optional("comment", self.comment);
        fields.finish(|| Some(Feedback::new(rating?, comment?)))
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON;
    use serde_json::{Value, json};

    use super::*;
    use crate::extract::fields::wrong_fields;

    fn read<T: ParseFromJSON>(body: Value) -> T {
        T::parse_from_json(Some(body)).ok().unwrap()
    }

    #[test]
    fn every_problem_of_a_message_is_listed() {
        let body = json!({"metadata": [], "channel": "fax", "bot_id": "nonsense", "message": "  "});
        let message = read::<SendMessage>(body).parse();
        assert_eq!(wrong_fields(message), ["message", "bot_id", "channel", "metadata"]);
    }

    #[test]
    fn a_change_must_change_something() {
        let update = |body| read::<UpdateConversation>(body).parse();
        assert_eq!(wrong_fields(update(json!({}))), ["body"]);
        assert!(update(json!({"status": "ended"})).unwrap().end);
        for status in [json!("active"), json!(null)] {
            assert_eq!(wrong_fields(update(json!({"status": status}))), ["status"]);
        }
    }

    #[test]
    fn feedback_needs_a_rating_which_may_be_null() {
        let feedback = |body| read::<GiveFeedback>(body).parse();
        assert_eq!(wrong_fields(feedback(json!({}))), ["rating"]);
        assert_eq!(wrong_fields(feedback(json!({"rating": "meh"}))), ["rating"]);
        assert_eq!(feedback(json!({"rating": null, "comment": "a"})).unwrap(), Feedback::new(None, None));
        assert_eq!(feedback(json!({"rating": "up"})).unwrap().rating(), Some(Rating::Up));
    }
}
