//! Knowledge sources: creation, lists, updates, deletion and downloads.

use parlance_core::jobs::Kind;
use parlance_testing::{Answer, Stage};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{run_jobs, start_app};

/// The body of a new text source.
fn text(bot: &str, content: &str) -> Value {
    json!({"bot_id": bot, "name": "Company Policies", "source_type": "text", "content": content})
}

async fn send_form(stage: &Stage, method: Method, path: &str, form: Form) -> Answer {
    Answer::of(stage.http.request(method, path).multipart(form)).await
}

fn file(name: &str, text: &str) -> Part {
    Part::text(text.to_owned()).file_name(name.to_owned())
}

#[tokio::test]
async fn a_text_source_becomes_ready_and_downloads_unchanged() {
    let stage = start_app().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let content = "# Leave\n\nAll employees get 25 vacation days per year.\n";
    let created = stage.http.post("/knowledge/sources", text(&bot, content)).await;
    let data = created.data(201);
    assert_eq!((&data["name"], &data["status"]), (&json!("Company Policies"), &json!("queued")));
    assert_eq!(data["message"], "Knowledge source created successfully");
    assert_eq!((&data["source_type"], &data["file_path"]), (&json!("text"), &Value::Null));
    assert!(data["job_id"].is_string());
    run_jobs(&stage).await;
    let path = format!("/knowledge/sources/{}", created.id());
    let ready = stage.http.get(&path).await;
    assert_eq!(ready.data(200)["source"]["status"], "ready");
    assert_eq!(ready.data(200)["source"]["content"], content);
    let chunks = stage.http.get(&format!("{path}/chunks")).await;
    assert_eq!(chunks.data(200)[0]["heading"], "Leave");
    assert_eq!(chunks.body["pagination"]["total"], 1);
    let original = stage.http.request(Method::GET, &format!("{path}/file")).send().await.unwrap();
    assert_eq!(original.headers()["content-disposition"], "attachment; filename*=UTF-8''content.md");
    assert_eq!(original.headers()["x-content-type-options"], "nosniff");
    assert_eq!(original.text().await.unwrap(), content);
    stage.end().await;
}

