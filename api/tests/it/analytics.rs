//! Analytics endpoints. `rollups` tests that their numbers are correct for any workload.

use chrono::{Days, Utc};
use parlance_testing::TestApp;
use serde_json::{Value, json};

use crate::{run_jobs, start_app};

/// Sends a message. Returns the exchange.
async fn send(app: &TestApp, session: &str, bot: &str, message: &str) -> Value {
    let body = json!({"message": message, "bot_id": bot});
    app.http.post(&format!("/conversations/{session}/messages"), body).await.data(200).clone()
}

#[tokio::test]
async fn an_overview_counts_bots_conversations_and_answers() {
    let app = start_app().await;
    let empty = app.http.get("/analytics/overview").await;
    assert_eq!(empty.data(200)["answer_time_ms"], json!({"median": null, "p95": null}));
    assert_eq!((&empty.data(200)["period_days"], &empty.data(200)["bots"]), (&json!(30), &json!([])));

    let bot = app
        .http
        .post("/bots", json!({"name": "A", "channel_type": "webchat", "welcome_message": "Hi"}))
        .await
        .id();
    app.http.upload(&bot, "a.md", "The sky is blue.").await.data(201);
    run_jobs(&app).await;
    send(&app, "1", &bot, "The sky is blue.").await;
    send(&app, "1", &bot, "The sky is blue!").await;
    send(&app, "2", &bot, "The sky is blue?").await;
    app.http.patch("/conversations/2", json!({"status": "ended"})).await.data(200);
    let overview = app.http.get("/analytics/overview?period=7&timezone=Asia/Kathmandu").await;
    let data = overview.data(200);
    for (field, value) in [
        ("total_bots", json!(1)),
        ("total_conversations", json!(2)),
        ("total_messages", json!(6)),
        ("active_conversations", json!(1)),
        ("period_days", json!(7)),
        ("bots", json!([{"id": bot, "name": "A", "channel_type": "webchat", "is_active": true}])),
        ("answered_messages", json!(3)),
        ("unanswered_messages", json!(0)),
        ("feedback", json!({"up": 0, "down": 0})),
        ("knowledge", json!({"sources": 1, "chunks": 1})),
    ] {
        assert_eq!(data[field], value, "{field}: {data}");
    }
    let time = &data["answer_time_ms"];
    assert!(time["median"].as_f64().unwrap() <= time["p95"].as_f64().unwrap(), "{time}");
    app.end().await;
}

#[tokio::test]
async fn a_report_lists_every_day_but_only_occurring_values() {
    let app = start_app().await;
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "slack"})).await.id();
    let other = app.http.post("/bots", json!({"name": "B", "channel_type": "api"})).await.id();
    send(&app, "1", &bot, "Hi").await;
    send(&app, "2", &other, "Hi").await;
    send(&app, "3", &other, "Hi").await;
    app.http.patch("/conversations/3", json!({"status": "ended"})).await.data(200);
    let report = app.http.get("/analytics/conversations?period=3").await;
    let today = Utc::now().date_naive();
    let day = |ago: u64| (today - Days::new(ago)).to_string();
    let mut by_day = serde_json::Map::new();
    for (ago, n) in [(2, 0), (1, 0), (0, 3)] {
        by_day.insert(day(ago), json!(n));
    }
    assert_eq!(
        report.data(200),
        &json!({
            "total_conversations": 3,
            "period_days": 3,
            "breakdown": {
                "by_channel": {"slack": 1, "api": 2},
                "by_status": {"active": 2, "ended": 1},
                "by_day": by_day,
            },
        })
    );
    let one = app.http.get(&format!("/analytics/conversations?bot_id={bot}")).await;
    assert_eq!(one.data(200)["total_conversations"], 1);
    assert_eq!(one.data(200)["breakdown"]["by_channel"], json!({"slack": 1}));
    assert_eq!(one.data(200)["breakdown"]["by_day"].as_object().unwrap().len(), 30);
    app.end().await;
}

#[tokio::test]
async fn a_repeated_question_is_one_gap() {
    let app = start_app().await;
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "slack"})).await.id();
    for (session, question) in
        [("1", "Do you ship to Iceland?"), ("2", "Do you ship to Iceland"), ("3", "777")]
    {
        send(&app, session, &bot, question).await;
    }
    let gaps = app.http.get("/analytics/knowledge-gaps").await;
    let questions: Vec<(&str, i64)> = gaps
        .data(200)
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| (gap["question"].as_str().unwrap(), gap["count"].as_i64().unwrap()))
        .collect();
    assert_eq!(questions, [("Do you ship to Iceland", 2), ("777", 1)]);
    assert_eq!(gaps.body["pagination"]["total"], 2);
    assert_eq!(gaps.data(200)[0]["bot_name"], "A");
    let second = app.http.get("/analytics/knowledge-gaps?per_page=1&page=2").await;
    assert_eq!(second.data(200)[0]["question"], "777");
    let unknown = parlance_core::ids::BotId::fresh();
    let none = app.http.get(&format!("/analytics/knowledge-gaps?bot_id={unknown}")).await;
    assert_eq!(none.data(200), &json!([]));
    app.end().await;
}

#[tokio::test]
async fn an_invalid_period_or_timezone_is_rejected() {
    let app = start_app().await;
    for path in ["overview", "conversations", "knowledge-gaps"] {
        for (query, field) in [
            ("period=0", "period"),
            ("period=366", "period"),
            ("period=x", "period"),
            ("timezone=Mars/Olympus", "timezone"),
        ] {
            let answer = app.http.get(&format!("/analytics/{path}?{query}")).await;
            assert_eq!(answer.error(400), "invalid_field");
            assert_eq!(answer.body["details"][0]["field"], field, "{path} {query}");
        }
    }
    app.end().await;
}
