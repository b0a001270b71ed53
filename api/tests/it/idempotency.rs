//! Repeated requests with an `Idempotency-Key`.

use parlance_testing::sqlx::{self, AssertSqlSafe};
use parlance_testing::{Answer, Stage};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::rows::tables;
use crate::{run_jobs, start_app};

async fn post(stage: &Stage, key: &str, path: &str, body: &Value) -> Answer {
    Answer::of(stage.http.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
}

/// Whether a response is a replay.
fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

#[tokio::test]
async fn a_repeated_request_runs_once_and_replays_its_response() {
    let stage = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    let first = post(&stage, "k1", "/bots", &body).await;
    let again = post(&stage, "k1", "/bots", &body).await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_ne!(first.headers["x-request-id"], again.headers["x-request-id"]);
    assert_eq!(stage.http.get("/bots").await.body["pagination"]["total"], 1);
    post(&stage, "k2", "/bots", &body).await.data(201);

    let other = json!({"name": "B", "channel_type": "api"});
    assert_eq!(post(&stage, "k1", "/bots", &other).await.error(409), "idempotency_key_reused");
    assert_eq!(post(&stage, "k1", "/conversations", &json!({})).await.error(409), "idempotency_key_reused");
    let (_, theirs) = stage.another_tenant().await;
    let request = theirs.request(Method::POST, "/bots").header("Idempotency-Key", "k1").json(&other);
    Answer::of(request).await.data(201);
    stage.end().await;
}

#[tokio::test]
async fn rejections_are_replayed_and_invalid_keys_reported() {
    let stage = start_app().await;
    let refused = post(&stage, "k", "/bots", &json!({})).await;
    assert_eq!(refused.error(400), "missing_field");
    let again = post(&stage, "k", "/bots", &json!({})).await;
    assert_eq!(again.body, refused.body);
    assert!(replayed(&again));
    for invalid in ["", "two words", &"x".repeat(256)] {
        let answer = post(&stage, invalid, "/bots", &json!({"name": "A", "channel_type": "api"})).await;
        assert_eq!(answer.error(400), "invalid_field");
        assert_eq!(answer.body["details"][0]["field"], "Idempotency-Key");
    }
    let without_key = stage.http.with_key(None).request(Method::POST, "/bots");
    let answer = Answer::of(without_key.header("Idempotency-Key", "k").json(&json!({}))).await;
    assert_eq!(answer.error(401), "missing_api_key");
    stage.end().await;
}

#[tokio::test]
async fn a_replay_needs_the_scope_of_the_operation() {
    let stage = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    post(&stage, "k", "/bots", &body).await.data(201);
    let created = stage.http.post("/tenant/api-keys", json!({"name": "narrow", "scopes": ["chat"]})).await;
    let narrow = stage.http.with_key(created.data(201)["key"].as_str());
    let request = narrow.request(Method::POST, "/bots").header("Idempotency-Key", "k").json(&body);
    assert_eq!(Answer::of(request).await.error(403), "missing_scope");
    stage.end().await;
}

#[tokio::test]
async fn concurrent_repeats_run_once() {
    let stage = start_app().await;
    stage.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    let body = json!({"message": "Hello?"});
    let requests = (0..10).map(|_| post(&stage, "k", "/conversations/s/messages", &body));
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        answer.data(200);
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
    let details = stage.http.get("/conversations/s").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 2);
    stage.end().await;
}

#[tokio::test]
async fn an_upload_can_be_repeated_with_another_boundary() {
    let stage = start_app().await;
    let bot = stage.bot_of(stage.tenant).await.to_string();
    let upload = async |text: &str| {
        let file = Part::text(text.to_owned()).file_name("a.md");
        let form = Form::new().text("bot_id", bot.clone()).part("file", file);
        let request = stage.http.request(Method::POST, "/knowledge/upload").header("Idempotency-Key", "k");
        Answer::of(request.multipart(form)).await
    };
    let first = upload("Some text.").await;
    let again = upload("Some text.").await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    assert_eq!(upload("Other text.").await.error(409), "idempotency_key_reused");
    run_jobs(&stage).await;
    stage.end().await;
}

#[tokio::test]
async fn a_transient_failure_is_not_replayed() {
    let stage = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    stage.break_table("bot").await;
    assert_eq!(post(&stage, "k", "/bots", &body).await.error(500), "internal_error");
    stage.restore_table("bot").await;
    let retried = post(&stage, "k", "/bots", &body).await;
    assert!(retried.status == 201 && !replayed(&retried));
    stage.end().await;
}

