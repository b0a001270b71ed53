//! Answers, without what differs between any two of them.

use std::collections::BTreeMap;

use parlance_testing::{Client, text_of};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::scene::{Asked, Scene};
use crate::spec::operations;

/// What was heard, without what differs between any two answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Sends a request; `named` is what it names, which the answer may repeat.
pub(super) async fn hear(http: &Client, asked: &Asked, named: &[String]) -> Heard {
    let response = asked.request(http).send().await.unwrap();
    let status = response.status();
    let mut headers: BTreeMap<String, String> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let request = headers.remove("x-request-id").unwrap();
    headers.remove("date");
    if status.is_success() {
        // Times are not always as long.
        headers.remove("content-length");
    }
    let mut body = text_of(response).await.replace(&request, "<request>");
    for name in named {
        body = body.replace(name, "<named>");
    }
    Heard { status: status.as_u16(), headers, body }
}

/// A success without what is new in each: ids, moments and durations.
pub(super) fn plain(heard: &Heard) -> Heard {
    let body = match serde_json::from_str(&heard.body) {
        Ok(mut body) if heard.status < 300 => {
            forget_news(&mut body);
            body.to_string()
        }
        _ => heard.body.clone(),
    };
    Heard { body, ..heard.clone() }
}

fn forget_news(json: &mut Value) {
    match json {
        Value::String(text) if text.parse::<Uuid>().is_ok() => *text = "<id>".to_owned(),
        Value::String(text) if chrono::DateTime::parse_from_rfc3339(text).is_ok() => {
            *text = "<time>".to_owned()
        }
        Value::Array(items) => items.iter_mut().for_each(forget_news),
        Value::Object(fields) => {
            fields.remove("timings_ms");
            fields.values_mut().for_each(forget_news);
        }
        _ => {}
    }
}

/// The answers to every GET about these things.
pub(super) async fn seen(http: &Client, scene: &Scene) -> BTreeMap<String, Heard> {
    let mut seen = BTreeMap::new();
    for operation in operations().into_iter().filter(|operation| operation.method == Method::GET) {
        let mut heard = hear(http, &scene.ask(&operation), &[]).await;
        if let (Ok(mut body), "listApiKeys") = (serde_json::from_str::<Value>(&heard.body), &*operation.id) {
            // When a key was last used changes by looking.
            for key in body["data"].as_array_mut().unwrap() {
                key["last_used_at"] = Value::Null;
            }
            heard.body = body.to_string();
        }
        heard.headers.remove("content-length");
        seen.insert(operation.id, heard);
    }
    seen
}
