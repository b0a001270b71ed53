//! Creation, listing, updates and deletion of bots.

use parlance_testing::{TestApp, sqlx};
use serde_json::{Value, json};

use crate::start_app;

#[tokio::test]
async fn a_created_bot_has_the_documented_fields_and_can_be_read() {
    let app = start_app().await;
    let body = json!({
        "name": "  Sales Assistant Bot ", "channel_type": "webchat",
        "description": "Helps with sales inquiries and product information",
        "welcome_message": "Hello!", "system_prompt": "You are a knowledgeable sales assistant.",
        "is_active": true, "language": "en", "personality": "friendly", "bot_role": "sales",
        "when_unsure": "refuse", "strict": true,
        "unknown": {"fields": "are ignored"},
    });
    let created = app.http.post("/bots", body).await;
    let bot = created.data(201).clone();
    for (field, value) in [
        ("name", json!("Sales Assistant Bot")),
        ("channel_type", json!("webchat")),
        ("description", json!("Helps with sales inquiries and product information")),
        ("welcome_message", json!("Hello!")),
        ("system_prompt", json!("You are a knowledgeable sales assistant.")),
        ("is_active", json!(true)),
        ("is_default", json!(true)),
        ("language", json!("en")),
        ("personality", json!("friendly")),
        ("bot_role", json!("sales")),
        ("when_unsure", json!("refuse")),
        ("strict", json!(true)),
        ("message", json!("Bot created successfully")),
    ] {
        assert_eq!(bot[field], value, "{field}");
    }
    let found = app.http.get(&format!("/bots/{}", created.id())).await;
    let mut expected = bot;
    expected.as_object_mut().unwrap().remove("message");
    assert_eq!(found.data(200), &expected);
    app.end().await;
}

#[tokio::test]
async fn unset_bot_fields_are_null() {
    let app = start_app().await;
    let created =
        app.http.post("/bots", json!({"name": "Plain", "channel_type": "api", "description": null})).await;
    for field in ["description", "welcome_message", "system_prompt", "personality", "bot_role"] {
        assert_eq!(created.data(201).get(field), Some(&Value::Null), "{field}");
    }
    app.end().await;
}

#[tokio::test]
async fn when_unsure_defaults_to_tell_and_strict_to_false() {
    let app = start_app().await;
    let body = json!({"name": "A", "channel_type": "api"});
    let plain = app.http.post("/bots", body.clone()).await;
    let mut nulls = body;
    nulls["when_unsure"] = Value::Null;
    nulls["strict"] = Value::Null;
    let with_nulls = app.http.post("/bots", nulls).await;
    for created in [&plain, &with_nulls] {
        let found = app.http.get(&format!("/bots/{}", created.id())).await;
        for bot in [created.data(201), found.data(200)] {
            assert_eq!((&bot["when_unsure"], &bot["strict"]), (&json!("tell"), &json!(false)));
        }
    }
    for listed in app.http.get("/bots").await.data(200).as_array().unwrap() {
        assert_eq!((&listed["when_unsure"], &listed["strict"]), (&json!("tell"), &json!(false)));
    }
    app.end().await;
}

#[tokio::test]
async fn when_unsure_and_strict_can_be_changed() {
    let app = start_app().await;
    let id = app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    let path = format!("/bots/{id}");
    for (changes, when_unsure, strict) in [
        (json!({"when_unsure": "refuse"}), "refuse", false),
        (json!({"strict": true}), "refuse", true),
        (json!({"name": "B"}), "refuse", true),
        (json!({"when_unsure": "tell", "strict": false}), "tell", false),
    ] {
        let changed = app.http.put(&path, changes.clone()).await;
        let found = app.http.get(&path).await;
        for bot in [changed.data(200), found.data(200)] {
            assert_eq!(
                (&bot["when_unsure"], &bot["strict"]),
                (&json!(when_unsure), &json!(strict)),
                "{changes}"
            );
        }
    }
    app.end().await;
}

