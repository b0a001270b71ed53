//! Conversations: messages, sessions, turns, feedback, plan limits.

use std::collections::BTreeSet;

use parlance_testing::{TestApp, sqlx};
use serde_json::{Value, json};

use crate::start_app;

async fn bot(app: &TestApp, body: Value) -> String {
    app.http.post("/bots", body).await.id()
}

#[tokio::test]
async fn a_message_opens_a_session_and_gets_the_documented_answer() {
    let app = start_app().await;
    let bot = bot(&app, json!({"name": "Helper", "channel_type": "webchat", "welcome_message": "Hi!"})).await;
    let body = json!({
        "message": "What are your business hours?", "user_identifier": "user@example.com",
        "user_name": "John Doe", "user_email": "user@example.com", "metadata": {"page": "/pricing"},
    });
    let sent = app.http.post("/conversations/session-123/messages", body).await;
    let exchange = sent.data(200);
    assert_eq!(exchange["user_message"]["message"], "What are your business hours?");
    let response = &exchange["bot_response"];
    for field in ["id", "message", "created_at", "model"] {
        assert!(response[field].is_string(), "{field}: {response}");
    }
    assert_eq!((&response["answered"], &response["degraded"]), (&json!(false), &json!(false)));
    assert_eq!(response["sources"], json!([]));
    assert_eq!(response["usage"], json!({"input_tokens": null, "output_tokens": null}));
    for field in ["embed", "search", "first_token", "total"] {
        assert!(response["timings_ms"][field].is_number(), "{field}: {response}");
    }

    let details = app.http.get("/conversations/session-123").await;
    let session = &details.data(200)["session"];
    for (field, value) in [
        ("session_id", json!("session-123")),
        ("bot_id", json!(bot)),
        ("bot_name", json!("Helper")),
        ("user_identifier", json!("user@example.com")),
        ("user_name", json!("John Doe")),
        ("user_email", json!("user@example.com")),
        ("channel", json!("webchat")),
        ("status", json!("active")),
        ("ended_at", Value::Null),
    ] {
        assert_eq!(session.get(field), Some(&value), "{field}");
    }
    let messages = details.data(200)["messages"].as_array().unwrap();
    let senders: Vec<_> = messages
        .iter()
        .map(|message| (message["sender"].as_str().unwrap(), &message["message_type"]))
        .collect();
    assert_eq!(senders, [("bot", &json!("text")), ("user", &json!("text")), ("bot", &json!("text"))]);
    assert_eq!(messages[0]["message"], "Hi!");
    app.end().await;
}

#[tokio::test]
async fn a_session_needs_an_active_bot() {
    let app = start_app().await;
    let message = json!({"message": "Hello?"});
    let answer = app.http.post("/conversations/s/messages", message.clone()).await;
    assert_eq!(answer.error(404), "bot_not_found");
    bot(&app, json!({"name": "Inactive", "channel_type": "webchat", "is_active": false})).await;
    assert_eq!(app.http.post("/conversations/s/messages", message).await.error(403), "bot_inactive");
    assert_eq!(app.http.get("/conversations/s").await.error(404), "conversation_not_found");
    app.end().await;
}

#[tokio::test]
async fn an_invalid_session_id_is_not_found() {
    let app = start_app().await;
    bot(&app, json!({"name": "Helper", "channel_type": "webchat"})).await;
    for id in ["a%20b", "%C3%BC", "a%2Fb", "%00", &"x".repeat(256)] {
        assert_eq!(app.http.get(&format!("/conversations/{id}")).await.error(404), "conversation_not_found");
        let answer = app.http.post(&format!("/conversations/{id}/messages"), json!({"message": "Hi"})).await;
        assert_eq!(answer.error(404), "conversation_not_found");
        assert!(answer.body["message"].as_str().unwrap().contains("1 to 255 characters"), "{}", answer.body);
    }
    // An escaped `@` names the same session.
    for id in ["user@example.com", "user%40example.com"] {
        app.http.post(&format!("/conversations/{id}/messages"), json!({"message": "Hi"})).await.data(200);
    }
    let details = app.http.get("/conversations/user@example.com").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 4);
    app.end().await;
}

