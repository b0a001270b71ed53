//! Confidence, support and groundedness of answers in all endpoints and in analytics.
//!
//! Tests only that the endpoints agree: the rules for confident, tentative and unknown answers are tested
//! elsewhere.

use parlance_testing::{Builder, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::Events;
use crate::run_jobs;

const RETURNS: &str = "# Returns\n\nGoods may be returned within thirty days of purchase.\n";

const QUESTION: &str = "When may goods be returned?";

/// Starts the application with the real embedding model and a bot that knows [`RETURNS`].
async fn start_with_bot() -> (TestApp, String) {
    let app = Builder::default().start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    app.http.upload(&bot, "returns.md", RETURNS).await.id();
    run_jobs(&app).await;
    (app, bot)
}

async fn ask(app: &TestApp, session: &str, question: &str) -> Value {
    let path = format!("/conversations/{session}/messages");
    app.http.post(&path, json!({"message": question})).await.data(200)["bot_response"].clone()
}

/// The confidence fields of an answer.
fn confidence(answer: &Value) -> [&Value; 4] {
    ["confidence", "confidence_score", "support", "grounded"]
        .map(|field| answer.get(field).unwrap_or_else(|| unreachable!("no {field}: {answer}")))
}

/// Panics unless a number is a score: from 0 to 1, with at most three digits.
fn assert_score(score: &Value) {
    let number = score.as_f64().unwrap();
    assert!((0.0..=1.0).contains(&number), "{score}");
    assert!(score.to_string().len() <= "0.123".len(), "{score}");
}

#[tokio::test]
async fn a_confident_answer_cites_its_supporting_source() {
    let (app, _) = start_with_bot().await;
    let answer = ask(&app, "s", QUESTION).await;
    let [level, score, support, grounded] = confidence(&answer);
    assert_eq!((level, grounded), (&json!("high"), &json!(true)), "{answer}");
    assert_score(score);
    let length = answer["message"].as_str().unwrap().chars().count();
    let [sentence] = support.as_array().unwrap().as_slice() else { unreachable!("{answer}") };
    assert_eq!((&sentence["start"], &sentence["end"]), (&json!(0), &json!(length)), "{answer}");
    assert_eq!(sentence["citation"], answer["sources"][0]["index"]);
    assert_score(&sentence["score"]);
    assert_eq!(sentence.as_object().unwrap().len(), 4, "{sentence}");
    app.end().await;
}

#[tokio::test]
async fn an_unknown_answer_has_a_score_and_no_confidence() {
    let (app, _) = start_with_bot().await;
    let answer = ask(&app, "s", "Who won the chess championship in 1972?").await;
    assert_eq!(answer["answered"], false);
    let [level, score, support, grounded] = confidence(&answer);
    assert_eq!((level, support, grounded), (&Value::Null, &json!([]), &json!(true)), "{answer}");
    assert_score(score);
    app.end().await;
}

#[tokio::test]
async fn all_endpoints_show_the_same_confidence() {
    let (app, bot) = start_with_bot().await;
    let whole = ask(&app, "s", QUESTION).await;

    let request = app.http.request(Method::POST, "/conversations/t/messages");
    let events = Events::open(request.json(&json!({"message": QUESTION, "stream": true}))).await.rest().await;
    let last = events.last().unwrap();
    assert_eq!((last.name.as_str(), confidence(&last.data)), ("bot_response", confidence(&whole)));

    let details = app.http.get("/conversations/s").await;
    let messages = details.data(200)["messages"].as_array().unwrap();
    assert_eq!(messages[0].get("confidence"), Some(&Value::Null), "a customer's message has none");
    assert_eq!(messages[1]["confidence"], whole["confidence"]);

    let path = format!("/conversations/s/messages/{}/trace", whole["id"].as_str().unwrap());
    assert_eq!(confidence(app.http.get(&path).await.data(200)), confidence(&whole));

    let completion = |stream: bool| {
        let body =
            json!({"model": bot, "stream": stream, "messages": [{"role": "user", "content": QUESTION}]});
        let http = app.http.with_key(None);
        http.raw(Method::POST, "/v1/chat/completions").bearer_auth(app.http.key().unwrap()).json(&body)
    };
    let completion_body: Value = completion(false).send().await.unwrap().json().await.unwrap();
    assert_eq!(confidence(&completion_body), confidence(&whole));
    let text = completion(true).send().await.unwrap().text().await.unwrap();
    let chunks = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let chunks: Vec<Value> = chunks.filter_map(|chunk| serde_json::from_str(chunk).ok()).collect();
    let last = chunks.iter().find(|chunk| chunk["choices"][0]["finish_reason"] == "stop").unwrap();
    assert_eq!(confidence(last), confidence(&whole));
    app.end().await;
}

#[tokio::test]
async fn low_confidence_is_shown_in_details_and_trace() {
    let (app, _) = start_with_bot().await;
    let answer = ask(&app, "s", QUESTION).await;
    app.execute(
        "update message set confidence = 'low', confidence_score = 0.43219, grounded = false, \
                 support = '[{\"start\": 2, \"end\": 9, \"citation\": null, \"score\": 0.12345}]' \
             where answered is not null",
    )
    .await;
    let details = app.http.get("/conversations/s").await;
    assert_eq!(details.data(200)["messages"][1]["confidence"], "low");
    let path = format!("/conversations/s/messages/{}/trace", answer["id"].as_str().unwrap());
    let trace = app.http.get(&path).await;
    let support = json!([{"start": 2, "end": 9, "citation": null, "score": 0.123}]);
    assert_eq!(
        confidence(trace.data(200)),
        [&json!("low"), &json!(0.432), &support, &json!(false)],
        "scores have three digits"
    );
    app.end().await;
}

#[tokio::test]
async fn answers_of_older_versions_have_no_confidence() {
    let (app, _) = start_with_bot().await;
    let answer = ask(&app, "s", QUESTION).await;
    app.execute(
        "update message set confidence = null, confidence_score = null, support = null, grounded = null",
    )
    .await;
    let details = app.http.get("/conversations/s").await;
    let message = &details.data(200)["messages"][1];
    assert_eq!((&message["answered"], &message["confidence"]), (&json!(true), &Value::Null));
    let path = format!("/conversations/s/messages/{}/trace", answer["id"].as_str().unwrap());
    let trace = app.http.get(&path).await;
    assert_eq!(confidence(trace.data(200)), [&Value::Null, &Value::Null, &json!([]), &Value::Null]);
    app.end().await;
}

/// SQL: inserts answers of a bot, three tentative and one of each other kind.
const ANSWERS: &str = "
    insert into message (
        id, tenant_id, bot_id, conversation_id, sender, message, answered, confidence, timings_ms, created_at
    )
    select gen_random_uuid(), tenant_id, bot_id, id, 'bot', 'Text', kind.answered, kind.confidence,
        '{\"total\": 5}', now() - kind.age
    from conversation
    cross join (
        values
            (true, 'low', interval '0'), (true, 'low', interval '1 day'), (true, 'low', interval '3 days'),
            (true, 'high', interval '0'), (true, null, interval '0'), (false, null, interval '0')
    ) as kind (answered, confidence, age)
    where session_id = 's'";

/// The number of tentative answers of the last days.
async fn tentative(app: &TestApp, days: u32) -> Value {
    let overview = app.http.get(&format!("/analytics/overview?period={days}")).await;
    overview.data(200)["tentative_messages"].clone()
}

#[tokio::test]
async fn tentative_answers_are_counted_until_they_are_erased() {
    let app = crate::start_app().await;
    app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    app.http.post("/conversations", json!({"session_id": "s"})).await.data(201);
    assert_eq!(tentative(&app, 30).await, 0);
    app.execute(ANSWERS).await;
    // First from the deltas, then from the folded rollups.
    for _ in 0..2 {
        for (days, count) in [(1, 1), (2, 2), (3, 2), (4, 3), (365, 3)] {
            assert_eq!(tentative(&app, days).await, count, "{days} days");
        }
        let overview = app.http.get("/analytics/overview").await;
        assert_eq!(overview.data(200)["answered_messages"], 5, "tentative answers are answers");
        while parlance_core::analytics::fold(&app.ctx).await.unwrap() > 0 {}
    }
    assert_eq!(app.http.delete("/conversations/s").await.status, 200);
    assert_eq!(tentative(&app, 365).await, 0);
    while parlance_core::analytics::fold(&app.ctx).await.unwrap() > 0 {}
    assert_eq!(tentative(&app, 365).await, 0);
    app.end().await;
}

/// SQL: inserts six gaps in three groups. Their times decide which question of a group is shown, the newest.
const GAPS: &str = "
    insert into knowledge_gap (
        id, tenant_id, bot_id, message_id, question, group_id, embedding, model, weak, created_at
    )
    select gap.id, message.tenant_id, message.bot_id, message.id, gap.question, gap.group_id, null, 'test/none',
        gap.weak, now() - gap.age
    from message
    cross join lateral (
        values
            ('00000000-0000-7000-8000-000000000001'::uuid, 'Mixed?', '00000000-0000-7000-8000-000000000001'::uuid,
                false, interval '4 minutes'),
            ('00000000-0000-7000-8000-000000000002', 'Mixed, again?', '00000000-0000-7000-8000-000000000001', true,
                interval '3 minutes'),
            ('00000000-0000-7000-8000-000000000003', 'Mixed, once more?', '00000000-0000-7000-8000-000000000001', true,
                interval '2 minutes'),
            ('00000000-0000-7000-8000-000000000004', 'Weak?', '00000000-0000-7000-8000-000000000004', true,
                interval '2 minutes'),
            ('00000000-0000-7000-8000-000000000005', 'Weak, again?', '00000000-0000-7000-8000-000000000004', true,
                interval '1 minute'),
            ('00000000-0000-7000-8000-000000000006', 'Unknown?', '00000000-0000-7000-8000-000000000006', false,
                interval '0')
    ) as gap (id, question, group_id, weak, age)
    where message.sender = 'bot' and message.answered is not null";

#[tokio::test]
async fn gaps_are_filtered_by_whether_all_answers_were_tentative() {
    let app = crate::start_app().await;
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    ask(&app, "s", "777").await;
    app.execute("delete from knowledge_gap").await;
    app.execute(GAPS).await;
    let (mixed, weak, unknown) = (("Mixed, once more?", 3, 2), ("Weak, again?", 2, 2), ("Unknown?", 1, 0));
    for (query, expected) in [
        (String::new(), vec![mixed, weak, unknown]),
        ("?weak=true".to_owned(), vec![weak]),
        ("?weak=false".to_owned(), vec![mixed, unknown]),
        (format!("?weak=false&bot_id={bot}"), vec![mixed, unknown]),
        (format!("?weak=true&bot_id={}", parlance_core::ids::BotId::fresh()), vec![]),
    ] {
        let gaps = app.http.get(&format!("/analytics/knowledge-gaps{query}")).await;
        let summary = |gap: &Value| {
            let number = |field: &str| gap[field].as_i64().unwrap();
            (gap["question"].as_str().unwrap().to_owned(), number("count"), number("tentative"))
        };
        let groups: Vec<_> = gaps.data(200).as_array().unwrap().iter().map(summary).collect();
        let expected: Vec<_> =
            expected.into_iter().map(|(question, count, weak)| (question.to_owned(), count, weak)).collect();
        assert_eq!(groups, expected, "{query}");
        assert_eq!(gaps.body["pagination"]["total"], expected.len(), "{query}");
    }
    let invalid = app.http.get("/analytics/knowledge-gaps?weak=perhaps").await;
    assert_eq!((invalid.error(400), &invalid.body["details"][0]["field"]), ("invalid_field", &json!("weak")));
    assert_eq!(app.http.delete("/conversations/s").await.status, 200);
    assert_eq!(
        app.count_of("select count(*) from knowledge_gap").await,
        0,
        "gaps are deleted with their messages"
    );
    app.end().await;
}

#[tokio::test]
async fn a_model_is_calibrated_once_and_hidden_from_tenants() {
    let app = crate::start_app().await;
    app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    let calibrations = "select count(*) from model_calibration where model = 'test/bytes'";
    ask(&app, "s", "Is it open?").await;
    ask(&app, "s", "Is it closed?").await;
    assert_eq!(app.count_of(calibrations).await, 1);
    let mut connection = app.ctx.db().for_tenant(app.tenant).await.unwrap();
    let error =
        parlance_testing::sqlx::query("select model from model_calibration").execute(&mut *connection).await;
    let code = error.unwrap_err().into_database_error().unwrap().code().unwrap().into_owned();
    assert_eq!(code, "42501", "insufficient privilege");
    drop(connection);
    app.end().await;
}
