//! Citations of generated answers: markers, unsupported replies, strict bots.

use reqwest::Method;
use serde_json::{Value, json};

use super::scripted::{Reply, ScriptedModel};
use super::{QUESTION, SHOP, ask, delta_text, start, stream};
use crate::events::Event;

/// The answer for a model reply, whole and streamed.
async fn whole_and_streamed(text: &'static str) -> (Value, Vec<Event>) {
    let app = start(&ScriptedModel::new(&[Reply::Text(text)])).await;
    let whole = ask(&app, QUESTION).await;
    let events = stream(&app, QUESTION).await.rest().await;
    let streamed = &events.last().unwrap().data;
    assert_eq!(streamed["message"], delta_text(&events), "{text}");
    assert_eq!(streamed["message"], whole["message"], "{text}");
    app.end().await;
    (whole, events)
}

#[tokio::test]
async fn markers_of_any_form_become_checked_citations() {
    for text in [
        "You can return it within 30 days.",
        "You can return it within 30 days [4].",
        "You can return it within 30 days [1, 3].",
        "You can return it within 30 days\u{3010}1\u{3011}.",
        "You can return it within 30 days[^1].\n\n[^1]: shop.md",
        "You can return it within 30 days (source 1).\n\nSources:\n- [1] shop.md",
    ] {
        let (answer, events) = whole_and_streamed(text).await;
        assert_eq!(answer["message"], "You can return it within 30 days. [1]", "{text}");
        assert_eq!(
            (&answer["answered"], answer["sources"].as_array().unwrap().len()),
            (&json!(true), 1),
            "{text}"
        );
        assert_eq!(answer["sources"][0]["index"], 1);
        let deltas: Vec<&Event> = events.iter().filter(|event| event.name == "delta").collect();
        assert_eq!(deltas.last().unwrap().data["text"], " [1]", "{text}");
    }
}

#[tokio::test]
async fn the_no_answer_token_never_reaches_a_client() {
    for (text, message) in [
        ("[[NOT_IN_PASSAGES]]", "I'm sorry, I don't know"),
        ("\"[[NOT_IN_PASSAGES]]\".", "I'm sorry, I don't know"),
        ("[[NOT IN PASSAGES]]", "I'm sorry, I don't know"),
        ("[[NOT_IN_PASSAGES]] That is not written here.", "That is not written here."),
        ("That is not written here. **[[not_in_passages]]**", "That is not written here."),
    ] {
        let (answer, _) = whole_and_streamed(text).await;
        assert!(answer["message"].as_str().unwrap().starts_with(message), "{answer}");
        assert!(!answer["message"].as_str().unwrap().to_lowercase().contains("passages]"), "{answer}");
        assert_eq!((&answer["answered"], &answer["sources"]), (&json!(false), &json!([])), "{text}");
    }
}

#[tokio::test]
async fn an_unsupported_reply_counts_as_unanswered() {
    for text in [
        "You can return it within 60 days [1].",
        "Maria Jansen takes all returns back [1].",
        "I don't know.",
        "The passages do not mention it [1].",
    ] {
        let (answer, _) = whole_and_streamed(text).await;
        assert_eq!((&answer["answered"], &answer["sources"]), (&json!(false), &json!([])), "{answer}");
        assert!(!answer["message"].as_str().unwrap().contains('['), "{answer}");
    }
}

#[tokio::test]
async fn a_strict_bot_omits_unsupported_sentences() {
    const PARTLY_SUPPORTED: &str = "You can return it within 30 days. It costs 9 EUR to send it back.";
    for (strict, message) in [
        (false, "You can return it within 30 days. [1] It costs 9 EUR to send it back."),
        (true, "You can return it within 30 days. [1]"),
    ] {
        let model = ScriptedModel::new(&[
            Reply::Text(PARTLY_SUPPORTED),
            Reply::Text("It costs 9 EUR to send it back."),
        ]);
        let app = start(&model).await;
        app.execute(&format!("update bot set strict = {strict}")).await;
        let events = stream(&app, QUESTION).await.rest().await;
        assert_eq!(events.last().unwrap().data["message"], message);
        assert_eq!(delta_text(&events), message);
        let answer = ask(&app, QUESTION).await;
        let is_unknown = answer["message"].as_str().unwrap().starts_with("I'm sorry, I don't know");
        assert_eq!((&answer["answered"], is_unknown), (&json!(false), strict), "{answer}");
        app.end().await;
    }
}

#[tokio::test]
async fn a_broken_model_stream_keeps_whole_sentences() {
    let model = ScriptedModel::new(&[Reply::Truncated("You can return it within 30 days. It costs ")]);
    let app = start(&model).await;
    let events = stream(&app, QUESTION).await.rest().await;
    let answer = &events.last().unwrap().data;
    assert_eq!(answer["message"], "You can return it within 30 days. [1] It costs");
    assert_eq!((&answer["partial"], &answer["answered"]), (&json!(true), &json!(true)));
    app.end().await;
}

#[tokio::test]
async fn the_openai_endpoint_checks_citations() {
    let model = ScriptedModel::new(&[Reply::Text("You can return it within 30 days [7].")]);
    let app = start(&model).await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let source = app.http.upload(&bot, "shop.md", SHOP).await.id();
    app.settled(source.parse().unwrap()).await;
    let body = json!({"model": bot, "messages": [{"role": "user", "content": QUESTION}]});
    let request = app.http.raw(Method::POST, "/v1/chat/completions").bearer_auth(app.http.key().unwrap());
    let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        answer["choices"][0]["message"]["content"], "You can return it within 30 days. [1]",
        "{answer}"
    );
    app.end().await;
}