#[tokio::test]
async fn a_conversation_can_be_opened_without_a_message() {
    let app = start_app().await;
    let with_welcome = json!({"name": "Helper", "channel_type": "webchat", "welcome_message": "Hi!"});
    bot(&app, with_welcome).await;
    let second = bot(&app, json!({"name": "Second", "channel_type": "slack"})).await;
    let opened = app.http.post("/conversations", json!({"user_name": "Jo"})).await;
    let session = &opened.data(201)["session"];
    assert_eq!((&session["user_name"], &session["channel"]), (&json!("Jo"), &json!("webchat")));
    assert_eq!(opened.data(201)["messages"][0]["message"], "Hi!");
    let id = session["session_id"].as_str().unwrap();
    app.http.get(&format!("/conversations/{id}")).await.data(200);

    let body = json!({"session_id": "mine", "bot_id": second, "channel": "email", "metadata": {"a": 1}});
    let opened = app.http.post("/conversations", body.clone()).await;
    assert_eq!(opened.data(201)["session"]["bot_name"], "Second");
    assert_eq!(opened.data(201)["session"]["channel"], "email");
    assert_eq!(opened.data(201)["messages"], json!([]));
    assert_eq!(app.http.post("/conversations", body).await.error(409), "conversation_exists");
    let unknown = parlance_core::ids::BotId::fresh().to_string();
    assert_eq!(app.http.post("/conversations", json!({"bot_id": unknown})).await.error(404), "bot_not_found");
    app.end().await;
}

#[tokio::test]
async fn conversations_are_listed_newest_first_with_filters() {
    let app = start_app().await;
    let first = bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    let second = bot(&app, json!({"name": "B", "channel_type": "slack"})).await;
    for (session, bot, channel) in
        [("1", &first, "webchat"), ("2", &second, "slack"), ("3", &first, "email"), ("4", &second, "email")]
    {
        let body = json!({"session_id": session, "bot_id": bot, "channel": channel});
        app.http.post("/conversations", body).await.data(201);
    }
    app.http.patch("/conversations/2", json!({"status": "ended"})).await.data(200);
    app.http.delete("/conversations/1").await;
    let list = async |query: &str| -> (Vec<String>, i64) {
        let listed = app.http.get(&format!("/conversations?{query}")).await;
        let sessions = listed.data(200).as_array().unwrap().iter();
        let sessions = sessions.map(|session| session["session_id"].as_str().unwrap().to_owned()).collect();
        (sessions, listed.body["pagination"]["total"].as_i64().unwrap())
    };
    // Totals first from the deltas, then from the folded rollups.
    for _ in 0..2 {
        for (query, sessions, total) in [
            (String::new(), vec!["4", "3", "2"], 3),
            (format!("bot_id={second}"), vec!["4", "2"], 2),
            ("status=active".to_owned(), vec!["4", "3"], 2),
            ("status=ended".to_owned(), vec!["2"], 1),
            ("channel=email".to_owned(), vec!["4", "3"], 2),
            (format!("channel=email&status=active&bot_id={first}"), vec!["3"], 1),
            ("status=abandoned".to_owned(), vec![], 0),
            ("per_page=1&page=2".to_owned(), vec!["3"], 3),
            ("per_page=2&page=9".to_owned(), vec![], 3),
        ] {
            let expected = (sessions.iter().map(ToString::to_string).collect::<Vec<_>>(), total);
            assert_eq!(list(&query).await, expected, "{query}");
        }
        while parlance_core::analytics::fold(&app.ctx).await.unwrap() > 0 {}
    }
    app.end().await;
}

#[tokio::test]
async fn paging_reaches_every_row_and_a_jump_is_refused() {
    let app = start_app().await;
    let bot = bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    let insert = "insert into conversation (id, tenant_id, bot_id, session_id, channel) \
                  select gen_random_uuid(), $1, $2, n::text, 'webchat' from generate_series(1, 10450) as n";
    let insert = sqlx::query(insert).bind(app.tenant.uuid()).bind(bot.parse::<uuid::Uuid>().unwrap());
    insert.execute(app.ctx.db().platform()).await.unwrap();
    let page = async |number: usize| {
        let path = format!("/conversations?per_page=100&page={number}");
        app.http.get(&path).await
    };
    let leap = page(103).await;
    assert_eq!(leap.error(400), "invalid_field");
    assert!(leap.body["message"].as_str().unwrap().contains("page after page"), "{}", leap.body);
    assert!(page(106).await.data(200).as_array().unwrap().is_empty(), "beyond the end");

    let mut sessions = BTreeSet::new();
    for number in 1..=105 {
        let listed = page(number).await;
        let rows = listed.data(200).as_array().unwrap();
        sessions.extend(rows.iter().map(|row| row["session_id"].as_str().unwrap().to_owned()));
        assert_eq!(listed.body["pagination"]["total"], 10_450);
    }
    assert_eq!(sessions.len(), 10_450);
    app.end().await;
}

