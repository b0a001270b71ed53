//! Knowledge sources: creation, lists, updates, deletion and downloads.

use parlance_core::jobs::Kind;
use parlance_testing::{Answer, TestApp};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{run_jobs, start_app};

/// The body of a new text source.
fn text(bot: &str, content: &str) -> Value {
    json!({"bot_id": bot, "name": "Company Policies", "source_type": "text", "content": content})
}

async fn send_form(app: &TestApp, method: Method, path: &str, form: Form) -> Answer {
    Answer::send(app.http.request(method, path).multipart(form)).await
}

fn file(name: &str, text: &str) -> Part {
    Part::text(text.to_owned()).file_name(name.to_owned())
}

#[tokio::test]
async fn a_text_source_becomes_ready_and_downloads_unchanged() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let content = "# Leave\n\nAll employees get 25 vacation days per year.\n";
    let created = app.http.post("/knowledge/sources", text(&bot, content)).await;
    let data = created.data(201);
    assert_eq!((&data["name"], &data["status"]), (&json!("Company Policies"), &json!("queued")));
    assert_eq!(data["message"], "Knowledge source created successfully");
    assert_eq!((&data["source_type"], &data["file_path"]), (&json!("text"), &Value::Null));
    assert!(data["job_id"].is_string());
    run_jobs(&app).await;
    let path = format!("/knowledge/sources/{}", created.id());
    let ready = app.http.get(&path).await;
    assert_eq!(ready.data(200)["source"]["status"], "ready");
    assert_eq!(ready.data(200)["source"]["content"], content);
    let chunks = app.http.get(&format!("{path}/chunks")).await;
    assert_eq!(chunks.data(200)[0]["heading"], "Leave");
    assert_eq!(chunks.body["pagination"]["total"], 1);
    let original = app.http.request(Method::GET, &format!("{path}/file")).send().await.unwrap();
    assert_eq!(original.headers()["content-disposition"], "attachment; filename*=UTF-8''content.md");
    assert_eq!(original.headers()["x-content-type-options"], "nosniff");
    assert_eq!(original.text().await.unwrap(), content);
    app.end().await;
}

#[tokio::test]
async fn duplicate_content_is_one_source_per_bot() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let created = app.http.post("/knowledge/sources", text(&bot, "The same.")).await.id();
    let again = app.http.post("/knowledge/sources", text(&bot, "The same.")).await;
    assert_eq!((&again.data(200)["id"], &again.data(200)["duplicate"]), (&json!(created), &json!(true)));
    let other = app.create_bot(app.tenant).await.to_string();
    assert_ne!(app.http.post("/knowledge/sources", text(&other, "The same.")).await.id(), created);
    // Of concurrent requests one creates the source; the others return it.
    let requests = (0..10).map(|_| app.http.post("/knowledge/sources", text(&bot, "At once.")));
    let answers = futures_util::future::join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.body["data"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    run_jobs(&app).await;
    assert_eq!(app.stored_files(), 3, "duplicates leave no file");
    app.end().await;
}

