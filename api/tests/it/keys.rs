//! API keys: made, rotated, revoked, and what they open.

use std::time::Duration;

use parlance_core::tenants;
use parlance_core::tenants::keys::{self, RawKey};
use serde_json::json;

use crate::stage;

#[tokio::test]
async fn a_key_is_shown_once_and_limited_to_its_scopes() {
    let stage = stage().await;
    let made = stage
        .http
        .post(
            "/tenant/api-keys",
            json!({"name": " Web ", "scopes": ["chat", "chat"], "expires_at": "2199-01-01T00:00:00Z"}),
        )
        .await;
    let key = made.data(201)["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("tk_") && key.len() == 3 + 43 + 6, "{key}");
    assert_eq!(made.data(201)["message"], "API key created successfully");
    let web = stage.http.with_key(Some(&key));
    assert_eq!(web.get("/conversations/none").await.error(404), "conversation_not_found");
    assert_eq!(web.get("/tenant/api-keys").await.error(403), "missing_scope");

    let listed = stage.http.get("/tenant/api-keys").await;
    let [newest, _] = &listed.data(200).as_array().unwrap()[..] else { panic!("{}", listed.body) };
    for (field, value) in [
        ("id", json!(made.id())),
        ("name", json!("Web")),
        ("prefix", json!(key[..11])),
        ("scopes", json!(["chat"])),
        ("expires_at", json!("2199-01-01T00:00:00.000000Z")),
    ] {
        assert_eq!(newest[field], value, "{field}");
    }
    assert!(newest.get("key").is_none());
    assert!(!listed.body.to_string().contains(&key));
    stage.end().await;
}

#[tokio::test]
async fn a_revoked_key_is_rejected_at_once() {
    let stage = stage().await;
    let made = stage.http.post("/tenant/api-keys", json!({"name": "Old"})).await;
    let old = stage.http.with_key(made.data(201)["key"].as_str());
    // Looked up, and so cached.
    old.get("/bots").await.data(200);
    let path = format!("/tenant/api-keys/{}", made.id());
    let revoked = stage.http.delete(&path).await;
    assert_eq!(revoked.body, json!({"success": true, "message": "API key 'Old' revoked successfully"}));
    assert_eq!(old.get("/bots").await.error(401), "invalid_api_key");
    assert_eq!(stage.http.delete(&path).await.error(404), "api_key_not_found");
    let rotated = stage.http.post(&format!("{path}/rotate"), json!({})).await;
    assert_eq!(rotated.error(404), "api_key_not_found");
    stage.end().await;
}

#[tokio::test]
async fn a_rotated_key_expires_at_once_or_after_its_grace_period() {
    let stage = stage().await;
    for (grace, old_works) in [(None, false), (Some(0), false), (Some(600), true)] {
        let body = json!({"name": "Web", "scopes": ["read"], "expires_at": "2199-01-01T00:00:00Z"});
        let made = stage.http.post("/tenant/api-keys", body).await;
        let old = stage.http.with_key(made.data(201)["key"].as_str());
        old.get("/bots").await.data(200);
        let path = format!("/tenant/api-keys/{}/rotate", made.id());
        let rotated = stage.http.post(&path, json!({"grace_period_seconds": grace})).await;
        for field in ["name", "scopes", "expires_at"] {
            assert_eq!(rotated.data(201)[field], made.data(201)[field], "{field}");
        }
        stage.http.with_key(rotated.data(201)["key"].as_str()).get("/bots").await.data(200);
        assert_eq!(old.get("/bots").await.status == 200, old_works, "{grace:?}");
    }
    let grace = json!({"grace_period_seconds": 604_801});
    let made = stage.http.post("/tenant/api-keys", json!({"name": "Web"})).await;
    let refused = stage.http.post(&format!("/tenant/api-keys/{}/rotate", made.id()), grace).await;
    assert_eq!(refused.error(400), "invalid_field");
    stage.end().await;
}

#[tokio::test]
async fn a_key_expires_on_time_even_when_cached() {
    let stage = stage().await;
    let end = chrono::Utc::now() + Duration::from_secs(3);
    let body = json!({"name": "Brief", "expires_at": end.to_rfc3339()});
    let made = stage.http.post("/tenant/api-keys", body).await;
    let brief = stage.http.with_key(made.data(201)["key"].as_str());
    brief.get("/bots").await.data(200);
    stage.eventually("the key ends", async || (brief.get("/bots").await.status == 401).then_some(())).await;
    assert!(chrono::Utc::now() >= end);
    stage.end().await;
}

#[tokio::test]
async fn an_inactive_tenant_is_locked_out_until_reactivated() {
    let stage = stage().await;
    stage.http.get("/bots").await.data(200);
    tenants::set_active(&stage.ctx, stage.tenant, false).await.unwrap();
    let refused = stage.http.get("/bots").await;
    assert_eq!(refused.error(401), "invalid_api_key");
    assert_eq!(refused.body["message"], "API key not found or tenant inactive");
    tenants::set_active(&stage.ctx, stage.tenant, true).await.unwrap();
    stage.http.get("/bots").await.data(200);
    stage.end().await;
}

#[tokio::test]
async fn the_last_use_of_a_key_is_written_at_most_once_a_minute() {
    let stage = stage().await;
    let used = stage
        .eventually("the use is written", async || {
            let listed = stage.http.get("/tenant/api-keys").await;
            listed.data(200)[0]["last_used_at"].as_str().map(str::to_owned)
        })
        .await;
    for _ in 0..20 {
        stage.http.get("/bots").await.data(200);
    }
    let listed = stage.http.get("/tenant/api-keys").await;
    assert_eq!(listed.data(200)[0]["last_used_at"], used, "once a minute is enough");
    stage.end().await;
}

#[tokio::test]
async fn key_lookups_work_without_redis() {
    let stage = parlance_testing::Builder::default()
        .embedder(parlance_testing::TestEmbedder::default())
        .own_servers()
        .start()
        .await;
    stage.servers.servers().stop_redis().await.unwrap();
    stage.http.get("/bots").await.data(200);
    let bot = stage.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    stage.http.post("/conversations/s/messages", json!({"message": "Hi", "bot_id": bot})).await.data(200);
    let made = stage.http.post("/tenant/api-keys", json!({"name": "Old"})).await;
    stage.http.delete(&format!("/tenant/api-keys/{}", made.id())).await;
    assert_eq!(
        stage.http.with_key(made.data(201)["key"].as_str()).get("/bots").await.error(401),
        "invalid_api_key"
    );
    stage.end().await;
}

#[tokio::test]
async fn redis_holds_no_key_lookups() {
    let stage = stage().await;
    for _ in 0..20 {
        stage.http.get("/bots").await.data(200);
    }
    let entries = format!("{}.key.*", stage.ctx.config().redis.namespace);
    assert_eq!(stage.servers.redis_ttls(&entries).await, [0_i64; 0], "who writes there would be any tenant");
    stage.end().await;
}

#[tokio::test]
async fn usage_is_shown_with_the_plan_limits() {
    let stage = stage().await;
    stage
        .http
        .post("/bots", json!({"name": "A", "channel_type": "api", "welcome_message": "Hi"}))
        .await
        .data(201);
    stage.http.post("/conversations/s/messages", json!({"message": "One"})).await.data(200);
    stage.http.post("/conversations/s/messages", json!({"message": "Two"})).await.data(200);
    let usage = stage.http.get("/tenant/usage").await;
    assert_eq!(
        usage.data(200),
        &json!({
            "usage": {"bot_count": 1, "conversation_count": 1, "message_count": 4},
            "limits": {
                "max_bots": 10, "max_conversations_per_month": 5000, "max_messages_per_month": 50_000
            },
            "utilization": {"bots": "1/10", "conversations": "1/5000", "messages": "4/50000"},
        })
    );
    tenants::set_plan(&stage.ctx, stage.tenant, tenants::Plan::Enterprise).await.unwrap();
    let usage = stage.http.get("/tenant/usage").await;
    assert_eq!(usage.data(200)["limits"]["max_bots"], serde_json::Value::Null);
    assert_eq!(usage.data(200)["utilization"]["bots"], "1/unlimited");
    stage.end().await;
}

#[tokio::test]
async fn revoking_a_key_invalidates_caches_of_other_processes() {
    let stage = stage().await;
    let made = stage.http.post("/tenant/api-keys", json!({"name": "Old"})).await;
    let key: RawKey = made.data(201)["key"].as_str().unwrap().parse().unwrap();
    let absent = parlance_core::Providers::absent();
    let other = parlance_core::Context::new(stage.ctx.config().clone(), absent).unwrap();
    other.bus().wait_for_connection().await.unwrap();
    for _ in 0..50 {
        // It begins to listen with the first that it reads.
        keys::authenticate(&other, &key).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.http.delete(&format!("/tenant/api-keys/{}", made.id())).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    keys::authenticate(&other, &key).await.unwrap_err();
    other.close().await;
    stage.end().await;
}
