//! Request bodies of OpenAI's API. Unknown fields are ignored, as by OpenAI's servers.
//!
//! Messages are parsed one by one, and only the last are kept: a message may take many times the memory of its text.

use std::collections::VecDeque;
use std::fmt;

use parlance_core::conversations::{MessageText, Transcript};
use parlance_core::error::Thing;
use parlance_core::ids::BotId;
use parlance_core::providers::chat::{Speaker, Turn};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

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
    messages: Turns,
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

/// The last messages of the user and the assistant: the history for the prompt, and the question.
struct Turns(VecDeque<Turn>);

impl<'de> Deserialize<'de> for Turns {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_seq(TurnsVisitor)
    }
}

struct TurnsVisitor;

impl<'de> Visitor<'de> for TurnsVisitor {
    type Value = Turns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut messages: A) -> Result<Turns, A::Error> {
        let mut turns = VecDeque::new();
        while let Some(message) = messages.next_element::<Message>()? {
            let Some(turn) = message.turn() else { continue };
            if turns.len() > Transcript::HISTORY {
                turns.pop_front();
            }
            turns.push_back(turn);
        }
        Ok(Turns(turns))
    }
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

/// A text, or its parts, one a line.
struct Content(String);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
        Ok(Content(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
        let mut text = parts.next_element::<Part>()?.map(|part| part.text).unwrap_or_default();
        while let Some(part) = parts.next_element::<Part>()? {
            text.push('\n');
            text.push_str(&part.text);
        }
        Ok(Content(text))
    }
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
        let mut turns = Vec::from(body.messages.0);
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
        Some(Turn { speaker, text: self.content?.0 })
    }
}
