//! The OpenAI-compatible endpoints, byte by byte. `.ci/contract` tests them with OpenAI's own package.

use parlance_testing::{Builder, Client, TestApp};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::run_jobs;

const COMPLETIONS: &str = "/v1/chat/completions";

const RETURNS: &str = "# Returns\n\nGoods may be returned within thirty days of purchase.\n";

/// Starts the application with the real embedding model and a bot that knows [`RETURNS`].
async fn start_with_bot() -> (TestApp, String) {
    let app = Builder::default().start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    app.http.upload(&bot, "returns.md", RETURNS).await.id();
    run_jobs(&app).await;
    (app, bot)
}

/// A completion request with the tenant's key as a bearer token.
fn completion(app: &TestApp, body: &Value) -> RequestBuilder {
    with_bearer(&app.http, Method::POST, COMPLETIONS).json(body)
}

fn with_bearer(http: &Client, method: Method, path: &str) -> RequestBuilder {
    http.with_key(None).raw(method, path).bearer_auth(http.key().unwrap())
}

/// The body of a completion request.
fn question(bot: &str) -> Value {
    json!({"model": bot, "messages": [
        {"role": "system", "content": "Answer in riddles."},
        {"role": "user", "content": [{"type": "text", "text": "When may goods be returned?"}]},
    ]})
}

async fn read_json(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_bot_answers_a_chat_completion_with_citations() {
    let (app, bot) = start_with_bot().await;
    let before = app.http.get("/tenant/usage").await.data(200).clone();
    let (status, answer) = read_json(completion(&app, &question(&bot)).send().await.unwrap()).await;
    assert_eq!((status, &answer["object"], &answer["model"]), (200, &json!("chat.completion"), &json!(bot)));
    let choice = &answer["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["role"]), (&json!("stop"), &json!("assistant")));
    assert_eq!(choice["message"]["content"], "Goods may be returned within thirty days of purchase. [1]");
    assert_eq!(answer["sources"][0]["source_name"], "returns.md");
    assert_eq!(answer["usage"]["total_tokens"], 0);
    // The completion is counted, but not stored.
    let after = app.http.get("/tenant/usage").await.data(200).clone();
    assert_ne!(before, after);
    assert_eq!(app.http.get("/conversations").await.body["pagination"]["total"], 0);

    let models = with_bearer(&app.http, Method::GET, "/v1/models").send().await.unwrap();
    assert_eq!(read_json(models).await.1["data"][0]["id"], bot);
    app.end().await;
}

#[tokio::test]
async fn a_stream_ends_with_done() {
    let (app, bot) = start_with_bot().await;
    let mut body = question(&bot);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let response = completion(&app, &body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
    assert_eq!(data.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> =
        data[..data.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"));
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let content: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(content, "Goods may be returned within thirty days of purchase. [1]");
    let last = &chunks[chunks.len() - 2];
    assert_eq!((&last["choices"][0]["finish_reason"], &last["answered"]), (&json!("stop"), &json!(true)));
    assert!(chunks[chunks.len() - 1]["usage"].is_object());
    app.end().await;
}

#[tokio::test]
async fn errors_have_the_openai_format() {
    let (app, bot) = start_with_bot().await;
    let mut streamed = question("gpt-4o");
    streamed["stream"] = json!(true);
    for (body, status, code) in [
        (question("gpt-4o"), 404, "bot_not_found"),
        (streamed, 404, "bot_not_found"),
        (question(&uuid::Uuid::now_v7().to_string()), 404, "bot_not_found"),
        (json!({"model": bot, "messages": []}), 400, "missing_field"),
        (json!({"messages": 1}), 400, "invalid_json"),
    ] {
        let (actual, error) = read_json(completion(&app, &body).send().await.unwrap()).await;
        assert_eq!((actual, error["error"]["code"].as_str()), (status, Some(code)), "{body} {error}");
        assert!(error["error"]["message"].is_string());
    }
    let invalid_key = with_bearer(&app.http.with_key(Some("tk_no")), Method::POST, COMPLETIONS);
    let (status, error) = read_json(invalid_key.json(&question(&bot)).send().await.unwrap()).await;
    assert_eq!((status, &error["error"]["type"]), (401, &json!("authentication_error")));
    let (other, http) = app.another_tenant().await;
    assert_ne!(other, app.tenant);
    let theirs = with_bearer(&http, Method::POST, COMPLETIONS);
    let (status, _) = read_json(theirs.json(&question(&bot)).send().await.unwrap()).await;
    assert_eq!(status, 404);
    app.end().await;
}
