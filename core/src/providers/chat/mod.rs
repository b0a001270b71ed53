//! What writes an answer from passages, when it is a language model. The built-in extractive answer
//! is no provider: it is `conversations::extractive`, needs nothing and cannot fail.

use std::sync::Arc;

use async_trait::async_trait;

use crate::config::Chat;
use crate::error::Result;

mod model;

pub use model::GenaiModel;

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

/// What a model answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Its text.
    pub text: String,
    /// Tokens it read, when it says so.
    pub input_tokens: Option<i32>,
    /// Tokens it wrote, when it says so.
    pub output_tokens: Option<i32>,
}

/// A language model.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// Its name, as it is stored with each answer.
    fn id(&self) -> &str;

    /// Answers a prompt.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] with the wait that the model's server asked for, if any.
    async fn complete(&self, prompt: Prompt) -> Result<Completion>;
}

/// The model that the configuration names; `None`: the built-in extractive answers.
///
/// # Errors
/// When no client can be made.
pub fn from_config(config: &Chat) -> Result<Option<Arc<dyn ChatModel>>> {
    if config.model == EXTRACTIVE {
        return Ok(None);
    }
    Ok(Some(Arc::new(GenaiModel::new(config)?)))
}