#[tokio::test]
async fn duplicate_content_is_one_source_per_bot() {
    let stage = start_app().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let created = stage.http.post("/knowledge/sources", text(&bot, "The same.")).await.id();
    let again = stage.http.post("/knowledge/sources", text(&bot, "The same.")).await;
    assert_eq!((&again.data(200)["id"], &again.data(200)["duplicate"]), (&json!(created), &json!(true)));
    let other = stage.bot_of(stage.tenant).await.to_string();
    assert_ne!(stage.http.post("/knowledge/sources", text(&other, "The same.")).await.id(), created);
    // Of concurrent requests one creates the source; the others return it.
    let requests = (0..10).map(|_| stage.http.post("/knowledge/sources", text(&bot, "At once.")));
    let answers = futures_util::future::join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.body["data"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    run_jobs(&stage).await;
    assert_eq!(stage.stored_files(), 3, "duplicates leave no file");
    stage.end().await;
}

#[tokio::test]
async fn a_form_creates_a_file_or_text_source() {
    let stage = start_app().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let fields = |kind: &'static str| {
        Form::new().text("bot_id", bot.clone()).text("name", "Handbook").text("source_type", kind)
    };
    let form = fields("file").part("file", file("hand book.md", "# Hand\n\nBook."));
    let created = send_form(&stage, Method::POST, "/knowledge/sources", form).await;
    let data = created.data(201);
    assert_eq!((&data["name"], &data["source_type"]), (&json!("Handbook"), &json!("file")));
    assert_eq!(data["file_path"], format!("/uploads/{}/hand-book.md", created.id()));
    let form = fields("text").text("content", "Some text.");
    let created = send_form(&stage, Method::POST, "/knowledge/sources", form).await;
    assert_eq!(created.data(201)["source_type"], "text");
    for (kind, missing) in [("file", "file"), ("text", "content"), ("url", "url")] {
        let answer = send_form(&stage, Method::POST, "/knowledge/sources", fields(kind)).await;
        assert_eq!(answer.error(400), "missing_field");
        assert_eq!(answer.body["error"], format!("Missing required field: {missing}"));
    }
    run_jobs(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn sources_are_filtered_by_bot_and_type() {
    let stage = start_app().await;
    let first = stage.bot_of(stage.tenant).await.to_string();
    let second = stage.bot_of(stage.tenant).await.to_string();
    let a = stage.http.post("/knowledge/sources", text(&first, "A.")).await.id();
    let b = stage.http.upload(&second, "b.md", "B.").await.id();
    let c = stage.http.upload(&first, "c.md", "C.").await.id();
    run_jobs(&stage).await;
    for (query, ids) in [
        (String::new(), vec![&c, &b, &a]),
        (format!("?bot_id={first}"), vec![&c, &a]),
        ("?source_type=file".to_owned(), vec![&c, &b]),
        (format!("?source_type=file&bot_id={first}"), vec![&c]),
        ("?source_type=url".to_owned(), vec![]),
        ("?per_page=1&page=3".to_owned(), vec![&a]),
    ] {
        let listed = stage.http.get(&format!("/knowledge/sources{query}")).await;
        let actual: Vec<&str> =
            listed.data(200).as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(actual, ids, "{query}");
    }
    let listed = stage.http.get("/knowledge/sources").await;
    assert_eq!(listed.data(200)[0]["content_preview"], "C.");
    assert_eq!(listed.data(200)[0]["progress"]["percent"], 100);
    assert_eq!(
        stage.http.get("/knowledge/sources?bot_id=x&source_type=film").await.error(400),
        "invalid_field"
    );
    stage.end().await;
}

#[tokio::test]
async fn the_old_version_serves_until_the_new_one_is_ready() {
    let stage = start_app().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let created = stage.http.post("/knowledge/sources", text(&bot, "The old text.")).await.id();
    run_jobs(&stage).await;
    let path = format!("/knowledge/sources/{created}");
    let changed = stage.http.put(&path, json!({"name": " Renamed ", "content": "The new text."})).await;
    let data = changed.data(200);
    assert_eq!((&data["name"], &data["version"]), (&json!("Renamed"), &json!(2)));
    assert_eq!((&data["status"], &data["content_preview"]), (&json!("queued"), &json!("The old text.")));
    let details = stage.http.get(&path).await;
    assert_eq!(details.data(200)["chunks"][0]["content"], "The old text.");
    let sent = stage.http.post("/conversations/s/messages", json!({"message": "text"})).await;
    assert_eq!(sent.data(200)["bot_response"]["sources"][0]["snippet"], "The old text.");
    run_jobs(&stage).await;
    let details = stage.http.get(&path).await;
    assert_eq!(details.data(200)["source"]["content"], "The new text.");
    assert_eq!(details.data(200)["source"]["status"], "ready");
    assert_eq!(stage.count_of("select count(*) from chunk").await, 1);
    assert_eq!(stage.count_of("select count(*) from source_version").await, 1);
    assert_eq!(stage.stored_files(), 1);
    assert_eq!(stage.http.get("/analytics/overview").await.data(200)["knowledge"]["chunks"], 1);
    // Unchanged content creates no version.
    let same = stage.http.put(&path, json!({"content": "The new text."})).await;
    assert_eq!((&same.data(200)["version"], &same.data(200)["status"]), (&json!(2), &json!("ready")));
    assert_eq!(stage.stored_files(), 1);
    stage.end().await;
}

#[tokio::test]
async fn an_invalid_source_update_is_rejected_without_effect() {
    let stage = start_app().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let text_source = stage.http.post("/knowledge/sources", text(&bot, "Text.")).await.id();
    let file_source = stage.http.upload(&bot, "a.md", "File.").await.id();
    run_jobs(&stage).await;
    let path = |id: &str| format!("/knowledge/sources/{id}");
    let refused = stage.http.put(&path(&file_source), json!({"content": "New."})).await;
    assert_eq!(refused.error(409), "source_type_mismatch");
    let form = Form::new().part("file", file("b.md", "New."));
    let refused = send_form(&stage, Method::PUT, &path(&text_source), form).await;
    assert_eq!(refused.error(409), "source_type_mismatch");
    let refused = stage.http.put(&path(&text_source), json!({"content": "File."})).await;
    assert_eq!(refused.error(409), "duplicate_content");
    for (body, field) in
        [(json!({}), "body"), (json!({"name": ""}), "name"), (json!({"content": null}), "content")]
    {
        let refused = stage.http.put(&path(&text_source), body).await;
        assert_eq!(refused.error(400), "invalid_field");
        assert_eq!(refused.body["details"][0]["field"], field);
    }
    assert_eq!(stage.stored_files(), 2);
    let form = Form::new().part("file", file("b.txt", "New."));
    let changed = send_form(&stage, Method::PUT, &path(&file_source), form).await;
    assert_eq!(changed.data(200)["file_path"], format!("/uploads/{file_source}/b.txt"));
    run_jobs(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn a_source_can_be_deleted_in_every_state() {
    let stage = start_app().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let queued = stage.http.upload(&bot, "a.md", "Queued.").await.id();
    let chunked = stage.http.upload(&bot, "b.md", "On its way.").await.id();
    for kind in [Kind::Upload, Kind::Upload, Kind::Chunk] {
        stage.step(kind).await;
    }
    let failed = stage.http.upload(&bot, "c.md", " ").await.id();
    run_jobs(&stage).await;
    let ready = stage.http.upload(&bot, "d.md", "Ready.").await.id();
    run_jobs(&stage).await;
    let replaced = stage.http.upload(&bot, "e.md", "Replaced.").await.id();
    run_jobs(&stage).await;
    let form = Form::new().part("file", file("e.md", "Replacing."));
    send_form(&stage, Method::PUT, &format!("/knowledge/sources/{replaced}"), form).await.data(200);
    let waiting = stage.http.upload(&bot, "f.md", "Waiting.").await.id();
    for id in [&queued, &chunked, &failed, &ready, &replaced, &waiting] {
        let path = format!("/knowledge/sources/{id}");
        let deleted = stage.http.delete(&path).await;
        assert_eq!(
            deleted.body,
            json!({"success": true, "message": "Knowledge source deleted successfully"})
        );
        assert_eq!(stage.http.get(&path).await.error(404), "source_not_found");
        assert_eq!(stage.http.delete(&path).await.error(404), "source_not_found");
    }
    let sent = stage.http.post("/conversations/s/messages", json!({"message": "Ready."})).await;
    assert_eq!(sent.data(200)["bot_response"]["sources"], json!([]), "deleted sources are not found");
    run_jobs(&stage).await;
    for table in ["source", "source_version", "chunk"] {
        assert_eq!(stage.count_of(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(stage.stored_files(), 0);
    // Deleted content can be uploaded again.
    stage.http.upload(&bot, "d.md", "Ready.").await.data(201);
    run_jobs(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn updates_and_deletions_during_jobs_never_deadlock() {
    let mut stage = start_app().await;
    stage.start_workers();
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let lifecycles = (0..40).map(|number: u64| {
        let (http, bot) = (stage.http.clone(), bot.clone());
        async move {
            let created = http.upload(&bot, "a.md", format!("Text {number}.")).await.id();
            let path = format!("/knowledge/sources/{created}");
            tokio::time::sleep(std::time::Duration::from_millis(number * 5)).await;
            let form = Form::new().part("file", file("b.md", &format!("Other {number}.")));
            Answer::of(http.request(Method::PUT, &path).multipart(form)).await.data(200);
            tokio::time::sleep(std::time::Duration::from_millis(number * 3)).await;
            assert_eq!(http.delete(&path).await.status, 200);
        }
    });
    futures_util::future::join_all(lifecycles).await;
    stage
        .eventually("every job ends", async || {
            let unfinished = "select count(*) from job where state in ('queued', 'dispatched', 'running')";
            (stage.count_of(unfinished).await == 0).then_some(())
        })
        .await;
    assert_eq!(stage.count_of("select count(*) from chunk").await, 0);
    assert_eq!(stage.count_of("select count(*) from job where attempt > 1").await, 0, "no job was retried");
    assert_eq!(stage.stored_files(), 0);
    stage.end().await;
}
