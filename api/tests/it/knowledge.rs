//! File uploads.

use parlance_testing::Answer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{run_jobs, start_app};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn an_upload_has_the_documented_fields_and_becomes_ready() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let text = "# Returns\n\nWe offer a 30-day return policy for all products.\n";
    let uploaded = app.http.upload(&bot, "docs/Product FAQ.md", text).await;
    let data = uploaded.data(201);
    for (field, value) in [
        ("name", json!("Product FAQ.md")),
        ("source_type", json!("file")),
        ("status", json!("processing")),
        ("file_size", json!(text.len())),
        ("message", json!("File uploaded and processing started")),
        ("duplicate", json!(false)),
    ] {
        assert_eq!(data[field], value, "{field}");
    }
    assert!(data["job_id"].is_string());
    let path = format!("/knowledge/sources/{}", uploaded.id());

    let waiting = app.http.get(&path).await;
    let source = &waiting.data(200)["source"];
    assert_eq!(source["status"], "queued");
    assert_eq!(source["progress"], json!({"done": 0, "total": null, "unit": "chunks", "percent": 0}));
    for field in ["content", "content_preview", "error", "url", "chunk_count"] {
        assert_eq!(source.get(field), Some(&Value::Null), "{field}");
    }

    run_jobs(&app).await;
    let ready = app.http.get(&path).await;
    let (source, chunks) = (&ready.data(200)["source"], &ready.data(200)["chunks"]);
    for (field, value) in [
        ("id", json!(uploaded.id())),
        ("bot_id", json!(bot)),
        ("bot_name", json!("Bot")),
        ("status", json!("ready")),
        ("file_path", json!(format!("/uploads/{}/Product-FAQ.md", uploaded.id()))),
        ("progress", json!({"done": 1, "total": 1, "unit": "chunks", "percent": 100})),
        ("size_bytes", json!(text.len())),
        ("chunk_count", json!(1)),
        ("version", json!(1)),
        ("job_id", data["job_id"].clone()),
        ("error", Value::Null),
    ] {
        assert_eq!(source[field], value, "{field}");
    }
    assert!(source["content"].as_str().unwrap().contains("30-day return policy"));
    assert_eq!(chunks[0]["chunk_index"], 0);
    assert!(chunks[0]["content"].as_str().unwrap().contains("30-day return policy"));

    let again = app.http.upload(&bot, "other name.md", text).await;
    let same = again.data(200);
    assert_eq!(
        (&same["id"], &same["duplicate"], &same["status"]),
        (&data["id"], &json!(true), &json!("ready"))
    );
    app.end().await;
}

#[tokio::test]
async fn a_file_may_have_at_most_ten_mebibytes() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let answer = app.http.upload(&bot, "big.txt", vec![b'a'; 10 * MIB + 1]).await;
    assert_eq!(answer.error(413), "payload_too_large");
    assert!(answer.body["message"].as_str().unwrap().contains("10 MB (10485760 bytes)"), "{}", answer.body);
    // Rejected by `Content-Length`; the response also reaches a client that sends the whole body first.
    assert_eq!(app.http.upload(&bot, "huge.txt", vec![b'a'; 24 * MIB]).await.error(413), "payload_too_large");
    app.http.upload(&bot, "whole.txt", vec![b'a'; 10 * MIB]).await.data(201);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_form_without_content_length_is_cut_off() {
    let app = start_app().await;
    let head = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n";
    let endless_header = "--x\r\nContent-Disposition: form-data; name=\"";
    for start in [head, endless_header] {
        let chunks =
            std::iter::once(start.as_bytes().to_vec()).chain((0..192).map(|_| vec![b'a'; 64 * 1024]));
        let body =
            reqwest::Body::wrap_stream(futures_util::stream::iter(chunks.map(Ok::<_, std::io::Error>)));
        let request = app
            .http
            .request(Method::POST, "/knowledge/upload")
            .header("Content-Type", "multipart/form-data; boundary=x")
            .body(body);
        assert_eq!(Answer::send(request).await.error(413), "payload_too_large");
    }
    app.end().await;
}

#[tokio::test]
async fn an_invalid_upload_stores_nothing() {
    let app = start_app().await;
    let (other, _) = app.another_tenant().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let theirs = app.create_bot(other).await.to_string();
    assert_eq!(app.http.upload("bot-uuid-1", "a.md", "text").await.error(400), "invalid_field");
    assert_eq!(app.http.upload(&theirs, "a.md", "text").await.error(404), "bot_not_found");
    assert_eq!(app.http.upload(&bot, "a.exe", "text").await.error(400), "invalid_field");
    assert_eq!(app.http.upload(&bot, "", "text").await.error(400), "missing_field");
    for (content_type, body, status, code) in [
        ("application/json", "{}", 415, "unsupported_media_type"),
        ("multipart/form-data", "x", 400, "invalid_form"),
        ("multipart/form-data; boundary=x", "x", 400, "invalid_form"),
        ("multipart/form-data; boundary=x", "--x\r\n", 400, "invalid_form"),
    ] {
        let request = app
            .http
            .request(Method::POST, "/knowledge/upload")
            .header("Content-Type", content_type)
            .body(body);
        assert_eq!(Answer::send(request).await.error(status), code, "{content_type} {body}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_file_without_text_fails_with_a_reason() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    for (name, bytes, code) in [
        ("empty.md", Vec::new(), "empty"),
        ("garbage.md", (0..=255).cycle().take(4096).collect(), "unsupported_type"),
    ] {
        let id = app.http.upload(&bot, name, bytes).await.id();
        run_jobs(&app).await;
        let source = app.http.get(&format!("/knowledge/sources/{id}")).await.data(200)["source"].clone();
        assert_eq!(
            (&source["status"], &source["error"]["code"]),
            (&json!("failed"), &json!(code)),
            "{source}"
        );
        assert!(!source["error"]["message"].as_str().unwrap().is_empty());
    }
    app.end().await;
}

#[tokio::test]
async fn another_tenants_source_looks_nonexistent() {
    let app = start_app().await;
    let (_, theirs) = app.another_tenant().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let id = app.http.upload(&bot, "a.md", "text").await.id();
    for id in [id.as_str(), "knowledge-uuid-1"] {
        assert_eq!(theirs.get(&format!("/knowledge/sources/{id}")).await.error(404), "source_not_found");
    }
    app.end_with_unfinished_jobs().await;
}
