//! An answer as it is written, or when it is written.

use futures_util::stream::{self, Stream};
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

use super::responses::{BotResponse, Exchange, Source, UserMessage};
use crate::error::ApiError;
use crate::response::envelope::Found;
use crate::response::sse;

/// What the specification says of an event.
const EVENT: &str = "An event, its data as JSON: `user_message` (a UserMessage), `sources` (a list of Source: the \
                     passages from which the answer is made; told again when another answer takes the first one's \
                     place), `delta` ({text}: the next part of the answer), at the end `bot_response` (a \
                     BotResponse, whole), or `error` ({code, error, message}).";

/// 200: an exchange, whole or as events.
pub(crate) enum Answered {
    /// When it is written.
    Whole(Box<Exchange>),
    /// As it is written.
    Streamed(Telling),
}

/// An answer that is being written.
pub(crate) struct Telling {
    first: AnswerEvent,
    told: mpsc::Receiver<AnswerEvent>,
    sending: JoinHandle<Result<conversations::Exchange>>,
}

impl Answered {
    /// Sends a message, and waits for the whole answer.
    pub(super) async fn whole(
        ctx: &Context,
        tenant: TenantId,
        session: &SessionId,
        message: NewMessage,
    ) -> Result<Self> {
        let exchange = conversations::send(ctx, tenant, session, message, &EventSender::disabled()).await?;
        Ok(Self::Whole(Box::new(exchange.into())))
    }

    /// Sends a message, and waits until it is stored: what is wrong until then is an answer of its own.
    pub(super) async fn streamed(
        ctx: &Context,
        tenant: TenantId,
        session: SessionId,
        message: NewMessage,
    ) -> Result<Self> {
        let (teller, mut told) = EventSender::channel();
        let ctx = ctx.clone();
        let send = async move { conversations::send(&ctx, tenant, &session, message, &teller).await };
        let sending = tokio::spawn(send.in_current_span());
        match told.recv().await {
            Some(first) => Ok(Self::Streamed(Telling { first, told, sending })),
            None => Ok(Self::Whole(Box::new(ended(sending).await?.into()))),
        }
    }
}

async fn ended(sending: JoinHandle<Result<conversations::Exchange>>) -> Result<conversations::Exchange> {
    sending.await.map_err(|error| Error::internal("an answer did not end", error))?
}

/// What is still to be told.
enum Rest {
    First(Telling),
    More(mpsc::Receiver<AnswerEvent>, JoinHandle<Result<conversations::Exchange>>),
    Nothing,
}

impl Telling {
    fn events(self) -> impl Stream<Item = Event> {
        let span = tracing::Span::current();
        stream::unfold((Rest::First(self), span), async |(rest, span)| {
            let (event, rest) = next(rest).instrument(span.clone()).await?;
            Some((event, (rest, span)))
        })
    }
}

async fn next(rest: Rest) -> Option<(Event, Rest)> {
    let (mut told, sending) = match rest {
        Rest::First(Telling { first, told, sending }) => {
            return Some((event_of(first), Rest::More(told, sending)));
        }
        Rest::More(told, sending) => (told, sending),
        Rest::Nothing => return None,
    };
    if let Some(more) = told.recv().await {
        return Some((event_of(more), Rest::More(told, sending)));
    }
    let event = match ended(sending).await {
        Ok(exchange) => event("bot_response", &Exchange::from(exchange).bot_response),
        Err(error) => failed(error),
    };
    Some((event, Rest::Nothing))
}

fn event_of(told: AnswerEvent) -> Event {
    match told {
        AnswerEvent::UserMessage(message) => event("user_message", &UserMessage::from(message)),
        AnswerEvent::Sources(sources) => {
            event("sources", &sources.into_iter().map(Source::from).collect::<Vec<_>>())
        }
        AnswerEvent::Delta(text) => event("delta", &serde_json::json!({"text": text})),
    }
}

fn event(name: &str, what: &impl Serialize) -> Event {
    match serde_json::to_string(what) {
        Ok(data) => Event::message(data).event_type(name),
        Err(error) => failed(Error::internal("an event cannot be written", error)),
    }
}

fn failed(error: Error) -> Event {
    Event::message(ApiError::from(error).into_event().to_string()).event_type("error")
}

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        match self {
            Answered::Whole(exchange) => Found(*exchange).into_response(),
            Answered::Streamed(telling) => sse::response(telling.events()),
        }
    }
}

impl ApiResponse for Answered {
    fn meta() -> MetaResponses {
        let whole = Found::<Exchange>::meta().responses.into_iter().map(|response| MetaResponse {
            content: response.content.into_iter().chain([sse::documented(EVENT)]).collect(),
            ..response
        });
        MetaResponses { responses: whole.collect() }
    }

    fn register(registry: &mut Registry) {
        Found::<Exchange>::register(registry);
        BotResponse::register(registry);
        UserMessage::register(registry);
        Source::register(registry);
    }
}
