//! Answers, as clients of OpenAI's API read them; beside what those know, `sources`, `answered` and `degraded`.

use chrono::Utc;
use parlance_core::bots::Bot;
use parlance_core::conversations::Answer;
use parlance_core::ids::BotId;
use poem_openapi::types::ToJSON;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::conversations::Source;

/// What an answer and all of its pieces are called.
pub(super) struct Name {
    id: String,
    created: i64,
    model: BotId,
}

impl Name {
    pub(super) fn fresh(bot: BotId) -> Self {
        let id = format!("chatcmpl-{}", Uuid::now_v7().simple());
        Self { id, created: Utc::now().timestamp(), model: bot }
    }

    /// A whole answer.
    pub(super) fn whole(&self, answer: &Answer) -> Value {
        json!({
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
            "sources": sources(answer),
            "answered": answer.answered,
            "degraded": answer.degraded,
        })
    }

    /// The first piece.
    pub(super) fn begin(&self) -> Value {
        self.chunk(json!({"role": "assistant", "content": ""}), None)
    }

    /// A piece of the text.
    pub(super) fn piece(&self, text: &str) -> Value {
        self.chunk(json!({"content": text}), None)
    }

    /// The last piece.
    pub(super) fn end(&self, answer: &Answer) -> Value {
        let mut chunk = self.chunk(json!({}), Some(if answer.is_partial { "length" } else { "stop" }));
        if let Some(fields) = chunk.as_object_mut() {
            fields.insert("sources".to_owned(), sources(answer));
            fields.insert("answered".to_owned(), answer.answered.into());
            fields.insert("degraded".to_owned(), answer.degraded.into());
        }
        chunk
    }

    /// What comes after it, when it is asked for.
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

/// Nothing is read or written by the built-in answer.
fn usage(answer: &Answer) -> Value {
    let (input, output) = (answer.input_tokens.unwrap_or(0), answer.output_tokens.unwrap_or(0));
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input.saturating_add(output)})
}

fn sources(answer: &Answer) -> Value {
    answer.sources.iter().cloned().map(Source::from).collect::<Vec<_>>().to_json().unwrap_or_default()
}

/// Bots, as models.
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
