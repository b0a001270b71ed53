//! The door for clients of OpenAI's API: `/v1/chat/completions` and `/v1/models`. A model is a bot, and its name
//! the bot's id; the key comes as a bearer token. Such clients keep the conversation: nothing is stored here.

use futures_util::stream::{self, Stream, StreamExt};
use parlance_core::conversations::{self, Answer, Teller, Told};
use parlance_core::ids::TenantId;
use parlance_core::{Context, Error, PageRequest, bots};
use poem::web::Data;
use poem::web::sse::Event;
use poem::{Body, IntoResponse, Request, Response, handler};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::error::ApiError;
use crate::extract::json::JSON_BYTES;
use crate::extract::tenant::{self, Chat};
use crate::response::envelope::json_response;
use crate::response::sse;

pub(crate) mod requests;
mod responses;

use requests::Completion;
use responses::Name;

/// `POST /v1/chat/completions`.
#[handler]
pub(crate) async fn complete(request: &Request, ctx: Data<&Context>, body: Body) -> Response {
    answer(request, &ctx, body).await.unwrap_or_else(ApiError::respond_as_openai)
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
    Ok(json_response(poem::http::StatusCode::OK, &responses::models(&bots.items)))
}

async fn answer(request: &Request, ctx: &Context, body: Body) -> Result<Response, ApiError> {
    let tenant = tenant::bearer::<Chat>(ctx, request).await?;
    let bytes = body.into_bytes_limit(usize::try_from(JSON_BYTES).unwrap_or(usize::MAX)).await;
    let bytes = bytes.map_err(|error| ApiError::of_poem(error.into()))?;
    let asked = Completion::parse(&bytes)?;
    if !asked.stream {
        let answer = conversations::converse(ctx, tenant, asked.bot, &asked.talk, &Teller::nobody()).await?;
        let whole = Name::fresh(asked.bot).whole(&answer);
        return Ok(json_response(poem::http::StatusCode::OK, &whole));
    }
    Ok(sse::response(streamed(ctx, tenant, asked).await?.events()).into_response())
}

/// An answer that is being written.
struct Telling {
    name: Name,
    with_usage: bool,
    first: Option<Told>,
    told: mpsc::Receiver<Told>,
    answering: JoinHandle<Result<Answer, Error>>,
}

/// Waits until there is something to tell: what is wrong until then is an answer of its own.
async fn streamed(ctx: &Context, tenant: TenantId, asked: Completion) -> Result<Telling, ApiError> {
    let Completion { bot, talk, with_usage, .. } = asked;
    let (teller, mut told) = Teller::new();
    let ctx = ctx.clone();
    let answer = async move { conversations::converse(&ctx, tenant, bot, &talk, &teller).await };
    let answering = tokio::spawn(answer.in_current_span());
    let first = told.recv().await;
    if first.is_none() {
        ended(answering).await?;
        return Err(ApiError::from(Error::internal("an answer told nothing", "of itself")));
    }
    Ok(Telling { name: Name::fresh(bot), with_usage, first, told, answering })
}

async fn ended(answering: JoinHandle<Result<Answer, Error>>) -> Result<Answer, Error> {
    answering.await.map_err(|error| Error::internal("an answer did not end", error))?
}

impl Telling {
    fn events(self) -> impl Stream<Item = Event> {
        let begin = message(&self.name.begin());
        let pieces = stream::unfold(Some(self), async |telling| {
            let mut telling = telling?;
            let told = match telling.first.take() {
                Some(first) => Some(first),
                None => telling.told.recv().await,
            };
            Some(match told {
                Some(Told::Delta(text)) => (vec![message(&telling.name.piece(&text))], Some(telling)),
                Some(Told::Sources(_) | Told::UserMessage(_)) => (Vec::new(), Some(telling)),
                None => (telling.end().await, None),
            })
        });
        stream::iter([begin]).chain(pieces.flat_map(stream::iter))
    }

    async fn end(self) -> Vec<Event> {
        match ended(self.answering).await {
            Ok(answer) => {
                let mut events = vec![message(&self.name.end(&answer))];
                events.extend(self.with_usage.then(|| message(&self.name.usage(&answer))));
                events.push(Event::message("[DONE]"));
                events
            }
            Err(error) => vec![message(&ApiError::from(error).into_openai())],
        }
    }
}

fn message(data: &Value) -> Event {
    Event::message(data.to_string())
}
