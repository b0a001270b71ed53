//! Response of `sendMessage`: the whole answer as JSON, or server-sent events while it is generated.

use futures_util::stream::{self, Stream, StreamExt};
use parlance_core::conversations::{self, AnswerEvent, EventSender, NewMessage, SessionId};
use parlance_core::ids::TenantId;
use parlance_core::{Context, Error, Result};
use poem::web::sse::Event;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::responses::{BotResponse, Citation, Exchange, UserMessage};
use crate::error::ApiError;
use crate::response::envelope::Found;
use crate::response::sse;

/// Description of the events in the specification.
const EVENTS: &str = "An event with JSON data: `user_message` (a UserMessage), `sources` (a list of Citation: the \
                      passages that the answer is generated from; sent again if another answer replaces the first), \
                      `delta` ({text}: the next part of the answer) and, at the end, `bot_response` (the complete \
                      BotResponse) or `error` ({code, error, message}).";

/// 200 with an exchange.
pub(crate) enum AnswerResponse {
    /// As JSON, when it is complete.
    Whole(Box<Exchange>),
    /// As events, while it is generated.
    Streamed(AnswerStream),
}

/// An answer that is being generated. Dropping it stops generation.
pub(crate) struct AnswerStream {
    first: AnswerEvent,
    rest: mpsc::Receiver<AnswerEvent>,
    sending: JoinHandle<Result<conversations::Exchange>>,
}

impl AnswerResponse {
    /// Sends a message and waits for the complete answer.
    pub(super) async fn whole(
        ctx: &Context,
        tenant: TenantId,
        session: &SessionId,
        message: NewMessage,
    ) -> Result<Self> {
        let exchange = conversations::send(ctx, tenant, session, message, &EventSender::disabled()).await?;
        Ok(Self::Whole(Box::new(exchange.into())))
    }

    /// Sends a message and waits for its first event. An error before that becomes an ordinary error response; a later
    /// one becomes an `error` event of the stream.
    pub(super) async fn streamed(
        ctx: &Context,
        tenant: TenantId,
        session: SessionId,
        message: NewMessage,
    ) -> Result<Self> {
        let (teller, mut events) = EventSender::channel();
        let ctx = ctx.clone();
        let send = async move { conversations::send(&ctx, tenant, &session, message, &teller).await };
        let sending = tokio::spawn(send.in_current_span());
        match events.recv().await {
            Some(first) => Ok(Self::Streamed(AnswerStream { first, rest: events, sending })),
            None => Ok(Self::Whole(Box::new(joined(sending).await?.into()))),
        }
    }
}

async fn joined(sending: JoinHandle<Result<conversations::Exchange>>) -> Result<conversations::Exchange> {
    sending.await.map_err(|error| Error::internal("the answering task failed", error))?
}

impl AnswerStream {
    fn events(self) -> impl Stream<Item = Event> {
        let Self { first, rest, sending } = self;
        let last = async move {
            match joined(sending).await {
                Ok(exchange) => event("bot_response", &Exchange::from(exchange).bot_response),
                Err(error) => error_event(error),
            }
        };
        stream::iter([first])
            .chain(sse::receiver_stream(rest))
            .map(answer_event)
            .chain(stream::once(last.in_current_span()))
    }
}

fn answer_event(event_data: AnswerEvent) -> Event {
    match event_data {
        AnswerEvent::UserMessage(message) => event("user_message", &UserMessage::from(message)),
        AnswerEvent::Sources(sources) => {
            event("sources", &sources.into_iter().map(Citation::from).collect::<Vec<_>>())
        }
        AnswerEvent::Delta(text) => event("delta", &serde_json::json!({"text": text})),
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    match serde_json::to_string(data) {
        Ok(data) => Event::message(data).event_type(name),
        Err(error) => error_event(Error::internal("serializing an event failed", error)),
    }
}

fn error_event(error: Error) -> Event {
    Event::message(ApiError::from(error).into_event().to_string()).event_type("error")
}

impl IntoResponse for AnswerResponse {
    fn into_response(self) -> Response {
        match self {
            AnswerResponse::Whole(exchange) => Found(*exchange).into_response(),
            AnswerResponse::Streamed(answer) => sse::response(answer.events()),
        }
    }
}

impl ApiResponse for AnswerResponse {
    fn meta() -> MetaResponses {
        let whole = Found::<Exchange>::meta().responses.into_iter().map(|response| MetaResponse {
            content: response.content.into_iter().chain([sse::documented(EVENTS)]).collect(),
            ..response
        });
        MetaResponses { responses: whole.collect() }
    }

    fn register(registry: &mut Registry) {
        Found::<Exchange>::register(registry);
        BotResponse::register(registry);
        UserMessage::register(registry);
        Citation::register(registry);
    }
}
