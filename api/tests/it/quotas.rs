//! Limits of a plan on sources, stored bytes, API keys and embedded tokens: exact under concurrency.

use futures_util::future::join_all;
use parlance_core::tenants::keys::{self, KeyRequest};
use parlance_core::tenants::{self, Plan};
use parlance_testing::{Answer, TestApp};
use serde_json::{Value, json};

use crate::{run_jobs, start_app};

/// An application whose tenant has the plan `free`, and a bot.
async fn start_free() -> (TestApp, String) {
    let app = start_app().await;
    tenants::set_plan(&app.ctx, app.tenant, Plan::Free).await.unwrap();
    let bot = app.create_bot(app.tenant).await.to_string();
    (app, bot)
}

fn text(bot: &str, content: &str) -> Value {
    json!({"bot_id": bot, "name": "Text", "source_type": "text", "content": content})
}

async fn usage(app: &TestApp, count: &str) -> i64 {
    app.http.get("/tenant/usage").await.data(200)["usage"][count].as_i64().unwrap()
}

/// Asserts that one of the answers is a 201 and all others have this error.
fn assert_one_fits(answers: &[Answer], code: &str, error: &str, message: &str) {
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.error(403), code);
        assert_eq!((&refused.body["error"], &refused.body["message"]), (&json!(error), &json!(message)));
    }
}

