//! Resistance to malicious clients and tenants.

use std::time::Duration;

use futures_util::future::join_all;
use parlance_testing::{Answer, TestApp, recorded_request_id, recorded_statements};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::start_app;

/// Maximum size of a file.
const MAX_FILE: usize = 10 * 1024 * 1024;

/// Sends the head of a request and part of its body. Returns the protocol and status of the response, or
/// "nothing" after ten seconds.
async fn status_of_partial_request(app: &TestApp, path: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.http.url().trim_start_matches("http://")).await.unwrap();
    let key = app.http.key().unwrap();
    let head = format!("POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n{head}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut status = [0; 12];
    match tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut status)).await {
        Ok(read) => read.map(|_| String::from_utf8_lossy(&status).into_owned()).unwrap(),
        Err(_) => "nothing".to_owned(),
    }
}

/// A chunked body of one chunk, without its end.
fn chunk(bytes: usize) -> Vec<u8> {
    let mut chunk = format!("{bytes:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + bytes, b' ');
    chunk
}

/// A chunked form of one chunk, without its end.
fn form_chunk(bytes: usize) -> Vec<u8> {
    let head = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.md\"\r\n\r\n";
    let mut chunk = format!("{:x}\r\n", head.len() + bytes).into_bytes();
    chunk.extend_from_slice(head);
    chunk.resize(chunk.len() + bytes, b'x');
    chunk
}

#[tokio::test]
async fn body_limits_hold_with_an_idempotency_key() {
    let app = start_app().await;
    let (json, form) = ("application/json", "multipart/form-data; boundary=x");
    let content_length = |bytes: usize| format!("Content-Length: {bytes}");
    let chunked = "Transfer-Encoding: chunked".to_owned();
    let form_bytes = MAX_FILE + 64 * 1024;
    for (path, kind, length, body) in [
        ("/bots", json, content_length((1 << 20) + 1), vec![]),
        ("/bots", json, chunked.clone(), chunk((1 << 20) + 1)),
        ("/knowledge/search", json, content_length(2 * MAX_FILE), vec![]),
        ("/knowledge/sources", json, content_length(2 * MAX_FILE + 1), vec![]),
        ("/knowledge/sources", form, content_length(form_bytes + 1), vec![]),
        ("/knowledge/upload", form, content_length(form_bytes + 1), vec![]),
        ("/knowledge/upload", form, chunked, form_chunk(form_bytes + 1)),
    ] {
        for key in ["", "Idempotency-Key: k\r\n"] {
            let head = format!("{key}Content-Type: {kind}\r\n{length}");
            let status = status_of_partial_request(&app, path, &head, &body).await;
            assert_eq!(status, "HTTP/1.1 413", "{path} {head}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn the_largest_text_and_file_work_with_an_idempotency_key() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let send = |method: Method, path: &str| app.http.request(method, path).header("Idempotency-Key", path);
    let text =
        json!({"bot_id": bot, "name": "A", "source_type": "text", "content": "a word ".repeat(MAX_FILE / 7)});
    let created = Answer::send(send(Method::POST, "/knowledge/sources").json(&text)).await.id();
    let changed = json!({"content": "words ".repeat(MAX_FILE / 6)});
    Answer::send(send(Method::PUT, &format!("/knowledge/sources/{created}")).json(&changed)).await.data(200);
    let file = Part::bytes(vec![b'x'; MAX_FILE]).file_name("a.md");
    let form = Form::new().text("bot_id", bot).part("file", file);
    Answer::send(send(Method::POST, "/knowledge/upload").multipart(form)).await.data(201);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn readiness_and_metrics_are_cached_for_seconds() {
    let app = start_app().await;
    let without_key = app.http.with_key(None);
    for path in ["/readyz", "/metrics"] {
        let get = async |id: &str| {
            let request = without_key.raw(Method::GET, path).header("X-Request-Id", id);
            assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
        };
        let ids: Vec<String> = (0..20).map(|_| recorded_request_id()).collect();
        join_all(ids.iter().map(|id| get(id))).await;
        let computed = ids.iter().filter(|id| !recorded_statements(id).is_empty()).count();
        assert_eq!(computed, 1, "{path}");
        tokio::time::sleep(Duration::from_secs(5)).await;
        let later = recorded_request_id();
        get(&later).await;
        assert!(!recorded_statements(&later).is_empty(), "{path} is never recomputed");
    }
    app.end().await;
}

#[tokio::test]
async fn every_response_forbids_caching_and_content_sniffing() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let message = json!({"bot_id": bot, "message": "Hello?"});
    let without_key = app.http.with_key(None);
    let http = &app.http;
    let create_key = || {
        let request = http.request(Method::POST, "/tenant/api-keys").header("Idempotency-Key", "k");
        request.json(&json!({"name": "a", "scopes": ["chat"]}))
    };
    let events =
        http.request(Method::POST, "/conversations/s/messages").header("Accept", "text/event-stream");
    for (request, status, cache_control) in [
        (http.request(Method::GET, "/tenant/info"), 200, "no-store"),
        (create_key(), 201, "no-store"),
        (create_key(), 201, "no-store"),
        (http.request(Method::GET, "/nothing"), 404, "no-store"),
        (http.request(Method::POST, "/bots").body("{"), 415, "no-store"),
        (http.request(Method::OPTIONS, "/bots"), 204, "no-store"),
        (without_key.request(Method::GET, "/bots"), 401, "no-store"),
        (without_key.raw(Method::GET, "/healthz"), 200, "no-store"),
        (without_key.raw(Method::GET, "/readyz"), 200, "no-store"),
        (without_key.raw(Method::GET, "/metrics"), 200, "no-store"),
        (without_key.raw(Method::GET, "/v1/models"), 401, "no-store"),
        (http.raw(Method::GET, "/v1/models"), 200, "no-store"),
        (http.raw(Method::GET, "/"), 404, "no-store"),
        (events.json(&message), 200, "no-cache"),
        (without_key.raw(Method::GET, "/docs"), 200, "no-cache"),
        (without_key.raw(Method::GET, "/openapi.json"), 200, "no-cache"),
    ] {
        let response = request.send().await.unwrap();
        let all = |name: &str| {
            let values = response.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap()).collect::<Vec<_>>()
        };
        let actual = (response.status().as_u16(), all("cache-control"), all("x-content-type-options"));
        assert_eq!(actual, (status, vec![cache_control], vec!["nosniff"]), "{}", response.url());
    }
    app.end().await;
}
