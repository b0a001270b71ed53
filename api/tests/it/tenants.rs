//! Tenant details and access by API key.

use parlance_core::tenants::keys::{self, KeyRequest};
use serde_json::json;

use crate::start_app;

#[tokio::test]
async fn a_tenant_sees_its_account() {
    let app = start_app().await;
    let answer = app.http.get("/tenant/info").await;
    let info = answer.data(200);
    assert_eq!(info["id"], app.tenant.to_string());
    assert_eq!(
        (&info["name"], &info["plan"], &info["is_active"]),
        (&"Test".into(), &"professional".into(), &true.into())
    );
    assert!(info["created_at"].as_str().unwrap().ends_with('Z'), "{info}");
    assert!(info["updated_at"].as_str().unwrap().ends_with('Z'), "{info}");
    app.end().await;
}

#[tokio::test]
async fn an_invalid_key_is_rejected_with_the_documented_text() {
    let app = start_app().await;
    let (key, revoked) = keys::create(&app.ctx, app.tenant, &KeyRequest::full("old").unwrap()).await.unwrap();
    keys::revoke(&app.ctx, app.tenant, key.id).await.unwrap();
    for (key, code) in [
        (None, "missing_api_key"),
        (Some(""), "invalid_api_key"),
        (Some("tk_your_api_key_here"), "invalid_api_key"),
        (Some(revoked.expose()), "invalid_api_key"),
    ] {
        let answer = app.http.with_key(key).get("/tenant/info").await;
        assert_eq!(answer.error(401), code);
        assert_eq!(answer.body["error"], "Invalid API key");
        assert_eq!(answer.body["message"], "API key not found or tenant inactive");
    }
    app.end().await;
}

#[tokio::test]
async fn a_key_is_limited_to_its_scopes() {
    let app = start_app().await;
    let mut clients = Vec::new();
    for scope in ["read", "chat", "knowledge"] {
        let created = app.http.post("/tenant/api-keys", json!({"name": "narrow", "scopes": [scope]})).await;
        let key = created.data(201)["key"].as_str().unwrap();
        clients.push(app.http.with_key(Some(key)));
    }
    let [read, chat, knowledge] = &clients[..] else { panic!() };
    read.get("/bots").await.data(200);
    assert_eq!(read.post("/bots", json!({})).await.error(403), "missing_scope");
    assert_eq!(chat.get("/bots").await.error(403), "missing_scope");
    assert_eq!(chat.get("/conversations/none").await.error(404), "conversation_not_found");
    assert_eq!(knowledge.get("/conversations/none").await.error(403), "missing_scope");
    assert_eq!(knowledge.upload("nonsense", "a.md", "text").await.error(400), "invalid_field");
    app.end().await;
}