#[tokio::test]
async fn claims_expire_and_old_keys_are_deleted_after_a_day() {
    let stage = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    let first = post(&stage, "k", "/bots", &body).await;
    stage
        .execute(
            "update idempotency set status = null, body = null, claim = tenant_id, claim_expires_at = now()",
        )
        .await;
    let second = post(&stage, "k", "/bots", &body).await;
    assert_ne!(second.id(), first.id());
    stage.execute("update idempotency set created_at = now() - interval '25 hours'").await;
    assert_eq!(parlance_core::idempotency::forget_old(&stage.ctx).await.unwrap(), 1);
    assert_ne!(post(&stage, "k", "/bots", &body).await.id(), second.id());
    stage.end().await;
}

#[tokio::test]
async fn a_disconnected_client_gets_its_response_on_retry() {
    let stage = start_app().await;
    stage.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    let body = json!({"message": "Hello?"});
    // Another message holds the turn, so the request waits while its client disconnects.
    post(&stage, "before", "/conversations/s/messages", &body).await.data(200);
    stage
        .execute("update conversation set turn = id, turn_expires_at = now() + interval '500 milliseconds'")
        .await;
    let abandoned = post(&stage, "k", "/conversations/s/messages", &body);
    let timeout = std::time::Duration::from_millis(150);
    assert!(tokio::time::timeout(timeout, abandoned).await.is_err(), "the client disconnected too late");
    let retried = post(&stage, "k", "/conversations/s/messages", &body).await;
    retried.data(200);
    assert!(replayed(&retried));
    let details = stage.http.get("/conversations/s").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 4);
    stage.end().await;
}

#[tokio::test]
async fn a_failed_message_is_not_stored_twice() {
    let stage = start_app().await;
    stage.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    let body = json!({"message": "Is it open?"});
    stage.break_table("chunk").await;
    for key in ["k", "k"] {
        assert_eq!(post(&stage, key, "/conversations/s/messages", &body).await.error(500), "internal_error");
    }
    stage.restore_table("chunk").await;
    let answered = post(&stage, "k", "/conversations/s/messages", &body).await;
    assert!(answered.status == 200 && !replayed(&answered));
    let details = stage.http.get("/conversations/s").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 2);
    assert_eq!(stage.http.get("/tenant/usage").await.data(200)["usage"]["message_count"], 2);
    assert_eq!(stage.http.get("/analytics/overview").await.data(200)["total_messages"], 2);
    stage.end().await;
}

#[tokio::test]
async fn a_replayed_api_key_is_stored_in_no_table() {
    let stage = start_app().await;
    let created = post(&stage, "k", "/tenant/api-keys", &json!({"name": "Web"})).await;
    let key = created.data(201)["key"].as_str().unwrap();
    let again = post(&stage, "k", "/tenant/api-keys", &json!({"name": "Web"})).await;
    assert_eq!((replayed(&again), &again.body), (true, &created.body));

    let db = stage.ctx.db().platform();
    for table in tables(&stage).await {
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("select t::text from {table} as t")))
                .fetch_all(db)
                .await
                .unwrap();
        assert!(!rows.iter().any(|row| row.contains(key)), "{table}");
    }

    let web = stage.http.with_key(Some(key));
    let request = web.request(Method::POST, "/tenant/api-keys").header("Idempotency-Key", "k");
    let other = Answer::of(request.json(&json!({"name": "Web"}))).await;
    assert_eq!(other.error(409), "idempotency_key_reused");
    stage.end().await;
}

#[tokio::test]
async fn a_deleted_response_is_neither_replayed_nor_recomputed() {
    let stage = start_app().await;
    let bot = stage.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    let source =
        json!({"bot_id": bot, "source_type": "text", "name": "Secret", "content": "The word is mellon."});
    let added = post(&stage, "s", "/knowledge/sources", &source).await;
    added.data(201);
    let message = json!({"message": "My number is 4711."});
    post(&stage, "m", "/conversations/s/messages", &message).await.data(200);

    stage.http.delete("/conversations/s").await;
    let again = post(&stage, "m", "/conversations/s/messages", &message).await;
    assert_eq!(again.error(409), "idempotency_answer_erased");
    assert_eq!(stage.http.get("/conversations/s").await.error(404), "conversation_not_found");
    assert!(replayed(&post(&stage, "s", "/knowledge/sources", &source).await));

    stage.http.delete(&format!("/knowledge/sources/{}", added.id())).await;
    let again = post(&stage, "s", "/knowledge/sources", &source).await;
    assert_eq!(again.error(409), "idempotency_answer_erased");
    run_jobs(&stage).await;
    stage.end().await;
}