#[tokio::test]
async fn a_form_creates_a_file_or_text_source() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let fields = |kind: &'static str| {
        Form::new().text("bot_id", bot.clone()).text("name", "Handbook").text("source_type", kind)
    };
    let form = fields("file").part("file", file("hand book.md", "# Hand\n\nBook."));
    let created = send_form(&app, Method::POST, "/knowledge/sources", form).await;
    let data = created.data(201);
    assert_eq!((&data["name"], &data["source_type"]), (&json!("Handbook"), &json!("file")));
    assert_eq!(data["file_path"], format!("/uploads/{}/hand-book.md", created.id()));
    let form = fields("text").text("content", "Some text.");
    let created = send_form(&app, Method::POST, "/knowledge/sources", form).await;
    assert_eq!(created.data(201)["source_type"], "text");
    for (kind, missing) in [("file", "file"), ("text", "content"), ("url", "url")] {
        let answer = send_form(&app, Method::POST, "/knowledge/sources", fields(kind)).await;
        assert_eq!(answer.error(400), "missing_field");
        assert_eq!(answer.body["error"], format!("Missing required field: {missing}"));
    }
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn sources_are_filtered_by_bot_and_type() {
    let app = start_app().await;
    let first = app.create_bot(app.tenant).await.to_string();
    let second = app.create_bot(app.tenant).await.to_string();
    let a = app.http.post("/knowledge/sources", text(&first, "A.")).await.id();
    let b = app.http.upload(&second, "b.md", "B.").await.id();
    let c = app.http.upload(&first, "c.md", "C.").await.id();
    run_jobs(&app).await;
    for (query, ids) in [
        (String::new(), vec![&c, &b, &a]),
        (format!("?bot_id={first}"), vec![&c, &a]),
        ("?source_type=file".to_owned(), vec![&c, &b]),
        (format!("?source_type=file&bot_id={first}"), vec![&c]),
        ("?source_type=url".to_owned(), vec![]),
        ("?per_page=1&page=3".to_owned(), vec![&a]),
    ] {
        let listed = app.http.get(&format!("/knowledge/sources{query}")).await;
        let actual: Vec<&str> =
            listed.data(200).as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(actual, ids, "{query}");
    }
    let listed = app.http.get("/knowledge/sources").await;
    assert_eq!(listed.data(200)[0]["content_preview"], "C.");
    assert_eq!(listed.data(200)[0]["progress"]["percent"], 100);
    assert_eq!(
        app.http.get("/knowledge/sources?bot_id=x&source_type=film").await.error(400),
        "invalid_field"
    );
    app.end().await;
}

#[tokio::test]
async fn the_old_version_serves_until_the_new_one_is_ready() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let created = app.http.post("/knowledge/sources", text(&bot, "The old text.")).await.id();
    run_jobs(&app).await;
    let path = format!("/knowledge/sources/{created}");
    let changed = app.http.put(&path, json!({"name": " Renamed ", "content": "The new text."})).await;
    let data = changed.data(200);
    assert_eq!((&data["name"], &data["version"]), (&json!("Renamed"), &json!(2)));
    assert_eq!((&data["status"], &data["content_preview"]), (&json!("queued"), &json!("The old text.")));
    let details = app.http.get(&path).await;
    assert_eq!(details.data(200)["chunks"][0]["content"], "The old text.");
    let sent = app.http.post("/conversations/s/messages", json!({"message": "text"})).await;
    assert_eq!(sent.data(200)["bot_response"]["sources"][0]["snippet"], "The old text.");
    run_jobs(&app).await;
    let details = app.http.get(&path).await;
    assert_eq!(details.data(200)["source"]["content"], "The new text.");
    assert_eq!(details.data(200)["source"]["status"], "ready");
    assert_eq!(app.count_of("select count(*) from chunk").await, 1);
    assert_eq!(app.count_of("select count(*) from source_version").await, 1);
    assert_eq!(app.stored_files(), 1);
    assert_eq!(app.http.get("/analytics/overview").await.data(200)["knowledge"]["chunks"], 1);
    // Unchanged content creates no version.
    let same = app.http.put(&path, json!({"content": "The new text."})).await;
    assert_eq!((&same.data(200)["version"], &same.data(200)["status"]), (&json!(2), &json!("ready")));
    assert_eq!(app.stored_files(), 1);
    app.end().await;
}