#[tokio::test]
async fn invalid_when_unsure_and_strict_values_are_rejected() {
    let app = start_app().await;
    let id = app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    let path = format!("/bots/{id}");
    for value in [json!("guess"), json!("Tell"), json!("")] {
        let body = json!({"name": "B", "channel_type": "api", "when_unsure": value});
        let created = app.http.post("/bots", body).await;
        let changed = app.http.put(&path, json!({"when_unsure": value})).await;
        for refused in [created, changed] {
            assert_eq!(refused.error(400), "invalid_field");
            let message = "The 'when_unsure' field must be one of: tell, refuse";
            let expected = json!([{"field": "when_unsure", "message": message}]);
            assert_eq!(refused.body["details"], expected, "{value}");
        }
    }
    // Both are never null.
    for (body, field) in [
        (json!({"when_unsure": null}), "when_unsure"),
        (json!({"when_unsure": 1}), "when_unsure"),
        (json!({"strict": null}), "strict"),
        (json!({"strict": "very"}), "strict"),
    ] {
        let refused = app.http.put(&path, body.clone()).await;
        assert_eq!(refused.error(400), "invalid_field", "{body}");
        assert_eq!(refused.body["details"][0]["field"], field, "{body}");
    }
    let bot = app.http.get(&path).await;
    assert_eq!((&bot.data(200)["when_unsure"], &bot.data(200)["strict"]), (&json!("tell"), &json!(false)));
    app.end().await;
}

#[tokio::test]
async fn bots_are_listed_newest_first_in_pages_with_filters() {
    let app = start_app().await;
    for number in 1..=5 {
        let channel = if number % 2 == 0 { "slack" } else { "webchat" };
        let body =
            json!({"name": format!("Bot {number}"), "channel_type": channel, "is_active": number != 5});
        app.http.post("/bots", body).await.data(201);
    }
    for (query, names, pagination) in [
        ("", vec!["Bot 5", "Bot 4", "Bot 3", "Bot 2", "Bot 1"], json!([1, 20, 5, 1, false, false])),
        ("?page=1&per_page=2", vec!["Bot 5", "Bot 4"], json!([1, 2, 5, 3, false, true])),
        ("?page=3&per_page=2", vec!["Bot 1"], json!([3, 2, 5, 3, true, false])),
        ("?channel_type=slack", vec!["Bot 4", "Bot 2"], json!([1, 20, 2, 1, false, false])),
        ("?is_active=True&channel_type=webchat", vec!["Bot 3", "Bot 1"], json!([1, 20, 2, 1, false, false])),
        ("?is_active=false", vec!["Bot 5"], json!([1, 20, 1, 1, false, false])),
        ("?channel_type=email", vec![], json!([1, 20, 0, 0, false, false])),
    ] {
        let answer = app.http.get(&format!("/bots{query}")).await;
        let listed: Vec<&str> =
            answer.data(200).as_array().unwrap().iter().map(|bot| bot["name"].as_str().unwrap()).collect();
        assert_eq!(listed, names, "{query}");
        let [page, per_page, total, pages, has_prev, has_next] =
            ["page", "per_page", "total", "pages", "has_prev", "has_next"]
                .map(|field| answer.body["pagination"][field].clone());
        assert_eq!(json!([page, per_page, total, pages, has_prev, has_next]), pagination, "{query}");
    }
    app.end().await;
}

#[tokio::test]
async fn of_100_concurrent_creations_one_fits_the_plan_limit() {
    let app = start_app().await;
    let body = json!({"name": "One of many", "channel_type": "webchat"});
    for _ in 0..9 {
        app.http.post("/bots", body.clone()).await.data(201);
    }
    let requests = (0..100).map(|_| app.http.post("/bots", body.clone()));
    let answers = futures_util::future::join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.error(403), "plan_limit_bots");
        assert_eq!(refused.body["error"], "Bot limit reached for current plan");
        assert_eq!(refused.body["message"], "Upgrade your plan to create more bots");
    }
    app.end().await;
}

