//! Chat models through `genai`: OpenAI and compatible servers, Anthropic, Gemini, Ollama, …

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent};
use genai::resolver::{AuthData, AuthResolver, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret;

use super::{ChatModel, ModelError, Piece, Pieces, Prompt, Speaker, Usage};
use crate::error::{Error, Result};
use crate::platform::config::Chat;
use crate::platform::propagation::{self, TRACEPARENT};

/// Connect timeout of the model's server, TLS included. Short, because a user waits for the fallback.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

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
            // The prompt and the key are for the configured server only.
            .redirect(Policy::none())
            .referer(false)
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
        // No response: the connection was closed. A refused connection is not retried: it is likely to be refused
        // again.
        None => {
            matches!(&error, genai::Error::WebStream { .. } | genai::Error::WebModelCall { .. })
                && !is_unreachable(&error)
        }
    };
    ModelError { is_transient, retry_after: response.and_then(|(_, after)| after), source: error.into() }
}

/// Whether no connection was made: refused, no such host, or no answer before the timeout.
fn is_unreachable(error: &genai::Error) -> bool {
    let cause = match error {
        genai::Error::WebModelCall { webc_error: genai::webc::Error::Reqwest(cause), .. } => Some(cause),
        genai::Error::WebStream { error, .. } => match error.downcast_ref() {
            Some(genai::webc::Error::Reqwest(cause)) => Some(cause),
            Some(_) => None,
            None => error.downcast_ref::<reqwest::Error>(),
        },
        _ => None,
    };
    cause.is_some_and(reqwest::Error::is_connect)
}

/// `Retry-After` in its seconds form (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::platform::config::ChatTimeouts;
    use crate::providers::chat::Turn;

    /// The failure of a call to a model at `url`.
    async fn failure(url: String) -> ModelError {
        let seconds = Duration::from_secs(9);
        let config = Chat {
            model: "scripted".to_owned(),
            base_url: Some(url.parse().unwrap()),
            api_key: None,
            fallbacks: Vec::new(),
            context_tokens: 1000,
            timeouts: ChatTimeouts { first_token: seconds, total: seconds },
        };
        let model = GenaiModel::new("scripted", &config).unwrap();
        let turn = Turn { speaker: Speaker::User, text: "Hello".to_owned() };
        let mut pieces = model.answer(Prompt { system: String::new(), turns: vec![turn] });
        pieces.next().await.unwrap().unwrap_err()
    }

    #[tokio::test]
    async fn a_refused_connection_is_not_retried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        drop(listener);
        let error = failure(url).await;
        assert!(!error.is_transient, "{error:?}");
    }

    #[tokio::test]
    async fn a_connection_closed_without_a_response_is_retried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let _request = client.read(&mut [0; 1024]).await;
            }
        });
        let error = failure(url).await;
        assert!(error.is_transient, "{error:?}");
    }
}
