//! Every model that `genai` reaches: OpenAI and compatible servers, Anthropic, Gemini, Ollama, …

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent};
use genai::resolver::{AuthData, AuthResolver, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::ExposeSecret;

use super::{ChatModel, ModelError, Piece, Pieces, Prompt, Speaker, Usage};
use crate::error::{Error, Result};
use crate::platform::config::Chat;
use crate::platform::propagation::{self, TRACEPARENT};

/// How long connecting to the model's server may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A model behind `genai`.
pub struct GenaiModel {
    name: String,
    client: Client,
}

impl GenaiModel {
    /// A client for the model; nothing is asked of it yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(name: &str, config: &Chat) -> Result<Self> {
        let unusable = |error: crate::error::BoxError| Error::internal("LLM_MODEL cannot be used", error);
        crate::platform::tls::install();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| unusable(error.into()))?;
        let key = config.api_key.as_ref().map(|key| key.expose_secret().to_owned());
        let builder = match config.base_url.clone() {
            Some(mut url) => {
                // A base without its slash would lose its last segment when the path is joined.
                if !url.path().ends_with('/') {
                    url.set_path(&format!("{}/", url.path()));
                }
                // Servers that want no key still want the header to be well-formed.
                let key = key.unwrap_or_else(|| "none".to_owned());
                let resolver = ServiceTargetResolver::from_resolver_fn(
                    move |target: ServiceTarget| -> genai::resolver::Result<ServiceTarget> {
                        Ok(ServiceTarget {
                            endpoint: Endpoint::from_owned(url.as_str()),
                            auth: AuthData::from_single(key.clone()),
                            model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
                        })
                    },
                );
                Client::builder().with_service_target_resolver(resolver)
            }
            None => match key {
                Some(key) => Client::builder().with_auth_resolver(AuthResolver::from_resolver_fn(
                    move |_: ModelIden| -> genai::resolver::Result<Option<AuthData>> {
                        Ok(Some(AuthData::from_single(key.clone())))
                    },
                )),
                None => Client::builder(),
            },
        };
        let client = builder.with_reqwest(http).build().map_err(|error| unusable(error.into()))?;
        Ok(Self { name: name.to_owned(), client })
    }
}

impl ChatModel for GenaiModel {
    fn id(&self) -> &str {
        &self.name
    }

    fn answer(&self, prompt: Prompt) -> Pieces {
        let messages = prompt.turns.into_iter().map(|turn| match turn.speaker {
            Speaker::User => ChatMessage::user(turn.text),
            Speaker::Bot => ChatMessage::assistant(turn.text),
        });
        let request = ChatRequest::new(messages.collect()).with_system(prompt.system);
        let (client, name) = (self.client.clone(), self.name.clone());
        let asked = async move {
            let mut options = ChatOptions::default().with_capture_usage(true);
            if let Some(traceparent) = propagation::traceparent() {
                options = options.with_extra_headers((TRACEPARENT, traceparent));
            }
            let answer = client.exec_chat_stream(&name, request, Some(&options)).await.map_err(failed)?;
            Ok(answer.stream.map_err(failed))
        };
        let pieces = stream::once(asked).try_flatten();
        pieces.try_filter_map(|event| std::future::ready(Ok(piece(event)))).boxed()
    }
}

/// What a model thinks before it answers is not told.
fn piece(event: ChatStreamEvent) -> Option<Piece> {
    match event {
        ChatStreamEvent::Chunk(chunk) => Some(Piece::Text(chunk.content)),
        ChatStreamEvent::End(end) => {
            let usage = end.captured_usage.unwrap_or_default();
            let (input_tokens, output_tokens) = (usage.prompt_tokens, usage.completion_tokens);
            Some(Piece::End(Usage { input_tokens, output_tokens }))
        }
        _ => None,
    }
}

fn failed(error: genai::Error) -> ModelError {
    let answered = match &error {
        genai::Error::HttpError { status, headers, .. } => Some((*status, retry_after(headers))),
        genai::Error::WebModelCall {
            webc_error: genai::webc::Error::ResponseFailedStatus { status, headers, .. },
            ..
        } => Some((*status, retry_after(headers))),
        genai::Error::WebStream { error, .. } => match error.downcast_ref() {
            Some(genai::Error::HttpError { status, headers, .. }) => Some((*status, retry_after(headers))),
            _ => None,
        },
        _ => None,
    };
    let is_passing = match answered {
        Some((status, _)) => {
            status.is_server_error()
                || status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT
        }
        // It could not be reached, or hung up.
        None => matches!(&error, genai::Error::WebStream { .. } | genai::Error::WebModelCall { .. }),
    };
    ModelError { is_passing, retry_after: answered.and_then(|(_, after)| after), source: error.into() }
}

/// The seconds form of `Retry-After` (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