#[tokio::test]
async fn an_ended_conversation_takes_updates_but_no_messages() {
    let app = start_app().await;
    bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    app.http.post("/conversations/s/messages", json!({"message": "Hi", "user_name": "Jo"})).await.data(200);
    let changes = json!({"status": "ended", "user_name": null, "user_email": "jo@example.com"});
    let changed = app.http.patch("/conversations/s", changes).await;
    let data = changed.data(200);
    assert_eq!(data["message"], "Conversation updated successfully");
    assert_eq!((&data["status"], &data["user_name"]), (&json!("ended"), &Value::Null));
    assert_eq!(data["user_email"], "jo@example.com");
    let ended_at = data["ended_at"].as_str().unwrap();
    let again = app.http.patch("/conversations/s", json!({"status": "ended"})).await;
    assert_eq!(again.data(200)["ended_at"], ended_at, "the end time does not change");
    let refused = app.http.post("/conversations/s/messages", json!({"message": "More"})).await;
    assert_eq!(refused.error(409), "conversation_ended");
    for invalid in [json!({}), json!({"status": "active"}), json!({"status": null})] {
        assert_eq!(app.http.patch("/conversations/s", invalid).await.error(400), "invalid_field");
    }
    app.end().await;
}

#[tokio::test]
async fn deleting_a_conversation_deletes_its_messages() {
    let app = start_app().await;
    bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    app.http.post("/conversations/s/messages", json!({"message": "Hi"})).await.data(200);
    let erased = app.http.delete("/conversations/s").await;
    assert_eq!(erased.body, json!({"success": true, "message": "Conversation deleted successfully"}));
    assert_eq!(app.http.get("/conversations/s").await.error(404), "conversation_not_found");
    assert_eq!(app.http.delete("/conversations/s").await.error(404), "conversation_not_found");
    assert_eq!(app.count_of("select count(*) from message").await, 0);
    assert_eq!(app.count_of("select count(*) from knowledge_gap").await, 0);
    app.end().await;
}

