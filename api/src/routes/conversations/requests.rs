//! What is asked of conversations, as clients write it.

use parlance_core::Result;
use parlance_core::bots::Channel;
use parlance_core::conversations::{
    ConversationChanges, Feedback, NewMessage, Opening, Rating, RawConversationChanges, RawOpening, SessionId,
};
use poem_openapi::Object;

use crate::extract::enums::{Ended, Word};
use crate::extract::fields::{Field, Fields, Needed, both};
use crate::extract::types::{FreeObject, Id};

/// What is said of a conversation when it is opened.
#[derive(Debug, Default, Object)]
pub(crate) struct Said {
    /// The bot to open the conversation on (default: your default bot).
    #[oai(nullable)]
    pub(crate) bot_id: Field<Id>,
    /// Who the user is, in your terms.
    #[oai(nullable, validator(max_length = 255))]
    pub(crate) user_identifier: Field<String>,
    /// The user's name.
    #[oai(nullable, validator(max_length = 255))]
    pub(crate) user_name: Field<String>,
    /// The user's e-mail address.
    #[oai(nullable, validator(max_length = 255))]
    pub(crate) user_email: Field<String>,
    /// Where the conversation takes place (default: the bot's channel type).
    #[oai(nullable)]
    pub(crate) channel: Field<Word<Channel>>,
    /// An object of your own, up to 4 KiB, without NUL characters.
    #[oai(nullable)]
    pub(crate) metadata: Field<FreeObject>,
}

/// A message to send. All but the message counts only when it opens the conversation.
#[derive(Debug, Default, Object)]
pub(crate) struct SendMessage {
    /// The message content to send.
    #[oai(validator(min_length = 1, max_length = 8000))]
    pub(crate) message: Needed<String>,
    /// Whether the answer comes as it is written, as server-sent events; the same as the header
    /// `Accept: text/event-stream`.
    #[oai(nullable)]
    pub(crate) stream: Field<bool>,
    #[oai(flatten)]
    pub(crate) opening: Said,
}

/// A conversation to open.
#[derive(Debug, Default, Object)]
pub(crate) struct OpenConversation {
    /// Your name for it: 1 to 255 characters of letters, digits and `._:@-` (default: a fresh one).
    #[oai(nullable, validator(pattern = "^[A-Za-z0-9._:@-]{1,255}$"))]
    pub(crate) session_id: Field<String>,
    #[oai(flatten)]
    pub(crate) opening: Said,
}

/// What to change of a conversation.
#[derive(Debug, Default, Object)]
pub(crate) struct UpdateConversation {
    /// `ended`: it takes no more messages.
    pub(crate) status: Field<Word<Ended>>,
    /// Who the user is, in your terms.
    #[oai(nullable, validator(max_length = 255))]
    pub(crate) user_identifier: Field<String>,
    /// The user's name.
    #[oai(nullable, validator(max_length = 255))]
    pub(crate) user_name: Field<String>,
    /// The user's e-mail address.
    #[oai(nullable, validator(max_length = 255))]
    pub(crate) user_email: Field<String>,
}

/// What a customer thinks of an answer.
#[derive(Debug, Default, Object)]
pub(crate) struct GiveFeedback {
    /// Whether it helped; `null` takes the feedback back.
    #[oai(nullable)]
    pub(crate) rating: Needed<Word<Rating>>,
    /// In the customer's words.
    #[oai(nullable, validator(max_length = 2000))]
    pub(crate) comment: Field<String>,
}

impl Said {
    fn take(self, fields: &mut Fields) -> RawOpening {
        RawOpening {
            bot_id: fields.take("bot_id", self.bot_id).map(String::from),
            user_identifier: fields.take("user_identifier", self.user_identifier),
            user_name: fields.take("user_name", self.user_name),
            user_email: fields.take("user_email", self.user_email),
            channel: fields.take("channel", self.channel).map(String::from),
            metadata: fields.take("metadata", self.metadata).map(|object| object.0),
        }
    }
}

impl SendMessage {
    /// The message, and whether its answer is to be streamed.
    pub(crate) fn parse(self) -> Result<(NewMessage, bool)> {
        let mut fields = Fields::of_body();
        let message = fields.take("message", self.message);
        let stream = fields.take("stream", self.stream);
        let opening = self.opening.take(&mut fields);
        let message = fields.check(NewMessage::parse(message, opening))?;
        Ok((message, stream.unwrap_or(false)))
    }
}

impl OpenConversation {
    pub(crate) fn parse(self) -> Result<(Option<SessionId>, Opening)> {
        let mut fields = Fields::of_body();
        let session =
            fields.take("session_id", self.session_id).map(|raw| SessionId::parse(&raw)).transpose();
        let opening = Opening::parse(self.opening.take(&mut fields));
        fields.check(both(session, opening))
    }
}

impl UpdateConversation {
    pub(crate) fn parse(self) -> Result<ConversationChanges> {
        let mut fields = Fields::of_body();
        let raw = RawConversationChanges {
            status: fields.change("status", self.status).map(|word| word.map(String::from)),
            user_identifier: fields.change("user_identifier", self.user_identifier),
            user_name: fields.change("user_name", self.user_name),
            user_email: fields.change("user_email", self.user_email),
        };
        fields.check(ConversationChanges::parse(raw))
    }
}

impl GiveFeedback {
    pub(crate) fn parse(self) -> Result<Feedback> {
        let mut fields = Fields::of_body();
        let rating = fields.change("rating", self.rating).map(|word| word.map(String::from));
        let comment = fields.take("comment", self.comment);
        fields.check(Feedback::parse(rating, comment))
    }
}
