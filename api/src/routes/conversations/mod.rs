//! Conversation routes: send messages; open, list, get, update and delete conversations; trace and feedback.

use parlance_core::bots::Channel;
use parlance_core::conversations::{self, Filter, SessionId};
use parlance_core::error::Thing;
use parlance_core::field::Invalid;
use parlance_core::ids::{BotId, MessageId};
use parlance_core::{Context, PageNumber, PageSize, Result};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use crate::error::{Adding, ApiError, Changing, Fails, Finding, Listing, When, not_found_first};
use crate::extract::fields::{Field, Fields};
use crate::extract::idempotency_key;
use crate::extract::json::JsonBody;
use crate::extract::page;
use crate::extract::path::{PathId, PathSession};
use crate::extract::tenant::{Chat, Tenant};
use crate::openapi::Tag;
use crate::response::envelope::{Created, Deleted, Found, Listed};
use crate::response::sse;

mod answer_response;
pub(crate) mod requests;
mod responses;
mod trace_response;

pub(crate) use requests::{GiveFeedback, OpenConversation, SendMessage, UpdateConversation};
pub(crate) use responses::{Citation, SentenceSupport, score};

use answer_response::AnswerResponse;
use responses::{Conversation, ConversationDetails, Feedback, UpdatedConversation};
use trace_response::AnswerTrace;

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Conversations")]
impl Api {
    /// List conversations
    ///
    /// Retrieve a paginated list of conversations for your tenant's bots, newest first.
    #[oai(path = "/conversations", method = "get", operation_id = "listConversations")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_conversations(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
        /// Filter by specific bot.
        bot_id: Query<Field<BotId>>,
        /// Filter by status.
        status: Query<Field<conversations::Status>>,
        /// Filter by channel type.
        channel: Query<Field<Channel>>,
    ) -> Result<Listed<Conversation>, Fails<Listing>> {
        let mut fields = Fields::of_query();
        let page = page::parse(&mut fields, page.0, per_page.0);
        let bot = fields.parameter("bot_id", bot_id.0);
        let status = fields.parameter("status", status.0);
        let channel = fields.parameter("channel", channel.0);
        let (page, filter) =
            fields.finish(|| Some((page?, Filter { bot: bot?, status: status?, channel: channel? })))?;
        Ok(Listed::of(conversations::list(&ctx, tenant.id(), filter, page).await?))
    }

    /// Open conversation
    ///
    /// Open a conversation before the first message, with the bot of the body or your default bot. The bot's
    /// welcome message is its first message. A message to an unknown session also opens a conversation.
    #[oai(path = "/conversations", method = "post", operation_id = "openConversation")]
    async fn open_conversation(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        body: JsonBody<OpenConversation>,
    ) -> Result<Created<ConversationDetails>, Fails<Adding>> {
        let (session, opening) = body.0.parse().when("opening a conversation")?;
        Ok(Created(conversations::open(&ctx, tenant.id(), session, &opening).await?.into()))
    }

    /// Get conversation details
    ///
    /// Retrieve detailed information about a specific conversation including all messages.
    #[oai(path = "/conversations/:session_id", method = "get", operation_id = "getConversation")]
    async fn get_conversation(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier.
        session_id: Path<PathSession>,
    ) -> Result<Found<ConversationDetails>, Fails<Finding>> {
        Ok(Found(conversations::get(&ctx, tenant.id(), &existing(&session_id)?).await?.into()))
    }

    /// Update conversation
    ///
    /// End a conversation, or change the details of its user. Omitted fields stay unchanged; `null` clears a
    /// field. An ended conversation takes no more messages.
    #[oai(path = "/conversations/:session_id", method = "patch", operation_id = "updateConversation")]
    async fn update_conversation(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier.
        session_id: Path<PathSession>,
        body: JsonBody<UpdateConversation>,
    ) -> Result<Found<UpdatedConversation>, Fails<Changing>> {
        let session = existing(&session_id)?;
        let changes = body.0.parse().when("updating a conversation");
        let changes =
            not_found_first(conversations::get_session(&ctx, tenant.id(), &session), changes).await?;
        let changed = conversations::update(&ctx, tenant.id(), &session, &changes).await?;
        Ok(Found(UpdatedConversation::of(changed)))
    }

    /// Delete conversation
    ///
    /// Permanently delete a conversation and all of its messages. This action cannot be undone.
    #[oai(path = "/conversations/:session_id", method = "delete", operation_id = "deleteConversation")]
    async fn delete_conversation(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier.
        session_id: Path<PathSession>,
    ) -> Result<Deleted, Fails<Finding>> {
        conversations::erase(&ctx, tenant.id(), &existing(&session_id)?).await?;
        Ok(Deleted("Conversation deleted successfully".to_owned()))
    }

    /// Send message
    ///
    /// Send a message to a conversation and receive an AI-generated response. A message to an unknown session
    /// opens a conversation, with the bot of the body or your default bot. Messages of one session are answered
    /// one after the other.
    ///
    /// With `Accept: text/event-stream`, or `"stream": true`, the answer is streamed while it is generated.
    /// Disconnecting stops generation; the text so far is kept as a partial answer. A streamed answer cannot be
    /// replayed, so `Idempotency-Key` is rejected.
    #[oai(path = "/conversations/:session_id/messages", method = "post", operation_id = "sendMessage")]
    async fn send_message(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier: 1 to 255 characters of letters, digits and `._:@-`.
        session_id: Path<PathSession>,
        request: &poem::Request,
        body: JsonBody<SendMessage>,
    ) -> Result<AnswerResponse, Fails<Changing>> {
        let session = existing_or_new(&session_id)?;
        let (message, stream) = body.0.parse().when("sending a message")?;
        if !stream && !sse::is_requested(request) {
            return Ok(AnswerResponse::whole(&ctx, tenant.id(), &session, message).await?);
        }
        if idempotency_key::is_present(request) {
            return Err(ApiError::not_replayable().into());
        }
        Ok(AnswerResponse::streamed(&ctx, tenant.id(), session, message).await?)
    }

    /// Trace an answer
    ///
    /// Inspect how an answer was generated: the search query, the passages found with their scores, the passages
    /// used, the model and the timings.
    #[oai(
        path = "/conversations/:session_id/messages/:message_id/trace",
        method = "get",
        operation_id = "traceAnswer"
    )]
    async fn trace_answer(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier.
        session_id: Path<PathSession>,
        /// Unique identifier of the bot's message.
        message_id: Path<PathId<MessageId>>,
    ) -> Result<Found<AnswerTrace>, Fails<Finding>> {
        let (session, message) = (existing(&session_id)?, message_id.0.known()?);
        Ok(Found(conversations::trace(&ctx, tenant.id(), &session, message).await?.into()))
    }

    /// Give feedback
    ///
    /// Rate an answer. It replaces earlier feedback; a rating of `null` removes it.
    #[oai(
        path = "/conversations/:session_id/messages/:message_id/feedback",
        method = "post",
        operation_id = "giveFeedback"
    )]
    async fn give_feedback(
        &self,
        tenant: Tenant<Chat>,
        ctx: Data<&Context>,
        /// Unique session identifier.
        session_id: Path<PathSession>,
        /// Unique identifier of the bot's message.
        message_id: Path<PathId<MessageId>>,
        body: JsonBody<GiveFeedback>,
    ) -> Result<Found<Feedback>, Fails<Changing>> {
        let (session, message) = (existing(&session_id)?, message_id.0.known()?);
        let feedback = body.0.parse().when("giving feedback");
        let feedback =
            not_found_first(conversations::check_answer(&ctx, tenant.id(), &session, message), feedback)
                .await?;
        conversations::give_feedback(&ctx, tenant.id(), &session, message, &feedback).await?;
        Ok(Found(Feedback::of(message, feedback)))
    }
}

/// Parses the id of an existing session; a malformed id is not found.
fn existing(raw: &PathSession) -> Result<SessionId, ApiError> {
    raw.0.parse().map_err(|_: Invalid| ApiError::not_found(Thing::Conversation))
}

/// Parses the id of a session that may be new; a malformed id is not found, with a message about valid ids.
fn existing_or_new(raw: &PathSession) -> Result<SessionId, ApiError> {
    let refused = |invalid: Invalid| {
        ApiError::not_found(Thing::Conversation).with_message(format!("The 'session_id' {invalid}"))
    };
    raw.0.parse().map_err(refused)
}