#[tokio::test]
async fn concurrent_messages_of_a_session_are_answered_in_turn() {
    let app = start_app().await;
    bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    let messages = (0..8).map(|number| {
        let http = app.http.clone();
        async move {
            let message = json!({"message": format!("Question {number}")});
            http.post("/conversations/s/messages", message).await.data(200).clone()
        }
    });
    let exchanges = futures_util::future::join_all(messages).await;
    let details = app.http.get("/conversations/s").await;
    let messages = details.data(200)["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 16);
    for pair in messages.chunks(2) {
        let exchange = exchanges.iter().find(|it| it["user_message"]["id"] == pair[0]["id"]).unwrap();
        assert_eq!(exchange["bot_response"]["id"], pair[1]["id"], "an answer follows its question");
    }
    assert_eq!(app.count_of("select count(*) from conversation where turn is not null").await, 0);
    app.end().await;
}

#[tokio::test]
async fn an_expired_turn_is_taken_over() {
    let app = start_app().await;
    bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    app.http.post("/conversations/s/messages", json!({"message": "Hi"})).await.data(200);
    app.execute("update conversation set turn = id, turn_expires_at = now() + interval '400 milliseconds'")
        .await;
    let started = std::time::Instant::now();
    app.http.post("/conversations/s/messages", json!({"message": "Still there?"})).await.data(200);
    assert!(started.elapsed() >= std::time::Duration::from_millis(300), "the message waits for the turn");
    app.end().await;
}

#[tokio::test]
async fn deleting_a_conversation_during_an_answer_gives_404() {
    let (embedder, app) = {
        let embedder = parlance_testing::TestEmbedder::default();
        let app = parlance_testing::Builder::default().embedder(embedder.clone()).start().await;
        (embedder, app)
    };
    bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    embedder.hold_questions();
    let sending = app.http.post("/conversations/s/messages", json!({"message": "Is it open?"}));
    let deleting = async {
        let delete = async || (app.http.delete("/conversations/s").await.status == 200).then_some(());
        app.eventually("the conversation exists and is deleted", delete).await;
        embedder.release();
    };
    let (sent, ()) = tokio::join!(sending, deleting);
    assert_eq!(sent.error(404), "conversation_not_found");
    app.end().await;
}

#[tokio::test]
async fn an_idle_conversation_is_abandoned_until_the_next_message() {
    let mut app = start_app().await;
    bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    for session in ["old", "new"] {
        app.http
            .post(&format!("/conversations/{session}/messages"), json!({"message": "Hi"}))
            .await
            .data(200);
    }
    app.execute(
        "update conversation set last_message_at = now() - interval '25 hours' where session_id = 'old'",
    )
    .await;
    app.start_workers();
    let status = async |session: &str| {
        let details = app.http.get(&format!("/conversations/{session}")).await;
        details.data(200)["session"]["status"].as_str().unwrap().to_owned()
    };
    app.eventually("the idle conversation is abandoned", async || {
        (status("old").await == "abandoned").then_some(())
    })
    .await;
    assert_eq!(status("new").await, "active");
    app.http.post("/conversations/old/messages", json!({"message": "I am back"})).await.data(200);
    assert_eq!(status("old").await, "active");
    app.end().await;
}

#[tokio::test]
async fn feedback_can_be_set_changed_and_removed() {
    let app = start_app().await;
    let body = json!({"name": "A", "channel_type": "webchat", "welcome_message": "Hi!"});
    bot(&app, body).await;
    let sent = app.http.post("/conversations/s/messages", json!({"message": "Hi"})).await;
    let id = |message: &str| sent.data(200)[message]["id"].as_str().unwrap().to_owned();
    let path = |message: &str| format!("/conversations/s/messages/{message}/feedback");
    let answer = path(&id("bot_response"));
    for (body, up, down) in [
        (json!({"rating": "up", "comment": "Thanks"}), 1, 0),
        (json!({"rating": "down"}), 0, 1),
        (json!({"rating": null}), 0, 0),
    ] {
        let given = app.http.post(&answer, body.clone()).await;
        assert_eq!(given.data(200)["rating"], body["rating"]);
        let details = app.http.get("/conversations/s").await;
        let message = &details.data(200)["messages"][2];
        assert_eq!(message["rating"], body["rating"]);
        assert_eq!(message["comment"], body["comment"]);
        let overview = app.http.get("/analytics/overview").await;
        assert_eq!(overview.data(200)["feedback"], json!({"up": up, "down": down}));
    }
    assert_eq!(app.http.post(&answer, json!({})).await.error(400), "missing_field");
    assert_eq!(app.http.post(&answer, json!({"rating": "meh"})).await.error(400), "invalid_field");
    let details = app.http.get("/conversations/s").await;
    let welcome = details.data(200)["messages"][0]["id"].as_str().unwrap();
    for not_an_answer in [&id("user_message"), welcome, "nonsense"] {
        let refused = app.http.post(&path(not_an_answer), json!({"rating": "up"})).await;
        assert_eq!(refused.error(404), "message_not_found");
    }
    app.end().await;
}

#[tokio::test]
async fn plan_limits_on_conversations_and_messages_are_enforced() {
    let app = start_app().await;
    bot(&app, json!({"name": "A", "channel_type": "webchat"})).await;
    let message = json!({"message": "Hi"});
    app.http.post("/conversations/s/messages", message.clone()).await.data(200);
    app.execute("update usage_month set conversations = 5000").await;
    let refused = app.http.post("/conversations/t/messages", message.clone()).await;
    assert_eq!(refused.error(403), "plan_limit_conversations");
    assert_eq!(app.http.post("/conversations", json!({})).await.error(403), "plan_limit_conversations");
    assert_eq!(app.http.get("/conversations/t").await.error(404), "conversation_not_found");
    app.http.post("/conversations/s/messages", message.clone()).await.data(200);
    app.execute("update usage_month set messages = 49999").await;
    let refused = app.http.post("/conversations/s/messages", message).await;
    assert_eq!(refused.error(403), "plan_limit_messages");
    // A rejected message leaves no turn behind.
    assert_eq!(app.count_of("select count(*) from conversation where turn is not null").await, 0);
    app.end().await;
}
