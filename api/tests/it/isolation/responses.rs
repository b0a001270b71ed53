//! Responses without the parts that differ between any two of them.

use std::collections::BTreeMap;

use parlance_testing::{Client, text_of};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::fixture::{Fixture, TestRequest};
use crate::spec::operations;

/// A response without request id, date and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparable {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Sends a request. The response may repeat the `ids` of the request: they are masked.
pub(super) async fn send(http: &Client, request: &TestRequest, ids: &[String]) -> Comparable {
    let response = request.builder(http).send().await.unwrap();
    let status = response.status();
    let mut headers: BTreeMap<String, String> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let request_id = headers.remove("x-request-id").unwrap();
    headers.remove("date");
    if status.is_success() {
        // The length of a duration varies.
        headers.remove("content-length");
    }
    let mut body = text_of(response).await.replace(&request_id, "<request>");
    for id in ids {
        body = body.replace(id, "<id of the request>");
    }
    Comparable { status: status.as_u16(), headers, body }
}

/// A successful response without generated ids, times and durations.
pub(super) fn without_ids_and_times(response: &Comparable) -> Comparable {
    let body = match serde_json::from_str(&response.body) {
        Ok(mut body) if response.status < 300 => {
            mask_ids_and_times(&mut body);
            body.to_string()
        }
        _ => response.body.clone(),
    };
    Comparable { body, ..response.clone() }
}

fn mask_ids_and_times(json: &mut Value) {
    match json {
        Value::String(text) if text.parse::<Uuid>().is_ok() => *text = "<id>".to_owned(),
        Value::String(text) if chrono::DateTime::parse_from_rfc3339(text).is_ok() => {
            *text = "<time>".to_owned()
        }
        Value::Array(items) => items.iter_mut().for_each(mask_ids_and_times),
        Value::Object(fields) => {
            fields.remove("timings_ms");
            fields.values_mut().for_each(mask_ids_and_times);
        }
        _ => {}
    }
}

/// The responses of every GET operation for these resources.
pub(super) async fn read_all(http: &Client, fixture: &Fixture) -> BTreeMap<String, Comparable> {
    let mut responses = BTreeMap::new();
    for operation in operations().into_iter().filter(|operation| operation.method == Method::GET) {
        let mut response = send(http, &fixture.request(&operation), &[]).await;
        if let (Ok(mut body), "listApiKeys") = (serde_json::from_str::<Value>(&response.body), &*operation.id)
        {
            // Each request updates it.
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
