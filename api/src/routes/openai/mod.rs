//! OpenAI-compatible endpoints: `/v1/chat/completions` and `/v1/models`.
//!
//! A model is a bot, and its name is the bot's id; the API key comes as a bearer token. Clients keep the
//! conversation themselves: nothing is stored.

use futures_util::stream::{self, Stream, StreamExt};
use parlance_core::conversations::{self, Answer, AnswerEvent, EventSender};
use parlance_core::ids::TenantId;
use parlance_core::platform::fair_queue::Caller;
use parlance_core::{Context, Error, PageRequest, bots};
use poem::http::StatusCode;
use poem::web::Data;
use poem::web::sse::Event;
use poem::{Body, IntoResponse, Request, RequestBody, Response, handler};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::body_limits::JSON_BYTES;
use crate::error::ApiError;
use crate::extract::json;
use crate::extract::tenant::{self, Chat};
use crate::response::envelope::json_response;
use crate::response::sse;

pub(crate) mod requests;
mod responses;

use requests::Completion;
use responses::CompletionHead;

/// `POST /v1/chat/completions`.
#[handler]
pub(crate) async fn complete(request: &Request, ctx: Data<&Context>, body: Body) -> Response {
    completion(request, &ctx, body).await.unwrap_or_else(ApiError::respond_as_openai)
}

/// `GET /v1/models`: the tenant's bots.
#[handler]
pub(crate) async fn list_models(request: &Request, ctx: Data<&Context>) -> Response {
    models(request, &ctx).await.unwrap_or_else(ApiError::respond_as_openai)
}

async fn models(request: &Request, ctx: &Context) -> Result<Response, ApiError> {
    let tenant = tenant::bearer::<Chat>(ctx, request).await?;
    let page = PageRequest::largest(1);
    let bots = bots::list(ctx, tenant, bots::Filter::default(), page).await?;
    Ok(json_response(StatusCode::OK, &responses::models(&bots.items)))
}

async fn completion(request: &Request, ctx: &Context, body: Body) -> Result<Response, ApiError> {
    let tenant = tenant::bearer::<Chat>(ctx, request).await?;
    let bytes = json::read_bytes(request, &mut RequestBody::new(body), JSON_BYTES).await;
    let bytes = bytes.map_err(ApiError::of_poem)?;
    let caller = Caller::interactive(tenant);
    let completion = ctx.cpu().scan(caller, bytes.len(), move || Completion::parse(&bytes)).await??;
    if completion.stream {
        return Ok(
            sse::response(CompletionStream::start(ctx, tenant, completion).await?.events()).into_response()
        );
    }
    let Completion { bot, talk, .. } = completion;
    let answer = conversations::complete(ctx, tenant, bot, &talk, &EventSender::disabled()).await?;
    Ok(json_response(StatusCode::OK, &CompletionHead::new(bot).whole(&answer)))
}

/// An answer that is being generated. Dropping it stops generation.
struct CompletionStream {
    head: CompletionHead,
    with_usage: bool,
    first: AnswerEvent,
    rest: mpsc::Receiver<AnswerEvent>,
    answering: JoinHandle<Result<Answer, Error>>,
}

impl CompletionStream {
    /// Waits for the first event: errors before that get a response of their own.
    async fn start(ctx: &Context, tenant: TenantId, completion: Completion) -> Result<Self, ApiError> {
        let Completion { bot, talk, with_usage, .. } = completion;
        let (teller, mut rest) = EventSender::channel();
        let ctx = ctx.clone();
        let answer = async move { conversations::complete(&ctx, tenant, bot, &talk, &teller).await };
        let answering = tokio::spawn(answer.in_current_span());
        let Some(first) = rest.recv().await else {
            joined(answering).await?;
            return Err(ApiError::from(Error::internal("the answering task sent no event", "no cause")));
        };
        Ok(Self { head: CompletionHead::new(bot), with_usage, first, rest, answering })
    }

    fn events(self) -> impl Stream<Item = Event> {
        let Self { head, with_usage, first, rest, answering } = self;
        let begin = message(&head.begin());
        let (delta_head, end_head) = (head.clone(), head);
        let deltas = stream::iter([first]).chain(sse::receiver_stream(rest)).filter_map(move |event| {
            let delta = match event {
                AnswerEvent::Delta(text) => Some(message(&delta_head.delta(&text))),
                AnswerEvent::Sources(_) | AnswerEvent::UserMessage(_) => None,
            };
            std::future::ready(delta)
        });
        let end =
            stream::once(async move { end(&end_head, with_usage, answering).await }).flat_map(stream::iter);
        stream::iter([begin]).chain(deltas).chain(end)
    }
}

async fn end(
    head: &CompletionHead,
    with_usage: bool,
    answering: JoinHandle<Result<Answer, Error>>,
) -> Vec<Event> {
    match joined(answering).await {
        Ok(answer) => {
            let mut events = vec![message(&head.end(&answer))];
            events.extend(with_usage.then(|| message(&head.usage(&answer))));
            events.push(Event::message("[DONE]"));
            events
        }
        Err(error) => vec![message(&ApiError::from(error).into_openai())],
    }
}

async fn joined(answering: JoinHandle<Result<Answer, Error>>) -> Result<Answer, Error> {
    answering.await.map_err(|error| Error::internal("the answering task failed", error))?
}

fn message(data: &Value) -> Event {
    Event::message(data.to_string())
}
