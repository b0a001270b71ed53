//! Repeated requests with an `Idempotency-Key`.

use parlance_testing::sqlx::{self, AssertSqlSafe};
use parlance_testing::{Answer, Builder, TestApp, TestEmbedder};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::rows::tables;
use crate::{run_jobs, start_app};

async fn post(app: &TestApp, key: &str, path: &str, body: &Value) -> Answer {
    Answer::send(app.http.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
}

/// Whether a response is a replay.
fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

#[tokio::test]
async fn a_repeated_request_runs_once_and_replays_its_response() {
    let app = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    let first = post(&app, "k1", "/bots", &body).await;
    let again = post(&app, "k1", "/bots", &body).await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_ne!(first.headers["x-request-id"], again.headers["x-request-id"]);
    assert_eq!(app.http.get("/bots").await.body["pagination"]["total"], 1);
    post(&app, "k2", "/bots", &body).await.data(201);

    let other = json!({"name": "B", "channel_type": "api"});
    assert_eq!(post(&app, "k1", "/bots", &other).await.error(409), "idempotency_key_reused");
    assert_eq!(post(&app, "k1", "/conversations", &json!({})).await.error(409), "idempotency_key_reused");
    let (_, theirs) = app.another_tenant().await;
    let request = theirs.request(Method::POST, "/bots").header("Idempotency-Key", "k1").json(&other);
    Answer::send(request).await.data(201);
    app.end().await;
}

#[tokio::test]
async fn rejections_are_replayed_and_invalid_keys_reported() {
    let app = start_app().await;
    let refused = post(&app, "k", "/bots", &json!({})).await;
    assert_eq!(refused.error(400), "missing_field");
    let again = post(&app, "k", "/bots", &json!({})).await;
    assert_eq!(again.body, refused.body);
    assert!(replayed(&again));
    for invalid in ["", "two words", &"x".repeat(256)] {
        let answer = post(&app, invalid, "/bots", &json!({"name": "A", "channel_type": "api"})).await;
        assert_eq!(answer.error(400), "invalid_field");
        assert_eq!(answer.body["details"][0]["field"], "Idempotency-Key");
    }
    let without_key = app.http.with_key(None).request(Method::POST, "/bots");
    let answer = Answer::send(without_key.header("Idempotency-Key", "k").json(&json!({}))).await;
    assert_eq!(answer.error(401), "missing_api_key");
    app.end().await;
}

#[tokio::test]
async fn a_replay_needs_the_scope_of_the_operation() {
    let app = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    post(&app, "k", "/bots", &body).await.data(201);
    let created = app.http.post("/tenant/api-keys", json!({"name": "narrow", "scopes": ["chat"]})).await;
    let narrow = app.http.with_key(created.data(201)["key"].as_str());
    let request = narrow.request(Method::POST, "/bots").header("Idempotency-Key", "k").json(&body);
    assert_eq!(Answer::send(request).await.error(403), "missing_scope");
    app.end().await;
}

#[tokio::test]
async fn concurrent_repeats_run_once() {
    let app = start_app().await;
    app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    let body = json!({"message": "Hello?"});
    let requests = (0..10).map(|_| post(&app, "k", "/conversations/s/messages", &body));
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        answer.data(200);
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
    let details = app.http.get("/conversations/s").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 2);
    app.end().await;
}

#[tokio::test]
async fn an_upload_can_be_repeated_with_another_boundary() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let upload = async |text: &str| {
        let file = Part::text(text.to_owned()).file_name("a.md");
        let form = Form::new().text("bot_id", bot.clone()).part("file", file);
        let request = app.http.request(Method::POST, "/knowledge/upload").header("Idempotency-Key", "k");
        Answer::send(request.multipart(form)).await
    };
    let first = upload("Some text.").await;
    let again = upload("Some text.").await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    assert_eq!(upload("Other text.").await.error(409), "idempotency_key_reused");
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn a_transient_failure_is_not_replayed() {
    let app = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    app.break_table("bot").await;
    assert_eq!(post(&app, "k", "/bots", &body).await.error(500), "internal_error");
    app.restore_table("bot").await;
    let retried = post(&app, "k", "/bots", &body).await;
    assert!(retried.status == 201 && !replayed(&retried));
    app.end().await;
}

#[tokio::test]
async fn claims_expire_and_old_keys_are_deleted_after_a_day() {
    let app = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    let first = post(&app, "k", "/bots", &body).await;
    app.execute(
        "update idempotency set status = null, body = null, claim = tenant_id, claim_expires_at = now()",
    )
    .await;
    let second = post(&app, "k", "/bots", &body).await;
    assert_ne!(second.id(), first.id());
    app.execute("update idempotency set created_at = now() - interval '25 hours'").await;
    assert_eq!(parlance_core::idempotency::forget_old(&app.ctx).await.unwrap(), 1);
    assert_ne!(post(&app, "k", "/bots", &body).await.id(), second.id());
    app.end().await;
}

