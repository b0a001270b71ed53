//! Chat models: generate an answer from a prompt.
//!
//! The built-in extractive answer is not a provider. It lives in `conversations::extractive`, has no
//! dependencies and cannot fail.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;

use crate::error::{BoxError, Result};
use crate::platform::config::Chat;

mod breaker;
mod fallback;
mod genai;
mod tokens;

pub use self::genai::GenaiModel;
pub use fallback::{Models, Opened};

/// Value of `LLM_MODEL` that selects the built-in extractive answers.
pub const EXTRACTIVE: &str = "extractive";

/// Input of a chat model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// System prompt: role and rules.
    pub system: String,
    /// Conversation so far, oldest first, ending with the user's question.
    pub turns: Vec<Turn>,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Author of the message.
    pub speaker: Speaker,
    /// Text of the message.
    pub text: String,
}

/// Author of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    User,
    /// The bot.
    Bot,
}

/// One item of a model's response stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A fragment of text.
    Text(String),
    /// Always the last piece. A stream that ends without it was truncated.
    End(Usage),
}

/// Token usage, as far as the model reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens.
    pub input_tokens: Option<i32>,
    /// Completion tokens.
    pub output_tokens: Option<i32>,
}

/// Failure of a model call.
#[derive(Debug, thiserror::Error)]
#[error("the model call failed")]
pub struct ModelError {
    /// Whether a retry may succeed: the model was busy, or the connection broke off.
    pub is_transient: bool,
    /// Delay requested by the server (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// Underlying error.
    #[source]
    pub source: BoxError,
}

/// Response stream of a model. Dropping it stops generation.
pub type Pieces = BoxStream<'static, std::result::Result<Piece, ModelError>>;

/// A chat model.
pub trait ChatModel: Send + Sync {
    /// Model name, stored with each answer.
    fn id(&self) -> &str;

    /// Streams the answer to a prompt. The request is sent on first poll.
    fn answer(&self, prompt: Prompt) -> Pieces;
}

/// The configured models, or `None` for the built-in extractive answers.
///
/// # Errors
/// When a client cannot be built.
pub fn from_config(config: &Chat) -> Result<Option<Models>> {
    if config.model == EXTRACTIVE {
        return Ok(None);
    }
    let names = std::iter::once(&config.model).chain(&config.fallbacks);
    let models: Result<Vec<Arc<dyn ChatModel>>> =
        names.map(|name| Ok(Arc::new(GenaiModel::new(name, config)?) as Arc<dyn ChatModel>)).collect();
    Ok(Some(Models::new(models?, config.timeouts)))
}