#[tokio::test]
async fn of_100_concurrent_sources_one_fits_the_plan() {
    let (app, bot) = start_free().await;
    for number in 0..49 {
        app.http.post("/knowledge/sources", text(&bot, &format!("Text {number}."))).await.data(201);
    }
    let answers = join_all((0..100).map(|number| {
        let (app, bot) = (&app, &bot);
        async move { app.http.upload(bot, "a.txt", format!("One of many: {number}.")).await }
    }));
    assert_one_fits(
        &answers.await,
        "plan_limit_sources",
        "Knowledge source limit reached for current plan",
        "Upgrade your plan to add more knowledge sources",
    );
    assert_eq!(
        (usage(&app, "source_count").await, app.stored_files()),
        (50, 50),
        "refused files are removed"
    );
    // Content that the bot already has creates no source.
    app.http.post("/knowledge/sources", text(&bot, "Text 7.")).await.data(200);
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn of_100_concurrent_uploads_one_fits_the_storage() {
    let (app, bot) = start_free().await;
    let first = app.http.upload(&bot, "a.txt", "x".repeat(1000)).await.id();
    app.execute(&format!("update source set size_bytes = {} where id = '{first}'", 100 << 20)).await;
    // As if the first file had left room for one more of twenty bytes.
    app.execute(&format!("update source_version set original_bytes = {}", (100 << 20) - 39)).await;
    assert_eq!(usage(&app, "storage_bytes").await, (100 << 20) - 39);
    let answers = join_all((0..100).map(|number| {
        let (app, bot) = (&app, &bot);
        async move { app.http.upload(bot, "b.txt", format!("Twenty bytes are {number:02}.")).await }
    }));
    assert_one_fits(
        &answers.await,
        "plan_limit_storage",
        "Storage limit reached for current plan",
        "Upgrade your plan or delete knowledge sources to store more",
    );
    assert_eq!((usage(&app, "storage_bytes").await, app.stored_files()), ((100 << 20) - 19, 2));
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn of_100_concurrent_keys_one_fits_the_plan() {
    let (app, _) = start_free().await;
    let create = async |body: Value| app.http.post("/tenant/api-keys", body).await;
    for _ in 0..3 {
        create(json!({"name": "Key"})).await.data(201);
    }
    let answers = join_all((0..100).map(|_| create(json!({"name": "One of many"})))).await;
    assert_one_fits(
        &answers,
        "plan_limit_api_keys",
        "API key limit reached for current plan",
        "Upgrade your plan to create more API keys",
    );
    assert_eq!(usage(&app, "api_key_count").await, 5);
    app.end().await;
}

#[tokio::test]
async fn ended_keys_leave_room_and_rotation_needs_none() {
    let (app, _) = start_free().await;
    let create = async || app.http.post("/tenant/api-keys", json!({"name": "Key"})).await;
    let rotate = async |id: &str, seconds: i64| {
        let path = format!("/tenant/api-keys/{id}/rotate");
        app.http.post(&path, json!({"grace_period_seconds": seconds})).await
    };
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(create().await.id());
    }
    assert_eq!(create().await.error(403), "plan_limit_api_keys");
    app.http.delete(&format!("/tenant/api-keys/{}", ids[0])).await;
    ids[0] = create().await.id();
    app.execute(&format!("update api_key set expires_at = now() where id = '{}'", ids[1])).await;
    ids[1] = create().await.id();
    // Without a grace period the old key ends at once.
    ids[2] = rotate(&ids[2], 0).await.id();
    assert_eq!(usage(&app, "api_key_count").await, 5);
    // With one, both count, up to twice the plan's number.
    for id in &mut ids {
        *id = rotate(id, 3600).await.id();
    }
    rotate(&ids[0], 3600).await.data(201);
    assert_eq!(usage(&app, "api_key_count").await, 10);
    assert_eq!(rotate(&ids[1], 3600).await.error(403), "plan_limit_api_keys");
    rotate(&ids[1], 0).await.data(201);
    // Operators help a tenant that lost its keys.
    keys::issue(&app.ctx, app.tenant, &KeyRequest::full("lost").unwrap()).await.unwrap();
    app.end().await;
}

#[tokio::test]
async fn a_replacement_beyond_the_storage_keeps_the_old_content() {
    let (app, bot) = start_free().await;
    let source = app.http.post("/knowledge/sources", text(&bot, "The old text.")).await.id();
    run_jobs(&app).await;
    let path = format!("/knowledge/sources/{source}");
    // The original and its text.
    assert_eq!(usage(&app, "storage_bytes").await, 2 * 13);
    app.execute(&format!("update source_version set original_bytes = {}", 100 << 20)).await;
    let replaced = app.http.put(&path, json!({"content": "The new text."})).await;
    assert_eq!(replaced.error(403), "plan_limit_storage");
    let shown = app.http.get(&path).await;
    assert_eq!(shown.data(200)["source"]["content"], "The old text.");
    assert_eq!(app.stored_files(), 1);
    app.http.put(&path, json!({"name": "A new name", "content": "The old text."})).await.data(200);
    app.execute("update source_version set original_bytes = 13").await;
    app.http.put(&path, json!({"content": "The new one."})).await.data(200);
    assert_eq!(usage(&app, "storage_bytes").await, 2 * 13 + 12, "the old content is still stored");
    run_jobs(&app).await;
    assert_eq!(usage(&app, "storage_bytes").await, 2 * 12);
    app.end().await;
}

#[tokio::test]
async fn deletion_lowers_the_counters_at_once() {
    let app = start_app().await;
    let (bot, other) =
        (app.create_bot(app.tenant).await.to_string(), app.create_bot(app.tenant).await.to_string());
    let mut sources = Vec::new();
    for (bot, content) in [(&bot, "Four"), (&bot, "Fifty"), (&other, "Six..."), (&other, "Seven..")] {
        sources.push(app.http.post("/knowledge/sources", text(bot, content)).await.id());
    }
    run_jobs(&app).await;
    let counts = async || (usage(&app, "source_count").await, usage(&app, "storage_bytes").await);
    assert_eq!(counts().await, (4, 2 * 22));
    app.http.delete(&format!("/knowledge/sources/{}", sources[0])).await;
    assert_eq!(counts().await, (3, 2 * 18));
    app.http.delete(&format!("/bots/{other}")).await;
    assert_eq!(counts().await, (1, 2 * 5));
    run_jobs(&app).await;
    assert_eq!(counts().await, (1, 2 * 5), "the purge changes nothing");
    assert_eq!(app.stored_files(), 1);
    app.end().await;
}

#[tokio::test]
async fn uploads_and_deletions_of_bots_do_not_deadlock() {
    let app = start_app().await;
    for round in 0..5 {
        let bot = app.create_bot(app.tenant).await.to_string();
        app.http.post("/knowledge/sources", text(&bot, "Kept.")).await.data(201);
        let uploads = join_all((0..20).map(|number| {
            let (app, body) = (&app, text(&bot, &format!("Round {round}, text {number}.")));
            async move { app.http.post("/knowledge/sources", body).await.status.as_u16() }
        }));
        let deletion = async { app.http.delete(&format!("/bots/{bot}")).await.status.as_u16() };
        let (statuses, deleted, ()) = tokio::join!(uploads, deletion, run_jobs(&app));
        assert_eq!(deleted, 200);
        assert!(statuses.iter().all(|status| matches!(status, 201 | 404)), "{statuses:?}");
    }
    run_jobs(&app).await;
    assert_eq!((usage(&app, "source_count").await, usage(&app, "storage_bytes").await), (0, 0));
    app.end().await;
}
