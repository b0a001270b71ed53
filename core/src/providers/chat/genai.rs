//! Chat models through `genai`: OpenAI and compatible servers, Anthropic, Gemini, Ollama, …

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

/// Connect timeout of the model's server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A chat model called through `genai`.
pub struct GenaiModel {
    name: String,
    client: Client,
}

impl GenaiModel {
    /// Builds a client. Sends no request.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(name: &str, config: &Chat) -> Result<Self> {
        let unusable =
            |error: crate::error::BoxError| Error::internal("cannot set up the model of LLM_MODEL", error);
        crate::platform::tls::install();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| unusable(error.into()))?;
        let key = config.api_key.as_ref().map(|key| key.expose_secret().to_owned());
        let builder = match config.base_url.clone() {
            Some(mut url) => {
                // Without a trailing slash, joining the path would drop the base's last segment.
                if !url.path().ends_with('/') {
                    url.set_path(&format!("{}/", url.path()));
                }
                // Servers without authentication still require a well-formed header.
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
        let call = async move {
            let mut options = ChatOptions::default().with_capture_usage(true);
            if let Some(traceparent) = propagation::traceparent() {
                options = options.with_extra_headers((TRACEPARENT, traceparent));
            }
            let answer = client.exec_chat_stream(&name, request, Some(&options)).await.map_err(failed)?;
            Ok(answer.stream.map_err(failed))
        };
        let pieces = stream::once(call).try_flatten();
        pieces.try_filter_map(|event| std::future::ready(Ok(piece(event)))).boxed()
    }
}

/// Converts an event. Reasoning and other events are dropped.
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
    let response = match &error {
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
    let is_transient = match response {
        Some((status, _)) => {
            status.is_server_error()
                || status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT
        }
        // No response: unreachable, or the connection was closed.
        None => matches!(&error, genai::Error::WebStream { .. } | genai::Error::WebModelCall { .. }),
    };
    ModelError { is_transient, retry_after: response.and_then(|(_, after)| after), source: error.into() }
}

/// `Retry-After` in its seconds form (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
