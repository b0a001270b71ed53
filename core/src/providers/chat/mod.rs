//! What writes an answer from passages, when it is a language model. The built-in extractive answer
//! is no provider: it is `conversations::extractive`, needs nothing and cannot fail.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;

use crate::error::{BoxError, Result};
use crate::platform::config::Chat;

mod model;
mod models;
mod tokens;

pub use model::GenaiModel;
pub use models::{Models, Opened};

/// The name that chooses the built-in extractive answers.
pub const EXTRACTIVE: &str = "extractive";

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Who the model is, and the rules.
    pub system: String,
    /// What was said before, oldest first, ending with the user's question.
    pub turns: Vec<Turn>,
}

/// One utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub text: String,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    User,
    /// The bot.
    Bot,
}

/// A part of what a model answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Some of its text.
    Text(String),
    /// The last piece: an answer that ends without it was cut off.
    End(Usage),
}

/// Tokens, when the model says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Those it read.
    pub input_tokens: Option<i32>,
    /// Those it wrote.
    pub output_tokens: Option<i32>,
}

/// Why a model did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the model did not answer")]
pub struct ModelError {
    /// Whether it may answer if it is asked again: it is busy, or could not be reached.
    pub is_passing: bool,
    /// The wait that it asked for.
    pub retry_after: Option<Duration>,
    /// What happened.
    #[source]
    pub source: BoxError,
}

/// What a model answers, as it is written. Dropping it stops the model.
pub type Pieces = BoxStream<'static, std::result::Result<Piece, ModelError>>;

/// A language model.
pub trait ChatModel: Send + Sync {
    /// Its name, as it is stored with each answer.
    fn id(&self) -> &str;

    /// Answers a prompt. Nothing is asked before the stream is polled.
    fn answer(&self, prompt: Prompt) -> Pieces;
}

/// The models that the configuration names; `None`: the built-in extractive answers.
///
/// # Errors
/// When no client can be made.
pub fn from_config(config: &Chat) -> Result<Option<Models>> {
    if config.model == EXTRACTIVE {
        return Ok(None);
    }
    let names = std::iter::once(&config.model).chain(&config.fallbacks);
    let models: Result<Vec<Arc<dyn ChatModel>>> =
        names.map(|name| Ok(Arc::new(GenaiModel::new(name, config)?) as Arc<dyn ChatModel>)).collect();
    Ok(Some(Models::new(models?, config.patience)))
}
