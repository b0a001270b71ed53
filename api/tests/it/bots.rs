//! Bots.

use serde_json::{Value, json};

use crate::stage;

#[tokio::test]
async fn a_bot_is_made_as_the_reference_shows_and_found_again() {
    let stage = stage().await;
    let body = json!({
        "name": "  Sales Assistant Bot ", "channel_type": "webchat",
        "description": "Helps with sales inquiries and product information",
        "welcome_message": "Hello!", "system_prompt": "You are a knowledgeable sales assistant.",
        "is_active": true, "language": "en", "personality": "friendly", "bot_role": "sales",
        "unknown": {"fields": "are ignored"},
    });
    let made = stage.http.post("/bots", body).await;
    let bot = made.data(201).clone();
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
        ("message", json!("Bot created successfully")),
    ] {
        assert_eq!(bot[field], value, "{field}");
    }
    let found = stage.http.get(&format!("/bots/{}", made.id())).await;
    let mut expected = bot;
    expected.as_object_mut().unwrap().remove("message");
    assert_eq!(found.data(200), &expected);
    stage.end().await;
}

#[tokio::test]
async fn what_a_bot_does_not_have_is_null() {
    let stage = stage().await;
    let made =
        stage.http.post("/bots", json!({"name": "Plain", "channel_type": "api", "description": null})).await;
    for field in ["description", "welcome_message", "system_prompt", "personality", "bot_role"] {
        assert_eq!(made.data(201).get(field), Some(&Value::Null), "{field}");
    }
    stage.end().await;
}

#[tokio::test]
async fn a_list_is_paged_newest_first_and_filtered() {
    let stage = stage().await;
    for number in 1..=5 {
        let channel = if number % 2 == 0 { "slack" } else { "webchat" };
        let body =
            json!({"name": format!("Bot {number}"), "channel_type": channel, "is_active": number != 5});
        stage.http.post("/bots", body).await.data(201);
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
        let answer = stage.http.get(&format!("/bots{query}")).await;
        let seen: Vec<&str> =
            answer.data(200).as_array().unwrap().iter().map(|bot| bot["name"].as_str().unwrap()).collect();
        assert_eq!(seen, names, "{query}");
        let [page, per_page, total, pages, has_prev, has_next] =
            ["page", "per_page", "total", "pages", "has_prev", "has_next"]
                .map(|field| answer.body["pagination"][field].clone());
        assert_eq!(json!([page, per_page, total, pages, has_prev, has_next]), pagination, "{query}");
    }
    stage.end().await;
}

#[tokio::test]
async fn a_plan_holds_when_many_bots_are_made_at_once() {
    let stage = stage().await;
    let body = json!({"name": "One of many", "channel_type": "webchat"});
    let answers = {
        let requests = (0..30).map(|_| stage.http.post("/bots", body.clone()));
        futures_util::future::join_all(requests).await
    };
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 10);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.error(403), "plan_limit_bots");
        assert_eq!(refused.body["error"], "Bot limit reached for current plan");
        assert_eq!(refused.body["message"], "Upgrade your plan to create more bots");
    }
    stage.end().await;
}

#[tokio::test]
async fn another_tenants_bot_is_answered_as_one_that_does_not_exist() {
    let stage = stage().await;
    let (other, _) = stage.another_tenant().await;
    let theirs = stage.bot_of(other).await.to_string();
    let nobodys = parlance_core::ids::BotId::fresh().to_string();
    let mut answers = Vec::new();
    for id in [theirs.as_str(), nobodys.as_str(), "bot-uuid-1", "%00", "a%2Fb"] {
        let mut answer = stage.http.get(&format!("/bots/{id}")).await;
        assert_eq!(answer.error(404), "bot_not_found", "{id}");
        answer.body.as_object_mut().unwrap().remove("request_id");
        answers.push(answer.body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(answers[0]["error"], "Bot not found");
    assert_eq!(answers[0]["message"], "The requested bot does not exist or you don't have access");
    stage.end().await;
}
