//! Response bodies in the format of OpenAI's API.
//!
//! Extensions: `sources`, `answered`, `confidence`, `confidence_score`, `support`, `grounded` and `degraded`.

use chrono::Utc;
use parlance_core::bots::Bot;
use parlance_core::conversations::{Answer, Confidence};
use parlance_core::ids::BotId;
use poem_openapi::types::ToJSON;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::routes::conversations::{Citation, SentenceSupport, score};

/// Fields that a completion and all of its chunks share.
#[derive(Clone)]
pub(super) struct CompletionHead {
    id: String,
    created: i64,
    model: BotId,
}

impl CompletionHead {
    pub(super) fn new(bot: BotId) -> Self {
        let id = format!("chatcmpl-{}", Uuid::now_v7().simple());
        Self { id, created: Utc::now().timestamp(), model: bot }
    }

    /// A complete answer.
    pub(super) fn whole(&self, answer: &Answer) -> Value {
        let mut whole = json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model.to_string(),
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": answer.text, "refusal": null},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": usage(answer),
        });
        add_extensions(&mut whole, answer);
        whole
    }

    /// The first chunk.
    pub(super) fn begin(&self) -> Value {
        self.chunk(json!({"role": "assistant", "content": ""}), None)
    }

    /// A chunk of the text.
    pub(super) fn delta(&self, text: &str) -> Value {
        self.chunk(json!({"content": text}), None)
    }

    /// The last chunk.
    pub(super) fn end(&self, answer: &Answer) -> Value {
        let mut chunk = self.chunk(json!({}), Some(if answer.is_partial { "length" } else { "stop" }));
        add_extensions(&mut chunk, answer);
        chunk
    }

    /// The usage chunk that follows on request.
    pub(super) fn usage(&self, answer: &Answer) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model.to_string(),
            "choices": [],
            "usage": usage(answer),
        })
    }

    fn chunk(&self, delta: Value, finish_reason: Option<&str>) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model.to_string(),
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}],
        })
    }
}

/// The built-in answer uses no tokens.
fn usage(answer: &Answer) -> Value {
    let (input, output) = (answer.input_tokens.unwrap_or(0), answer.output_tokens.unwrap_or(0));
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input.saturating_add(output)})
}

/// Adds the extensions; their format is that of a `BotResponse`.
fn add_extensions(message: &mut Value, answer: &Answer) {
    let Some(fields) = message.as_object_mut() else { return };
    let sources = answer.sources.iter().cloned().map(Citation::from).collect::<Vec<_>>();
    let support = answer.support.iter().cloned().map(SentenceSupport::from).collect::<Vec<_>>();
    for (name, value) in [
        ("sources", sources.to_json().unwrap_or_default()),
        ("answered", answer.answered.into()),
        ("confidence", answer.confidence.map(Confidence::as_str).into()),
        ("confidence_score", score(answer.confidence_score).into()),
        ("support", support.to_json().unwrap_or_default()),
        ("grounded", answer.grounded.into()),
        ("degraded", answer.degraded.into()),
    ] {
        fields.insert(name.to_owned(), value);
    }
}

/// The model list: one model per bot.
pub(super) fn models(bots: &[Bot]) -> Value {
    let models: Vec<Value> = bots
        .iter()
        .map(|bot| {
            json!({
                "id": bot.id.to_string(),
                "object": "model",
                "created": bot.created_at.timestamp(),
                "owned_by": "parlance",
                "name": bot.name,
            })
        })
        .collect();
    json!({"object": "list", "data": models})
}
