//! Responses without the parts that always differ.

use std::collections::BTreeMap;

use parlance_testing::{Client, text_of};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::scene::{ApiRequest, Scene};
use crate::spec::operations;

/// A response without request id, date and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparable {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Sends a request. `named` are its ids, which the response may repeat.
pub(super) async fn send(http: &Client, request: &ApiRequest, named: &[String]) -> Comparable {
    let response = request.build(http).send().await.unwrap();
    let status = response.status();
    let mut headers: BTreeMap<String, String> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let request_id = headers.remove("x-request-id").unwrap();
    headers.remove("date");
    if status.is_success() {
        // Timings vary in length.
        headers.remove("content-length");
    }
    let mut body = text_of(response).await.replace(&request_id, "<request>");
    for name in named {
        body = body.replace(name, "<named>");
    }
    Comparable { status: status.as_u16(), headers, body }
}

/// A response without new ids, times and timings.
pub(super) fn normalized(response: &Comparable) -> Comparable {
    let body = match serde_json::from_str(&response.body) {
        Ok(mut body) if response.status < 300 => {
            remove_variable_parts(&mut body);
            body.to_string()
        }
        _ => response.body.clone(),
    };
    Comparable { body, ..response.clone() }
}

fn remove_variable_parts(json: &mut Value) {
    match json {
        Value::String(text) if text.parse::<Uuid>().is_ok() => *text = "<id>".to_owned(),
        Value::String(text) if chrono::DateTime::parse_from_rfc3339(text).is_ok() => {
            *text = "<time>".to_owned()
        }
        Value::Array(items) => items.iter_mut().for_each(remove_variable_parts),
        Value::Object(fields) => {
            fields.remove("timings_ms");
            fields.values_mut().for_each(remove_variable_parts);
        }
        _ => {}
    }
}

/// The responses to every GET about these resources.
pub(super) async fn get_all(http: &Client, scene: &Scene) -> BTreeMap<String, Comparable> {
    let mut responses = BTreeMap::new();
    for operation in operations().into_iter().filter(|operation| operation.method == Method::GET) {
        let mut response = send(http, &scene.request(&operation), &[]).await;
        if let (Ok(mut body), "listApiKeys") = (serde_json::from_str::<Value>(&response.body), &*operation.id)
        {
            // Listing keys changes the last use.
            for key in body["data"].as_array_mut().unwrap() {
                key["last_used_at"] = Value::Null;
            }
            response.body = body.to_string();
        }
        response.headers.remove("content-length");
        responses.insert(operation.id, response);
    }
    responses
}
