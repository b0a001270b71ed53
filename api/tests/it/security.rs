//! What a stranger, or a tenant of ill will, must not get.

use std::time::Duration;

use futures_util::future::join_all;
use parlance_testing::{Answer, Stage, recorded_request_id, recorded_statements};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stage;

/// A file of the largest size.
const MOST: usize = 10 * 1024 * 1024;

/// Sends the head of a request and a part of its body, and no more; gives the status that comes all the same.
async fn begun(stage: &Stage, path: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(stage.http.url().trim_start_matches("http://")).await.unwrap();
    let key = stage.http.key().unwrap();
    let head = format!("POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n{head}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = [0; 12];
    match tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await {
        Ok(read) => read.map(|_| String::from_utf8_lossy(&answer).into_owned()).unwrap(),
        Err(_) => "nothing".to_owned(),
    }
}

/// A body whose length nobody told, in one chunk, without its end.
fn chunk(bytes: usize) -> Vec<u8> {
    let mut chunk = format!("{bytes:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + bytes, b' ');
    chunk
}

/// The same, of a form.
fn chunk_of_form(bytes: usize) -> Vec<u8> {
    let head = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.md\"\r\n\r\n";
    let mut chunk = format!("{:x}\r\n", head.len() + bytes).into_bytes();
    chunk.extend_from_slice(head);
    chunk.resize(chunk.len() + bytes, b'x');
    chunk
}

#[tokio::test]
async fn body_limits_hold_with_an_idempotency_key() {
    let stage = stage().await;
    let (json, form) = ("application/json", "multipart/form-data; boundary=x");
    let told = |bytes: usize| format!("Content-Length: {bytes}");
    let chunked = "Transfer-Encoding: chunked".to_owned();
    let form_bytes = MOST + 64 * 1024;
    for (path, kind, length, body) in [
        ("/bots", json, told((1 << 20) + 1), vec![]),
        ("/bots", json, chunked.clone(), chunk((1 << 20) + 1)),
        ("/knowledge/search", json, told(2 * MOST), vec![]),
        ("/knowledge/sources", json, told(2 * MOST + 1), vec![]),
        ("/knowledge/sources", form, told(form_bytes + 1), vec![]),
        ("/knowledge/upload", form, told(form_bytes + 1), vec![]),
        ("/knowledge/upload", form, chunked, chunk_of_form(form_bytes + 1)),
    ] {
        for named in ["", "Idempotency-Key: k\r\n"] {
            let head = format!("{named}Content-Type: {kind}\r\n{length}");
            let answer = begun(&stage, path, &head, &body).await;
            assert_eq!(answer, "HTTP/1.1 413", "{path} {head}");
        }
    }
    stage.end().await;
}

#[tokio::test]
async fn the_largest_text_and_file_work_with_an_idempotency_key() {
    let stage = stage().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let send = |method: Method, path: &str| stage.http.request(method, path).header("Idempotency-Key", path);
    let text =
        json!({"bot_id": bot, "name": "A", "source_type": "text", "content": "a word ".repeat(MOST / 7)});
    let made = Answer::of(send(Method::POST, "/knowledge/sources").json(&text)).await.id();
    let changed = json!({"content": "words ".repeat(MOST / 6)});
    Answer::of(send(Method::PUT, &format!("/knowledge/sources/{made}")).json(&changed)).await.data(200);
    let file = Part::bytes(vec![b'x'; MOST]).file_name("a.md");
    let form = Form::new().text("bot_id", bot).part("file", file);
    Answer::of(send(Method::POST, "/knowledge/upload").multipart(form)).await.data(201);
    stage.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn readiness_and_metrics_are_cached_for_seconds() {
    let stage = stage().await;
    let anybody = stage.http.with_key(None);
    for path in ["/readyz", "/metrics"] {
        let ask = async |id: &str| {
            let request = anybody.raw(Method::GET, path).header("X-Request-Id", id);
            assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
        };
        let ids: Vec<String> = (0..20).map(|_| recorded_request_id()).collect();
        join_all(ids.iter().map(|id| ask(id))).await;
        let worked = ids.iter().filter(|id| !recorded_statements(id).is_empty()).count();
        assert_eq!(worked, 1, "{path}");
        tokio::time::sleep(Duration::from_secs(5)).await;
        let later = recorded_request_id();
        ask(&later).await;
        assert!(!recorded_statements(&later).is_empty(), "{path} is told for ever");
    }
    stage.end().await;
}

#[tokio::test]
async fn every_response_forbids_caching_and_content_sniffing() {
    let stage = stage().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let message = json!({"bot_id": bot, "message": "Hello?"});
    let stranger = stage.http.with_key(None);
    let http = &stage.http;
    let replayed = || {
        let request = http.request(Method::POST, "/tenant/api-keys").header("Idempotency-Key", "k");
        request.json(&json!({"name": "a", "scopes": ["chat"]}))
    };
    let events =
        http.request(Method::POST, "/conversations/s/messages").header("Accept", "text/event-stream");
    for (request, status, keep) in [
        (http.request(Method::GET, "/tenant/info"), 200, "no-store"),
        (replayed(), 201, "no-store"),
        (replayed(), 201, "no-store"),
        (http.request(Method::GET, "/nothing"), 404, "no-store"),
        (http.request(Method::POST, "/bots").body("{"), 415, "no-store"),
        (http.request(Method::OPTIONS, "/bots"), 204, "no-store"),
        (stranger.request(Method::GET, "/bots"), 401, "no-store"),
        (stranger.raw(Method::GET, "/healthz"), 200, "no-store"),
        (stranger.raw(Method::GET, "/readyz"), 200, "no-store"),
        (stranger.raw(Method::GET, "/metrics"), 200, "no-store"),
        (stranger.raw(Method::GET, "/v1/models"), 401, "no-store"),
        (http.raw(Method::GET, "/v1/models"), 200, "no-store"),
        (http.raw(Method::GET, "/"), 404, "no-store"),
        (events.json(&message), 200, "no-cache"),
        (stranger.raw(Method::GET, "/docs"), 200, "no-cache"),
        (stranger.raw(Method::GET, "/openapi.json"), 200, "no-cache"),
    ] {
        let answer = request.send().await.unwrap();
        let all = |name: &str| {
            let values = answer.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap()).collect::<Vec<_>>()
        };
        let told = (answer.status().as_u16(), all("cache-control"), all("x-content-type-options"));
        assert_eq!(told, (status, vec![keep], vec!["nosniff"]), "{}", answer.url());
    }
    stage.end().await;
}