#[tokio::test]
async fn a_disconnected_client_gets_its_response_on_retry() {
    let app = start_app().await;
    app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    let body = json!({"message": "Hello?"});
    // Another message holds the turn, so the request waits while its client disconnects.
    post(&app, "before", "/conversations/s/messages", &body).await.data(200);
    app.execute("update conversation set turn = id, turn_expires_at = now() + interval '500 milliseconds'")
        .await;
    let abandoned = post(&app, "k", "/conversations/s/messages", &body);
    let timeout = std::time::Duration::from_millis(150);
    assert!(tokio::time::timeout(timeout, abandoned).await.is_err(), "the client disconnected too late");
    let retried = post(&app, "k", "/conversations/s/messages", &body).await;
    retried.data(200);
    assert!(replayed(&retried));
    let details = app.http.get("/conversations/s").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 4);
    app.end().await;
}

#[tokio::test]
async fn a_failed_message_is_not_stored_twice() {
    let app = start_app().await;
    app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    let body = json!({"message": "Is it open?"});
    app.break_table("chunk").await;
    for key in ["k", "k"] {
        assert_eq!(post(&app, key, "/conversations/s/messages", &body).await.error(500), "internal_error");
    }
    app.restore_table("chunk").await;
    let answered = post(&app, "k", "/conversations/s/messages", &body).await;
    assert!(answered.status == 200 && !replayed(&answered));
    let details = app.http.get("/conversations/s").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 2);
    assert_eq!(app.http.get("/tenant/usage").await.data(200)["usage"]["message_count"], 2);
    assert_eq!(app.http.get("/analytics/overview").await.data(200)["total_messages"], 2);
    app.end().await;
}

#[tokio::test]
async fn a_replayed_api_key_is_stored_in_no_table() {
    let app = start_app().await;
    let created = post(&app, "k", "/tenant/api-keys", &json!({"name": "Web"})).await;
    let key = created.data(201)["key"].as_str().unwrap();
    let again = post(&app, "k", "/tenant/api-keys", &json!({"name": "Web"})).await;
    assert_eq!((replayed(&again), &again.body), (true, &created.body));

    let db = app.ctx.db().platform();
    for table in tables(&app).await {
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("select t::text from {table} as t")))
                .fetch_all(db)
                .await
                .unwrap();
        assert!(!rows.iter().any(|row| row.contains(key)), "{table}");
    }

    let web = app.http.with_key(Some(key));
    let request = web.request(Method::POST, "/tenant/api-keys").header("Idempotency-Key", "k");
    let other = Answer::send(request.json(&json!({"name": "Web"}))).await;
    assert_eq!(other.error(409), "idempotency_key_reused");
    app.end().await;
}

#[tokio::test]
async fn a_deleted_response_is_neither_replayed_nor_recomputed() {
    let app = start_app().await;
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    let source =
        json!({"bot_id": bot, "source_type": "text", "name": "Secret", "content": "The word is mellon."});
    let added = post(&app, "s", "/knowledge/sources", &source).await;
    added.data(201);
    let message = json!({"message": "My number is 4711."});
    post(&app, "m", "/conversations/s/messages", &message).await.data(200);

    app.http.delete("/conversations/s").await;
    let again = post(&app, "m", "/conversations/s/messages", &message).await;
    assert_eq!(again.error(409), "idempotency_answer_erased");
    assert_eq!(app.http.get("/conversations/s").await.error(404), "conversation_not_found");
    assert!(replayed(&post(&app, "s", "/knowledge/sources", &source).await));

    app.http.delete(&format!("/knowledge/sources/{}", added.id())).await;
    let again = post(&app, "s", "/knowledge/sources", &source).await;
    assert_eq!(again.error(409), "idempotency_answer_erased");
    run_jobs(&app).await;
    app.end().await;
}

/// Locks a tenant's row, so that requests that change its counters wait.
async fn lock_tenant(app: &TestApp) -> sqlx::PgTransaction<'static> {
    let mut lock = app.ctx.db().platform().begin().await.unwrap();
    let query = "select 1 from tenant where id = $1 for no key update";
    sqlx::query(query).bind(app.tenant.uuid()).execute(&mut *lock).await.unwrap();
    lock
}

#[tokio::test]
async fn a_claim_ends_with_an_outage_of_the_database() {
    let app = Builder::default().embedder(TestEmbedder::default()).own_servers().start().await;
    let body = json!({"name": "A", "channel_type": "api"});
    let lock = lock_tenant(&app).await;
    let interrupted = tokio::spawn({
        let request = app.http.request(Method::POST, "/bots").header("Idempotency-Key", "k").json(&body);
        Answer::send(request)
    });
    app.eventually("the request has claimed its key", async || {
        let claims = sqlx::query_scalar::<_, i64>("select count(*) from idempotency where claim is not null");
        (claims.fetch_one(app.ctx.db().platform()).await.ok()? == 1).then_some(())
    })
    .await;
    app.servers.servers().stop_postgres().await.unwrap();
    assert_eq!(interrupted.await.unwrap().error(503), "unavailable");
    drop(lock);
    app.servers.servers().start_postgres().await.unwrap();
    app.eventually("the repeated request runs", async || {
        let answer = post(&app, "k", "/bots", &body).await;
        (answer.status.as_u16() == 201).then_some(())
    })
    .await;
    assert_eq!(app.http.get("/bots").await.body["pagination"]["total"], 1);
    app.end().await;
}
