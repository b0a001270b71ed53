//! The door for clients of OpenAI's API, byte by byte; `.ci/contract` goes through it with OpenAI's own package.

use parlance_testing::{Builder, Client, Stage};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::work;

const RETURNS: &str = "# Returns\n\nGoods may be returned within thirty days of purchase.\n";

/// The application with a bot that knows when goods may be returned.
async fn stage() -> (Stage, String) {
    let stage = Builder::default().start().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    stage.http.upload(&bot, "returns.md", RETURNS).await.id();
    work(&stage).await;
    (stage, bot)
}

/// A request to the door, with the tenant's key as a bearer token.
fn door(stage: &Stage, path: &str, body: &Value) -> RequestBuilder {
    as_bearer(&stage.http, Method::POST, path).json(body)
}

fn as_bearer(http: &Client, method: Method, path: &str) -> RequestBuilder {
    http.with_key(None).raw(method, path).bearer_auth(http.key().unwrap())
}

fn asking(bot: &str) -> Value {
    json!({"model": bot, "messages": [
        {"role": "system", "content": "Answer in riddles."},
        {"role": "user", "content": [{"type": "text", "text": "When may goods be returned?"}]},
    ]})
}

async fn json_of(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_bot_answers_a_chat_completion_with_citations() {
    let (stage, bot) = stage().await;
    let before = stage.http.get("/tenant/usage").await.data(200).clone();
    let (status, answer) =
        json_of(door(&stage, "/v1/chat/completions", &asking(&bot)).send().await.unwrap()).await;
    assert_eq!((status, &answer["object"], &answer["model"]), (200, &json!("chat.completion"), &json!(bot)));
    let choice = &answer["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["role"]), (&json!("stop"), &json!("assistant")));
    assert_eq!(choice["message"]["content"], "Goods may be returned within thirty days of purchase. [1]");
    assert_eq!(answer["sources"][0]["source_name"], "returns.md");
    assert_eq!(answer["usage"]["total_tokens"], 0);
    // It is counted, and not stored.
    let after = stage.http.get("/tenant/usage").await.data(200).clone();
    assert_ne!(before, after);
    assert_eq!(stage.http.get("/conversations").await.body["pagination"]["total"], 0);

    let models = as_bearer(&stage.http, Method::GET, "/v1/models").send().await.unwrap();
    assert_eq!(json_of(models).await.1["data"][0]["id"], bot);
    stage.end().await;
}

#[tokio::test]
async fn a_stream_ends_with_done() {
    let (stage, bot) = stage().await;
    let mut body = asking(&bot);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let response = door(&stage, "/v1/chat/completions", &body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
    assert_eq!(data.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> =
        data[..data.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"));
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let said: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(said, "Goods may be returned within thirty days of purchase. [1]");
    let last = &chunks[chunks.len() - 2];
    assert_eq!((&last["choices"][0]["finish_reason"], &last["answered"]), (&json!("stop"), &json!(true)));
    assert!(chunks[chunks.len() - 1]["usage"].is_object());
    stage.end().await;
}

#[tokio::test]
async fn errors_have_the_openai_format() {
    let (stage, bot) = stage().await;
    let mut streamed = asking("gpt-4o");
    streamed["stream"] = json!(true);
    for (body, status, code) in [
        (asking("gpt-4o"), 404, "bot_not_found"),
        (streamed, 404, "bot_not_found"),
        (asking(&uuid::Uuid::now_v7().to_string()), 404, "bot_not_found"),
        (json!({"model": bot, "messages": []}), 400, "missing_field"),
        (json!({"messages": 1}), 400, "invalid_json"),
    ] {
        let (told, error) = json_of(door(&stage, "/v1/chat/completions", &body).send().await.unwrap()).await;
        assert_eq!((told, error["error"]["code"].as_str()), (status, Some(code)), "{body} {error}");
        assert!(error["error"]["message"].is_string());
    }
    let stranger = as_bearer(&stage.http.with_key(Some("tk_no")), Method::POST, "/v1/chat/completions");
    let (status, error) = json_of(stranger.json(&asking(&bot)).send().await.unwrap()).await;
    assert_eq!((status, &error["error"]["type"]), (401, &json!("authentication_error")));
    let (other, http) = stage.another_tenant().await;
    assert_ne!(other, stage.tenant);
    let theirs = as_bearer(&http, Method::POST, "/v1/chat/completions");
    let (status, _) = json_of(theirs.json(&asking(&bot)).send().await.unwrap()).await;
    assert_eq!(status, 404);
    stage.end().await;
}
