//! Request bodies of OpenAI's API. Unknown fields are ignored, as by OpenAI's servers.

use parlance_core::conversations::{MessageText, Transcript};
use parlance_core::error::Thing;
use parlance_core::ids::BotId;
use parlance_core::providers::chat::{Speaker, Turn};
use serde::Deserialize;

use crate::error::ApiError;
use crate::extract::fields::{Field, Fields};

/// A completion request.
pub(crate) struct Completion {
    pub(crate) bot: BotId,
    pub(super) talk: Transcript,
    pub(super) stream: bool,
    pub(super) with_usage: bool,
}

#[derive(Deserialize)]
struct Body {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

/// A text, or its parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

impl Completion {
    /// Parses a body. System messages are ignored: a bot has its own instructions.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        let body: Body =
            serde_json::from_slice(bytes).map_err(|error| ApiError::unreadable_json(&error.to_string()))?;
        let bot = body.model.trim().parse().map_err(|_| ApiError::not_found(Thing::Bot))?;
        let mut turns: Vec<Turn> = body.messages.into_iter().filter_map(Message::turn).collect();
        let question = turns.pop_if(|turn| turn.speaker == Speaker::User).map(|turn| turn.text);
        let mut fields = Fields::of_body();
        let question = fields.required("message", Field::<MessageText>::from_text(question.as_deref()));
        Ok(Self {
            bot,
            talk: Transcript::new(turns, fields.finish(|| question)?),
            stream: body.stream.unwrap_or(false),
            with_usage: body.stream_options.and_then(|options| options.include_usage).unwrap_or(false),
        })
    }
}

impl Message {
    fn turn(self) -> Option<Turn> {
        let speaker = match self.role.as_str() {
            "user" => Speaker::User,
            "assistant" => Speaker::Bot,
            _ => return None,
        };
        let text = match self.content? {
            Content::Text(text) => text,
            Content::Parts(parts) => parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("\n"),
        };
        Some(Turn { speaker, text })
    }
}
