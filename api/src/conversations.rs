//! Conversations: say something and hear the answer; read what was said.

use parlance_core::bots::Channel;
use parlance_core::conversations::{self, NewMessage, RawMessage, SessionId};
use parlance_core::error::{Fault, Problem, Thing};
use parlance_core::{Context, Error, Result};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};

use crate::auth::{Chat, Tenant};
use crate::body::JsonBody;
use crate::docs::Tag;
use crate::envelope::Found;
use crate::error::{ApiError, Changing, Fails, Finding, When};
use crate::fields::{Field, Fields, Needed};
use crate::values::{FreeObject, Id};
use crate::words::Word;

mod shown;

pub(crate) use shown::{
    BotResponse, Conversation, Details, Exchange, Message, Source, Timings, Usage, UserMessage,
};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Conversations")]
impl Api {
    /// Get conversation details
    ///
    /// Retrieve detailed information about a specific conversation including all messages.
    #[oai(path = "/conversations/:session_id", method = "get", operation_id = "getConversation")]
    async fn get_conversation(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier.
        session_id: Path<String>,
    ) -> Result<Found<Details>, Fails<Finding>> {
        Ok(Found(conversations::get(&ctx, tenant.id(), &existing(&session_id)?).await?.into()))
    }

    /// Send message
    ///
    /// Send a message to a conversation and receive an AI-generated response. A session that is not
    /// known yet is opened by it: on the bot that the body names, else on your default bot.
    #[oai(path = "/conversations/:session_id/messages", method = "post", operation_id = "sendMessage")]
    async fn send_message(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier: 1 to 255 characters of letters, digits and `._:@-`.
        session_id: Path<String>,
        body: JsonBody<SendMessage>,
    ) -> Result<Found<Exchange>, Fails<Changing>> {
        let session = nameable(&session_id)?;
        let message = body.0.parse().when("sending a message")?;
        Ok(Found(conversations::send(&ctx, tenant.id(), &session, message).await?.into()))
    }
}

/// A session that may exist; a name that none can have is not found, like any other.
fn existing(raw: &str) -> Result<SessionId, ApiError> {
    SessionId::parse(raw).map_err(|_| ApiError::not_found(Thing::Conversation))
}

/// A session that exists or will; a name that none can have is not found, and told what one can.
fn nameable(raw: &str) -> Result<SessionId, ApiError> {
    SessionId::parse(raw).map_err(|error| {
        let refused = ApiError::not_found(Thing::Conversation);
        match error {
            Error::Invalid(mut problems) => match problems.pop() {
                Some(Problem { fault: Fault::Wrong(message), .. }) => refused.saying(message),
                _ => refused,
            },
            _ => refused,
        }
    })
}

/// A message to send. All but the message counts only when it opens the conversation.
#[derive(Debug, Default, Object)]
#[oai(example)]
pub(crate) struct SendMessage {
    /// The message content to send.
    #[oai(validator(min_length = 1, max_length = 8000))]
    pub(crate) message: Needed<String>,
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
    /// An object of your own, up to 4 KiB.
    #[oai(nullable)]
    pub(crate) metadata: Field<FreeObject>,
}

impl SendMessage {
    fn parse(self) -> Result<NewMessage> {
        let mut fields = Fields::of_body();
        let raw = RawMessage {
            message: fields.take("message", self.message),
            bot_id: fields.take("bot_id", self.bot_id).map(String::from),
            user_identifier: fields.take("user_identifier", self.user_identifier),
            user_name: fields.take("user_name", self.user_name),
            user_email: fields.take("user_email", self.user_email),
            channel: fields.take("channel", self.channel).map(String::from),
            metadata: fields.take("metadata", self.metadata).map(|object| object.0),
        };
        fields.check(NewMessage::parse(raw))
    }
}
