//! Every model that `genai` reaches: OpenAI and compatible servers, Anthropic, Gemini, Ollama, …

use std::time::Duration;

use async_trait::async_trait;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatRequest};
use genai::resolver::{AuthData, AuthResolver, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::ExposeSecret;

use super::{ChatModel, Completion, Prompt, Speaker};
use crate::config::Chat;
use crate::error::{Error, Part, Result};

/// How long connecting to the model's server may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a whole answer may take.
const TOTAL: Duration = Duration::from_secs(60);

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
    pub fn new(config: &Chat) -> Result<Self> {
        let failed = |error: crate::error::BoxError| Error::internal("LLM_MODEL cannot be used", error);
        crate::tls::install();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .build()
            .map_err(|error| failed(error.into()))?;
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
        let client = builder.with_reqwest(http).build().map_err(|error| failed(error.into()))?;
        Ok(Self { name: config.model.clone(), client })
    }
}

#[async_trait]
impl ChatModel for GenaiModel {
    fn id(&self) -> &str {
        &self.name
    }

    async fn complete(&self, prompt: Prompt) -> Result<Completion> {
        let messages = prompt.turns.into_iter().map(|turn| match turn.speaker {
            Speaker::User => ChatMessage::user(turn.text),
            Speaker::Bot => ChatMessage::assistant(turn.text),
        });
        let request = ChatRequest::new(messages.collect()).with_system(prompt.system);
        let answer = self.client.exec_chat(&self.name, request, None).await.map_err(unavailable)?;
        let (input_tokens, output_tokens) = (answer.usage.prompt_tokens, answer.usage.completion_tokens);
        let text = answer.into_first_text().unwrap_or_default().trim().to_owned();
        if text.is_empty() {
            return Err(Error::unavailable(Part::Chat, "the model answered with nothing"));
        }
        Ok(Completion { text, input_tokens, output_tokens })
    }
}

fn unavailable(error: genai::Error) -> Error {
    let retry_after = match &error {
        genai::Error::HttpError { headers, .. } => retry_after(headers),
        genai::Error::WebModelCall {
            webc_error: genai::webc::Error::ResponseFailedStatus { headers, .. },
            ..
        } => retry_after(headers),
        _ => None,
    };
    Error::Unavailable { part: Part::Chat, retry_after, source: error.into() }
}

/// The seconds form of `Retry-After` (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