#[tokio::test]
async fn creating_a_bot_does_not_block_reads_or_messages() {
    let app = start_app().await;
    let body = json!({"name": "A", "channel_type": "webchat"});
    app.http.post("/bots", body.clone()).await.data(201);
    // The row lock that the creation of a bot holds.
    let mut lock = app.ctx.db().begin(app.tenant).await.unwrap();
    sqlx::query("select plan from tenant for no key update").execute(&mut **lock).await.unwrap();
    let creation = app.http.post("/bots", body);
    let meanwhile = async {
        app.http.get("/bots").await.data(200);
        app.http.get("/tenant/usage").await.data(200);
        app.http.post("/conversations/s/messages", json!({"message": "Hi"})).await.data(200);
        lock.rollback().await.unwrap();
    };
    let (created, ()) = tokio::join!(creation, meanwhile);
    created.data(201);
    app.end().await;
}

#[tokio::test]
async fn an_update_keeps_absent_fields_and_null_clears() {
    let app = start_app().await;
    let created = app
        .http
        .post(
            "/bots",
            json!({
                "name": "Old", "channel_type": "webchat", "description": "Kept", "welcome_message": "Hi",
                "personality": "friendly", "bot_role": "sales",
            }),
        )
        .await;
    let path = format!("/bots/{}", created.id());
    let changes = json!({
        "name": " New ", "welcome_message": null, "personality": null, "bot_role": "lead_generation",
        "language": "es", "is_active": false, "channel_type": "slack",
    });
    let changed = app.http.put(&path, changes).await;
    assert_eq!(changed.data(200)["message"], "Bot updated successfully");
    let bot = app.http.get(&path).await;
    for (field, value) in [
        ("name", json!("New")),
        ("description", json!("Kept")),
        ("welcome_message", Value::Null),
        ("personality", Value::Null),
        ("bot_role", json!("lead_generation")),
        ("language", json!("es")),
        ("is_active", json!(false)),
        // Read-only, so ignored.
        ("channel_type", json!("webchat")),
    ] {
        assert_eq!(bot.data(200)[field], value, "{field}");
        assert_eq!(changed.data(200)[field], value, "{field}");
    }
    for empty in [json!({}), json!({"unknown": 1})] {
        assert_eq!(app.http.put(&path, empty).await.error(400), "invalid_field");
    }
    crate::run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn changing_the_language_reindexes_the_knowledge() {
    let app = start_app().await;
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "webchat"})).await.id();
    app.http.upload(&bot, "a.md", "Las devoluciones son gratuitas.").await.data(201);
    crate::run_jobs(&app).await;
    let stems = "select count(*) from chunk_text where tsv @@ to_tsquery('spanish', 'devolución')";
    assert_eq!(app.count_of(stems).await, 0);
    app.http.put(&format!("/bots/{bot}"), json!({"language": "es"})).await.data(200);
    crate::run_jobs(&app).await;
    assert_eq!(app.count_of(stems).await, 1);
    app.http.put(&format!("/bots/{bot}"), json!({"language": "es"})).await.data(200);
    assert_eq!(app.count_of("select count(*) from job where kind = 'reindex'").await, 1);
    app.end().await;
}

