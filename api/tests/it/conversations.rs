//! Conversations.

use parlance_testing::Stage;
use serde_json::{Value, json};

use crate::stage;

async fn bot(stage: &Stage, body: Value) -> String {
    stage.http.post("/bots", body).await.id()
}

#[tokio::test]
async fn a_message_opens_its_session_and_is_answered_as_the_reference_shows() {
    let stage = stage().await;
    let bot =
        bot(&stage, json!({"name": "Helper", "channel_type": "webchat", "welcome_message": "Hi!"})).await;
    let body = json!({
        "message": "What are your business hours?", "user_identifier": "user@example.com",
        "user_name": "John Doe", "user_email": "user@example.com", "metadata": {"page": "/pricing"},
    });
    let answer = stage.http.post("/conversations/session-123/messages", body).await;
    let said = answer.data(200);
    assert_eq!(said["user_message"]["message"], "What are your business hours?");
    let response = &said["bot_response"];
    for field in ["id", "message", "created_at", "model"] {
        assert!(response[field].is_string(), "{field}: {response}");
    }
    assert_eq!((&response["answered"], &response["degraded"]), (&json!(false), &json!(false)));
    assert_eq!(response["sources"], json!([]));
    assert_eq!(response["usage"], json!({"input_tokens": null, "output_tokens": null}));
    for field in ["embed", "search", "first_token", "total"] {
        assert!(response["timings_ms"][field].is_number(), "{field}: {response}");
    }

    let details = stage.http.get("/conversations/session-123").await;
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
    let seen: Vec<_> = messages
        .iter()
        .map(|message| (message["sender"].as_str().unwrap(), &message["message_type"]))
        .collect();
    assert_eq!(seen, [("bot", &json!("text")), ("user", &json!("text")), ("bot", &json!("text"))]);
    assert_eq!(messages[0]["message"], "Hi!");
    stage.end().await;
}

#[tokio::test]
async fn without_a_bot_or_with_an_inactive_one_nothing_is_opened() {
    let stage = stage().await;
    let message = json!({"message": "Hello?"});
    let answer = stage.http.post("/conversations/s/messages", message.clone()).await;
    assert_eq!(answer.error(404), "bot_not_found");
    bot(&stage, json!({"name": "Asleep", "channel_type": "webchat", "is_active": false})).await;
    assert_eq!(stage.http.post("/conversations/s/messages", message).await.error(403), "bot_inactive");
    assert_eq!(stage.http.get("/conversations/s").await.error(404), "conversation_not_found");
    stage.end().await;
}

#[tokio::test]
async fn a_session_id_that_cannot_be_is_not_found() {
    let stage = stage().await;
    bot(&stage, json!({"name": "Helper", "channel_type": "webchat"})).await;
    for id in ["a%20b", "%C3%BC", "a%2Fb", "%00", &"x".repeat(256)] {
        assert_eq!(
            stage.http.get(&format!("/conversations/{id}")).await.error(404),
            "conversation_not_found"
        );
        let answer =
            stage.http.post(&format!("/conversations/{id}/messages"), json!({"message": "Hi"})).await;
        assert_eq!(answer.error(404), "conversation_not_found");
        assert!(answer.body["message"].as_str().unwrap().contains("1 to 255 characters"), "{}", answer.body);
    }
    // An address, as it is and with its at sign escaped, is one session.
    for id in ["user@example.com", "user%40example.com"] {
        stage.http.post(&format!("/conversations/{id}/messages"), json!({"message": "Hi"})).await.data(200);
    }
    let details = stage.http.get("/conversations/user@example.com").await;
    assert_eq!(details.data(200)["messages"].as_array().unwrap().len(), 4);
    stage.end().await;
}
