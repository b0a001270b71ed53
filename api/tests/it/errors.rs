//! Error responses to invalid requests.

use parlance_testing::{Answer, TestApp};
use reqwest::Method;
use serde_json::json;

use crate::start_app;

/// POSTs a raw body.
async fn post(app: &TestApp, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.http.request(Method::POST, path).header("Content-Type", content_type).body(body);
    Answer::send(request).await
}

/// The fields of the error's details.
fn fields(answer: &Answer) -> Vec<&str> {
    answer.body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["field"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_missing_field_is_named_in_the_documented_text() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let form = |content: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"bot_id\"\r\n\r\n{content}\r\n--x--\r\n")
    };
    let json = "application/json";
    let multipart = "multipart/form-data; boundary=x";
    for (path, content_type, body, field, action) in [
        ("/bots", json, "{}".to_owned(), "name", "creating a bot"),
        ("/bots", json, r#"{"name": null}"#.to_owned(), "name", "creating a bot"),
        ("/bots", json, r#"{"name": "   "}"#.to_owned(), "name", "creating a bot"),
        ("/bots", json, r#"{"name": "A"}"#.to_owned(), "channel_type", "creating a bot"),
        ("/conversations/s/messages", json, "{}".to_owned(), "message", "sending a message"),
        ("/knowledge/upload", multipart, form(""), "bot_id", "uploading a file"),
        ("/knowledge/upload", multipart, form(&bot), "file", "uploading a file"),
    ] {
        let answer = post(&app, path, content_type, body.clone()).await;
        assert_eq!(answer.error(400), "missing_field", "{path} {body}");
        assert_eq!(answer.body["error"], format!("Missing required field: {field}"));
        assert_eq!(answer.body["message"], format!("The '{field}' field is required when {action}"));
    }
    app.end().await;
}

#[tokio::test]
async fn all_errors_of_a_body_are_reported_at_once() {
    let app = start_app().await;
    let body = json!({
        "channel_type": "fax", "description": "x".repeat(2001), "welcome_message": "a\u{0}b",
        "system_prompt": 5, "is_active": "yes", "language": ["en"], "personality": "rude", "bot_role": {},
    });
    let answer = app.http.post("/bots", body).await;
    assert_eq!(answer.error(400), "missing_field");
    assert_eq!(answer.body["error"], "Missing required field: name");
    assert_eq!(
        fields(&answer),
        [
            "name",
            "channel_type",
            "description",
            "welcome_message",
            "system_prompt",
            "is_active",
            "language",
            "personality",
            "bot_role"
        ]
    );
    let message = |index: usize| answer.body["details"][index]["message"].as_str().unwrap();
    assert!(
        message(1).contains("webchat, whatsapp, telegram, messenger, slack, email, api"),
        "{}",
        message(1)
    );
    assert_eq!(message(4), "The 'system_prompt' field must be a string");
    assert_eq!(message(5), "The 'is_active' field must be true or false");

    let body = json!({
        "message": true, "bot_id": "nonsense", "user_name": "x".repeat(256), "channel": "fax", "metadata": "text",
    });
    let answer = app.http.post("/conversations/s/messages", body).await;
    assert_eq!(answer.error(400), "invalid_field");
    assert_eq!(answer.body["error"], "Invalid field: message");
    assert_eq!(fields(&answer), ["message", "bot_id", "user_name", "channel", "metadata"]);
    app.end().await;
}

#[tokio::test]
async fn an_invalid_value_gives_a_400_that_names_the_field() {
    let app = start_app().await;
    let valid = json!({"name": "A", "channel_type": "webchat"});
    for (field, value) in [
        ("name", json!(5)),
        ("name", json!(["A"])),
        ("name", json!("x".repeat(256))),
        ("name", json!("a\u{0}")),
        ("channel_type", json!("Webchat")),
        ("is_active", json!(1)),
        ("language", json!("xx")),
    ] {
        let mut body = valid.clone();
        body[field] = value.clone();
        let answer = app.http.post("/bots", body).await;
        assert_eq!(answer.error(400), "invalid_field", "{field} {value}");
        assert_eq!(answer.body["error"], format!("Invalid field: {field}"));
    }
    for (message, metadata) in [
        (json!("  \n "), json!({})),
        (json!("x".repeat(8001)), json!({})),
        (json!("a\u{0}"), json!({})),
        (json!("a"), json!({"a": "\u{0}"})),
        (json!("a"), json!({"a": "x".repeat(5000)})),
        (json!("a"), json!([])),
    ] {
        let body = json!({"message": message, "metadata": metadata});
        assert_eq!(app.http.post("/conversations/s/messages", body).await.error(400), "invalid_field");
    }
    for query in [
        "page=0",
        "page=-1",
        "page=x",
        "page=1.5",
        "per_page=101",
        "per_page=0",
        "per_page=",
        "is_active=maybe",
        "channel_type=fax",
        "page=99999999999999999999",
    ] {
        let answer = app.http.get(&format!("/bots?{query}")).await;
        assert_eq!(answer.error(400), "invalid_field", "{query}");
        assert_eq!(fields(&answer), [query.split('=').next().unwrap()]);
        assert!(answer.body["message"].as_str().unwrap().contains("parameter"), "{}", answer.body);
    }
    let answer = app.http.get("/bots?page=x&per_page=1000&channel_type=fax&is_active=maybe").await;
    assert_eq!(fields(&answer), ["page", "per_page", "channel_type", "is_active"]);
    app.end().await;
}

#[tokio::test]
async fn unreadable_bodies_are_rejected() {
    let app = start_app().await;
    let json = "application/json";
    let deep = "{\"name\":".to_owned() + &"[".repeat(200_000);
    let long = format!("{{\"name\": \"{}\"}}", "x".repeat(1024 * 1024));
    for (content_type, body, status, code) in [
        (json, "{", 400, "invalid_json"),
        (json, "", 400, "invalid_json"),
        (json, "[]", 400, "invalid_json"),
        (json, "null", 400, "invalid_json"),
        (json, r#"{"name": 1e999}"#, 400, "invalid_json"),
        (json, r#"{"name": "\ud800"}"#, 400, "invalid_json"),
        (json, deep.as_str(), 400, "invalid_json"),
        (json, long.as_str(), 413, "payload_too_large"),
        ("text/plain", "{}", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "name=A", 415, "unsupported_media_type"),
    ] {
        let answer = post(&app, "/bots", content_type, body.to_owned()).await;
        assert_eq!(answer.error(status), code, "{content_type} {}", &body[..body.len().min(40)]);
    }
    let invalid = post(&app, "/bots", json, b"{\"name\": \"\xff\"}".to_vec()).await;
    assert_eq!(invalid.error(400), "invalid_json");
    let untyped = Answer::send(app.http.request(Method::POST, "/bots").body("{}")).await;
    assert_eq!(untyped.error(415), "unsupported_media_type");
    // The limit also holds for a body without `Content-Length`.
    let chunks = (0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
    let oversized = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    assert_eq!(post(&app, "/bots", json, oversized).await.error(413), "payload_too_large");
    app.end().await;
}

#[tokio::test]
async fn a_request_without_a_key_gets_401_before_validation() {
    let app = start_app().await;
    let without_key = app.http.with_key(None);
    for request in [
        without_key.request(Method::POST, "/bots").body("{"),
        without_key.request(Method::GET, "/bots?page=x"),
        without_key.request(Method::POST, "/knowledge/upload").body(vec![b'x'; 12 * 1024 * 1024]),
    ] {
        assert_eq!(Answer::send(request).await.error(401), "missing_api_key");
    }
    app.end().await;
}

#[tokio::test]
async fn unknown_paths_and_methods_use_the_error_envelope() {
    let app = start_app().await;
    assert_eq!(app.http.get("/nothing").await.error(404), "not_found");
    assert_eq!(Answer::send(app.http.raw(Method::GET, "/")).await.error(404), "not_found");
    let answer = Answer::send(app.http.request(Method::DELETE, "/tenant/info")).await;
    assert_eq!(answer.error(405), "method_not_allowed");
    assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS");
    let head = app.http.request(Method::HEAD, "/bots").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
    app.end().await;
}

#[tokio::test]
async fn a_valid_request_id_is_kept() {
    let app = start_app().await;
    for (id, is_kept) in [("mine-1", true), ("two words", false), (&*"x".repeat(129), false)] {
        let request = app.http.request(Method::GET, "/nothing").header("X-Request-Id", id);
        let answer = Answer::send(request).await;
        answer.error(404);
        assert_eq!(answer.body["request_id"].as_str() == Some(id), is_kept, "{id}");
    }
    app.end().await;
}