/// The names of the default bots.
async fn defaults(app: &TestApp) -> Vec<String> {
    let bots = app.http.get("/bots").await;
    let bots = bots.data(200).as_array().unwrap().iter();
    bots.filter(|bot| bot["is_default"] == true).map(|bot| bot["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn exactly_one_bot_is_the_default() {
    let app = start_app().await;
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(app.http.post("/bots", json!({"name": name, "channel_type": "api"})).await.id());
    }
    let path = |index: usize| format!("/bots/{}", ids[index]);
    assert_eq!(defaults(&app).await, ["A"]);
    app.http.put(&path(2), json!({"is_default": true})).await.data(200);
    assert_eq!(defaults(&app).await, ["C"]);
    assert_eq!(app.http.put(&path(2), json!({"is_default": false})).await.error(409), "default_bot");
    app.http.put(&path(0), json!({"is_default": false})).await.data(200);
    // Concurrent updates of all three leave one.
    let updates = (0..3).map(|index| {
        let path = path(index);
        let http = app.http.clone();
        async move { http.put(&path, json!({"is_default": true})).await }
    });
    for answer in futures_util::future::join_all(updates).await {
        answer.data(200);
    }
    assert_eq!(defaults(&app).await.len(), 1);
    app.http.put(&path(1), json!({"is_default": true})).await.data(200);
    // When it is deleted, the oldest remaining bot becomes the default.
    app.http.delete(&path(1)).await;
    assert_eq!(defaults(&app).await, ["A"]);
    crate::run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn a_deleted_bot_disappears_at_once_and_is_purged_later() {
    let app = start_app().await;
    let bot = app.http.post("/bots", json!({"name": "Doomed", "channel_type": "webchat"})).await.id();
    let path = format!("/bots/{bot}");
    app.http.post("/conversations/s/messages", json!({"message": "Hi"})).await.data(200);
    let ready = app.http.upload(&bot, "a.md", "Some text.").await.id();
    crate::run_jobs(&app).await;
    let waiting = app.http.upload(&bot, "b.md", "Other text.").await.id();

    let deleted = app.http.delete(&path).await;
    assert_eq!(deleted.body, json!({"success": true, "message": "Bot 'Doomed' deleted successfully"}));
    assert_eq!(app.http.get(&path).await.error(404), "bot_not_found");
    assert_eq!(app.http.put(&path, json!({"name": "X"})).await.error(404), "bot_not_found");
    assert_eq!(app.http.delete(&path).await.error(404), "bot_not_found");
    assert_eq!(app.http.get("/conversations/s").await.error(404), "conversation_not_found");
    for source in [&ready, &waiting] {
        let path = format!("/knowledge/sources/{source}");
        for tail in ["", "/chunks", "/file"] {
            assert_eq!(app.http.get(&format!("{path}{tail}")).await.error(404), "source_not_found");
        }
        assert_eq!(app.http.put(&path, json!({"name": "X"})).await.error(404), "source_not_found");
        assert_eq!(app.http.delete(&path).await.error(404), "source_not_found");
    }
    for list in ["/bots", "/conversations", "/knowledge/sources"] {
        assert_eq!(app.http.get(list).await.body["pagination"]["total"], 0, "{list}");
    }
    let overview = app.http.get("/analytics/overview").await;
    assert_eq!(overview.data(200)["total_conversations"], 0);
    assert_eq!(overview.data(200)["knowledge"], json!({"sources": 0, "chunks": 0}));

    // The session id can be reused before and after the purge.
    app.http.post("/bots", json!({"name": "Successor", "channel_type": "webchat"})).await.data(201);
    app.http.post("/conversations/s/messages", json!({"message": "Hi"})).await.data(200);
    crate::run_jobs(&app).await;
    assert_eq!(app.http.get("/conversations/s").await.data(200)["session"]["bot_name"], "Successor");
    for table in ["source", "source_version", "chunk"] {
        let query = format!("select count(*) from {table}");
        assert_eq!(app.count_of(&query).await, 0, "{table}");
    }
    assert_eq!(app.count_of("select count(*) from bot").await, 1);
    assert_eq!(app.http.get("/tenant/usage").await.data(200)["usage"]["bot_count"], 1);
    assert_eq!(app.stored_files(), 0);
    app.end().await;
}

#[tokio::test]
async fn another_tenants_bot_looks_nonexistent() {
    let app = start_app().await;
    let (other, _) = app.another_tenant().await;
    let theirs = app.create_bot(other).await.to_string();
    let unknown = parlance_core::ids::BotId::fresh().to_string();
    let mut bodies = Vec::new();
    for id in [theirs.as_str(), unknown.as_str(), "bot-uuid-1", "%00", "a%2Fb"] {
        let mut answer = app.http.get(&format!("/bots/{id}")).await;
        assert_eq!(answer.error(404), "bot_not_found", "{id}");
        answer.body.as_object_mut().unwrap().remove("request_id");
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    assert_eq!(bodies[0]["error"], "Bot not found");
    assert_eq!(bodies[0]["message"], "The requested bot does not exist or you don't have access");
    app.end().await;
}
