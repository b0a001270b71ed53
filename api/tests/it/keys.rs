//! API keys: creation, rotation, revocation, expiry and caching.

use std::time::Duration;

use parlance_core::tenants;
use parlance_core::tenants::keys::{self, RawKey};
use serde_json::json;

use crate::start_app;

#[tokio::test]
async fn a_key_is_shown_once_and_limited_to_its_scopes() {
    let app = start_app().await;
    let created = app
        .http
        .post(
            "/tenant/api-keys",
            json!({"name": " Web ", "scopes": ["chat", "chat"], "expires_at": "2199-01-01T00:00:00Z"}),
        )
        .await;
    let key = created.data(201)["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("tk_") && key.len() == 3 + 43 + 6, "{key}");
    assert_eq!(created.data(201)["message"], "API key created successfully");
    let web = app.http.with_key(Some(&key));
    assert_eq!(web.get("/conversations/none").await.error(404), "conversation_not_found");
    assert_eq!(web.get("/tenant/api-keys").await.error(403), "missing_scope");

    let listed = app.http.get("/tenant/api-keys").await;
    let [newest, _] = &listed.data(200).as_array().unwrap()[..] else { panic!("{}", listed.body) };
    for (field, value) in [
        ("id", json!(created.id())),
        ("name", json!("Web")),
        ("prefix", json!(key[..11])),
        ("scopes", json!(["chat"])),
        ("expires_at", json!("2199-01-01T00:00:00.000000Z")),
    ] {
        assert_eq!(newest[field], value, "{field}");
    }
    assert!(newest.get("key").is_none());
    assert!(!listed.body.to_string().contains(&key));
    app.end().await;
}

#[tokio::test]
async fn a_revoked_key_is_rejected_at_once() {
    let app = start_app().await;
    let created = app.http.post("/tenant/api-keys", json!({"name": "Old"})).await;
    let old = app.http.with_key(created.data(201)["key"].as_str());
    // Fills the cache.
    old.get("/bots").await.data(200);
    let path = format!("/tenant/api-keys/{}", created.id());
    let revoked = app.http.delete(&path).await;
    assert_eq!(revoked.body, json!({"success": true, "message": "API key 'Old' revoked successfully"}));
    assert_eq!(old.get("/bots").await.error(401), "invalid_api_key");
    assert_eq!(app.http.delete(&path).await.error(404), "api_key_not_found");
    let rotated = app.http.post(&format!("{path}/rotate"), json!({})).await;
    assert_eq!(rotated.error(404), "api_key_not_found");
    app.end().await;
}

#[tokio::test]
async fn a_rotated_key_expires_at_once_or_after_its_grace_period() {
    let app = start_app().await;
    for (grace, old_key_works) in [(None, false), (Some(0), false), (Some(600), true)] {
        let body = json!({"name": "Web", "scopes": ["read"], "expires_at": "2199-01-01T00:00:00Z"});
        let created = app.http.post("/tenant/api-keys", body).await;
        let old = app.http.with_key(created.data(201)["key"].as_str());
        old.get("/bots").await.data(200);
        let path = format!("/tenant/api-keys/{}/rotate", created.id());
        let rotated = app.http.post(&path, json!({"grace_period_seconds": grace})).await;
        for field in ["name", "scopes", "expires_at"] {
            assert_eq!(rotated.data(201)[field], created.data(201)[field], "{field}");
        }
        app.http.with_key(rotated.data(201)["key"].as_str()).get("/bots").await.data(200);
        assert_eq!(old.get("/bots").await.status == 200, old_key_works, "{grace:?}");
    }
    let grace = json!({"grace_period_seconds": 604_801});
    let created = app.http.post("/tenant/api-keys", json!({"name": "Web"})).await;
    let refused = app.http.post(&format!("/tenant/api-keys/{}/rotate", created.id()), grace).await;
    assert_eq!(refused.error(400), "invalid_field");
    app.end().await;
}

#[tokio::test]
async fn a_key_expires_on_time_even_when_cached() {
    let app = start_app().await;
    let expiry = chrono::Utc::now() + Duration::from_secs(3);
    let body = json!({"name": "Short-lived", "expires_at": expiry.to_rfc3339()});
    let created = app.http.post("/tenant/api-keys", body).await;
    let short_lived = app.http.with_key(created.data(201)["key"].as_str());
    short_lived.get("/bots").await.data(200);
    app.eventually("the key expires", async || (short_lived.get("/bots").await.status == 401).then_some(()))
        .await;
    assert!(chrono::Utc::now() >= expiry);
    app.end().await;
}

#[tokio::test]
async fn an_inactive_tenant_is_locked_out_until_reactivated() {
    let app = start_app().await;
    app.http.get("/bots").await.data(200);
    tenants::set_active(&app.ctx, app.tenant, false).await.unwrap();
    let refused = app.http.get("/bots").await;
    assert_eq!(refused.error(401), "invalid_api_key");
    assert_eq!(refused.body["message"], "API key not found or tenant inactive");
    tenants::set_active(&app.ctx, app.tenant, true).await.unwrap();
    app.http.get("/bots").await.data(200);
    app.end().await;
}

#[tokio::test]
async fn the_last_use_of_a_key_is_written_at_most_once_a_minute() {
    let app = start_app().await;
    let used = app
        .eventually("the last use is written", async || {
            let listed = app.http.get("/tenant/api-keys").await;
            listed.data(200)[0]["last_used_at"].as_str().map(str::to_owned)
        })
        .await;
    for _ in 0..20 {
        app.http.get("/bots").await.data(200);
    }
    let listed = app.http.get("/tenant/api-keys").await;
    assert_eq!(listed.data(200)[0]["last_used_at"], used, "at most one write a minute");
    app.end().await;
}

#[tokio::test]
async fn key_lookups_work_without_redis() {
    let app = parlance_testing::Builder::default()
        .embedder(parlance_testing::TestEmbedder::default())
        .own_servers()
        .start()
        .await;
    app.servers.servers().stop_redis().await.unwrap();
    app.http.get("/bots").await.data(200);
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    app.http.post("/conversations/s/messages", json!({"message": "Hi", "bot_id": bot})).await.data(200);
    let created = app.http.post("/tenant/api-keys", json!({"name": "Old"})).await;
    app.http.delete(&format!("/tenant/api-keys/{}", created.id())).await;
    assert_eq!(
        app.http.with_key(created.data(201)["key"].as_str()).get("/bots").await.error(401),
        "invalid_api_key"
    );
    app.end().await;
}

#[tokio::test]
async fn redis_holds_no_key_lookups() {
    let app = start_app().await;
    for _ in 0..20 {
        app.http.get("/bots").await.data(200);
    }
    let entries = format!("{}.key.*", app.ctx.config().redis.namespace);
    assert_eq!(
        app.servers.redis_ttls(&entries).await,
        [0_i64; 0],
        "a writer to Redis could impersonate any tenant"
    );
    app.end().await;
}

#[tokio::test]
async fn usage_is_shown_with_the_plan_limits() {
    let app = start_app().await;
    app.http
        .post("/bots", json!({"name": "A", "channel_type": "api", "welcome_message": "Hi"}))
        .await
        .data(201);
    app.http.post("/conversations/s/messages", json!({"message": "One"})).await.data(200);
    app.http.post("/conversations/s/messages", json!({"message": "Two"})).await.data(200);
    let usage = app.http.get("/tenant/usage").await;
    assert_eq!(
        usage.data(200),
        &json!({
            "usage": {
                "bot_count": 1, "conversation_count": 1, "message_count": 4,
                "source_count": 0, "storage_bytes": 0, "api_key_count": 1, "embedded_token_count": 0
            },
            "limits": {
                "max_bots": 10, "max_conversations_per_month": 5000, "max_messages_per_month": 50_000,
                "max_sources": 10_000, "max_storage_bytes": 21_474_836_480_i64, "max_api_keys": 100,
                "max_embedded_tokens_per_month": 200_000_000
            },
            "utilization": {
                "bots": "1/10", "conversations": "1/5000", "messages": "4/50000", "sources": "0/10000",
                "storage_bytes": "0/21474836480", "api_keys": "1/100", "embedded_tokens": "0/200000000"
            },
        })
    );
    tenants::set_plan(&app.ctx, app.tenant, tenants::Plan::Enterprise).await.unwrap();
    let usage = app.http.get("/tenant/usage").await;
    assert_eq!(usage.data(200)["limits"]["max_bots"], serde_json::Value::Null);
    assert_eq!(usage.data(200)["utilization"]["bots"], "1/unlimited");
    app.end().await;
}

#[tokio::test]
async fn revoking_a_key_invalidates_caches_of_other_processes() {
    let app = start_app().await;
    let created = app.http.post("/tenant/api-keys", json!({"name": "Old"})).await;
    let key: RawKey = created.data(201)["key"].as_str().unwrap().parse().unwrap();
    let absent = parlance_core::Providers::absent();
    let other = parlance_core::Context::new(app.ctx.config().clone(), absent).unwrap();
    other.bus().wait_for_connection().await.unwrap();
    for _ in 0..50 {
        // The first lookup starts the subscription to invalidations.
        keys::authenticate(&other, &key).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.http.delete(&format!("/tenant/api-keys/{}", created.id())).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    keys::authenticate(&other, &key).await.unwrap_err();
    other.close().await;
    app.end().await;
}