#[tokio::test]
async fn an_invalid_source_update_is_rejected_without_effect() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let text_source = app.http.post("/knowledge/sources", text(&bot, "Text.")).await.id();
    let file_source = app.http.upload(&bot, "a.md", "File.").await.id();
    run_jobs(&app).await;
    let path = |id: &str| format!("/knowledge/sources/{id}");
    let refused = app.http.put(&path(&file_source), json!({"content": "New."})).await;
    assert_eq!(refused.error(409), "source_type_mismatch");
    let form = Form::new().part("file", file("b.md", "New."));
    let refused = send_form(&app, Method::PUT, &path(&text_source), form).await;
    assert_eq!(refused.error(409), "source_type_mismatch");
    let refused = app.http.put(&path(&text_source), json!({"content": "File."})).await;
    assert_eq!(refused.error(409), "duplicate_content");
    for (body, field) in
        [(json!({}), "body"), (json!({"name": ""}), "name"), (json!({"content": null}), "content")]
    {
        let refused = app.http.put(&path(&text_source), body).await;
        assert_eq!(refused.error(400), "invalid_field");
        assert_eq!(refused.body["details"][0]["field"], field);
    }
    assert_eq!(app.stored_files(), 2);
    let form = Form::new().part("file", file("b.txt", "New."));
    let changed = send_form(&app, Method::PUT, &path(&file_source), form).await;
    assert_eq!(changed.data(200)["file_path"], format!("/uploads/{file_source}/b.txt"));
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn a_source_can_be_deleted_in_every_state() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let queued = app.http.upload(&bot, "a.md", "Queued.").await.id();
    let chunked = app.http.upload(&bot, "b.md", "On its way.").await.id();
    for kind in [Kind::Upload, Kind::Upload, Kind::Chunk] {
        app.step(kind).await;
    }
    let failed = app.http.upload(&bot, "c.md", " ").await.id();
    run_jobs(&app).await;
    let ready = app.http.upload(&bot, "d.md", "Ready.").await.id();
    run_jobs(&app).await;
    let replaced = app.http.upload(&bot, "e.md", "Replaced.").await.id();
    run_jobs(&app).await;
    let form = Form::new().part("file", file("e.md", "Replacing."));
    send_form(&app, Method::PUT, &format!("/knowledge/sources/{replaced}"), form).await.data(200);
    let waiting = app.http.upload(&bot, "f.md", "Waiting.").await.id();
    for id in [&queued, &chunked, &failed, &ready, &replaced, &waiting] {
        let path = format!("/knowledge/sources/{id}");
        let deleted = app.http.delete(&path).await;
        assert_eq!(
            deleted.body,
            json!({"success": true, "message": "Knowledge source deleted successfully"})
        );
        assert_eq!(app.http.get(&path).await.error(404), "source_not_found");
        assert_eq!(app.http.delete(&path).await.error(404), "source_not_found");
    }
    let sent = app.http.post("/conversations/s/messages", json!({"message": "Ready."})).await;
    assert_eq!(sent.data(200)["bot_response"]["sources"], json!([]), "deleted sources are not found");
    run_jobs(&app).await;
    for table in ["source", "source_version", "chunk"] {
        assert_eq!(app.count_of(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(app.stored_files(), 0);
    // Deleted content can be uploaded again.
    app.http.upload(&bot, "d.md", "Ready.").await.data(201);
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn updates_and_deletions_during_jobs_never_deadlock() {
    let mut app = start_app().await;
    app.start_workers();
    let bot = app.create_bot(app.tenant).await.to_string();
    let lifecycles = (0..40).map(|number: u64| {
        let (http, bot) = (app.http.clone(), bot.clone());
        async move {
            let created = http.upload(&bot, "a.md", format!("Text {number}.")).await.id();
            let path = format!("/knowledge/sources/{created}");
            tokio::time::sleep(std::time::Duration::from_millis(number * 5)).await;
            let form = Form::new().part("file", file("b.md", &format!("Other {number}.")));
            Answer::send(http.request(Method::PUT, &path).multipart(form)).await.data(200);
            tokio::time::sleep(std::time::Duration::from_millis(number * 3)).await;
            assert_eq!(http.delete(&path).await.status, 200);
        }
    });
    futures_util::future::join_all(lifecycles).await;
    app.eventually("every job ends", async || {
        let unfinished = "select count(*) from job where state in ('queued', 'dispatched', 'running')";
        (app.count_of(unfinished).await == 0).then_some(())
    })
    .await;
    assert_eq!(app.count_of("select count(*) from chunk").await, 0);
    assert_eq!(app.count_of("select count(*) from job where attempt > 1").await, 0, "no job was retried");
    assert_eq!(app.stored_files(), 0);
    app.end().await;
}
