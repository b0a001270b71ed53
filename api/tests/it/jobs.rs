//! Jobs: lists, details, events, cancellation and retries.

use std::time::Duration;

use parlance_core::jobs::{Kind, State};
use parlance_core::knowledge::orphans;
use parlance_testing::{Builder, Client, TestApp, TestEmbedder};
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::{Event, Events};
use crate::start_app;

/// Adds a text source. Returns it.
async fn add(app: &TestApp, bot: &str, name: &str) -> Value {
    let body =
        json!({"bot_id": bot, "name": name, "source_type": "text", "content": format!("# {name}\n\nText.")});
    app.http.post("/knowledge/sources", body).await.data(201).clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn jobs_are_filtered_by_kind_state_bot_and_source() {
    let app = start_app().await;
    let bots = [app.create_bot(app.tenant).await.to_string(), app.create_bot(app.tenant).await.to_string()];
    let first = add(&app, &bots[0], "One").await;
    add(&app, &bots[1], "Two").await;
    app.step(Kind::Upload).await.unwrap();
    let total = async |query: &str| {
        let answer = app.http.get(&format!("/jobs?{query}")).await;
        (answer.data(200).as_array().unwrap().len(), answer.body["pagination"]["total"].as_i64().unwrap())
    };
    assert_eq!(total("").await, (3, 3));
    assert_eq!(total("kind=upload").await, (2, 2));
    assert_eq!(total("state=succeeded").await, (1, 1));
    assert_eq!(total("kind=upload&state=queued").await, (1, 1));
    assert_eq!(total(&format!("bot_id={}", bots[1])).await, (1, 1));
    assert_eq!(total(&format!("source_id={}", text(&first["id"]))).await, (2, 2));
    assert_eq!(total(&format!("source_id={}&kind=chunk", text(&first["id"]))).await, (1, 1));
    assert_eq!(total("per_page=2&page=2").await, (1, 3));
    let newest = app.http.get("/jobs?per_page=1").await;
    assert_eq!(newest.data(200)[0]["kind"], "chunk");
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_job_shows_its_queue_position_wait_and_children() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let mut jobs = Vec::new();
    for name in ["One", "Two", "Three"] {
        jobs.push(text(&add(&app, &bot, name).await["job_id"]).to_owned());
    }
    let get = async |job: &str| app.http.get(&format!("/jobs/{job}")).await.data(200).clone();
    let last = get(&jobs[2]).await;
    assert_eq!((&last["state"], &last["queue"]["position"]), (&json!("queued"), &json!(3)));
    assert_eq!(last["queue"]["estimated_wait_seconds"], Value::Null, "no job has run yet");
    assert_eq!((&last["attempt"], &last["children"]), (&json!(0), &json!([])));
    app.step(Kind::Upload).await.unwrap();
    let last = get(&jobs[2]).await;
    assert_eq!(last["queue"]["position"], 2);
    assert!(last["queue"]["estimated_wait_seconds"].as_f64().unwrap() >= 0.0);
    let done = get(&jobs[0]).await;
    assert_eq!((&done["state"], &done["queue"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(
        (&done["children"][0]["kind"], &done["children"][0]["parent_id"]),
        (&json!("chunk"), &done["id"])
    );
    assert!(done["timings_ms"]["ran"].as_i64().unwrap() >= 0);
    app.end_with_unfinished_jobs().await;
}

/// The events of a job, until the stream ends or `max` events are read.
async fn watch(http: &Client, job: &str, last: Option<i64>, max: usize) -> Vec<Event> {
    let mut request = http.request(Method::GET, &format!("/jobs/{job}/events"));
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last.to_string());
    }
    let (mut stream, mut events) = (Events::open(request).await, Vec::new());
    while events.len() < max
        && let Some(event) = stream.next().await
    {
        events.push(event);
    }
    events
}

#[tokio::test]
async fn job_events_stream_to_the_end_and_resume_after_a_reconnect() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = Builder::default().embedder(embedder.clone()).start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    add(&app, &bot, "One").await;
    app.step(Kind::Upload).await.unwrap();
    app.step(Kind::Chunk).await.unwrap();
    let job = app.waiting(Kind::Embed).await[0].to_string();
    let first = watch(&app.http, &job, None, 1).await;
    assert_eq!((first[0].name.as_str(), &first[0].data["state"]), ("job", &json!("queued")));
    let http = app.http.clone();
    let (id, last) = (job.clone(), first[0].id);
    let watching = tokio::spawn(async move { watch(&http, &id, Some(last), usize::MAX).await });
    app.start_workers();
    app.eventually("the job runs", async || {
        (app.count(Kind::Embed, State::Running).await == 1).then_some(())
    })
    .await;
    embedder.release();
    let events = tokio::time::timeout(Duration::from_secs(20), watching).await.unwrap().unwrap();
    let states: Vec<&str> =
        events.iter().filter(|event| event.name == "state").map(|event| text(&event.data["state"])).collect();
    assert_eq!(states, ["running", "succeeded"]);
    assert_eq!(events.last().unwrap().data["state"], "succeeded");
    assert!(events.iter().all(|event| event.id >= last));
    // After the end, a reconnecting client gets the missed events from the ledger.
    let replayed = watch(&app.http, &job, Some(last), usize::MAX).await;
    let states: Vec<&str> = replayed
        .iter()
        .filter(|event| event.name == "state")
        .map(|event| text(&event.data["state"]))
        .collect();
    assert_eq!(states, ["running", "succeeded"]);
    let caught_up = watch(&app.http, &job, replayed.last().map(|event| event.id), usize::MAX).await;
    assert_eq!(caught_up.len(), 1, "only the current state");
    app.end().await;
}

#[tokio::test]
async fn cancelling_a_queued_job_cancels_its_source_at_once() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let source = add(&app, &bot, "One").await;
    let path = format!("/jobs/{}", text(&source["job_id"]));
    let cancelled = app.http.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!(cancelled.data(200)["state"], "cancelled");
    let details = app.http.get(&format!("/knowledge/sources/{}", text(&source["id"]))).await;
    assert_eq!(details.data(200)["source"]["status"], "cancelled");
    let again = app.http.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!((again.status.as_u16(), &again.body["code"]), (409, &json!("job_ended")));
    assert_eq!(app.step(Kind::Upload).await, None);
    let retried = app.http.post(&format!("{path}/retry"), json!({})).await;
    assert_eq!(retried.data(200)["state"], "queued");
    for kind in [Kind::Upload, Kind::Chunk, Kind::Embed] {
        app.step(kind).await.unwrap();
    }
    let details = app.http.get(&format!("/knowledge/sources/{}", text(&source["id"]))).await;
    assert_eq!(details.data(200)["source"]["status"], "ready");
    let done = app.http.post(&format!("{path}/retry"), json!({})).await;
    assert_eq!((done.status.as_u16(), &done.body["code"]), (409, &json!("job_not_retryable")));
    app.end().await;
}

#[tokio::test]
async fn a_running_batch_is_cancelled_within_seconds() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = Builder::default().embedder(embedder.clone()).start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let source = add(&app, &bot, "One").await;
    app.start_workers();
    app.eventually("the job runs", async || {
        (app.count(Kind::Embed, State::Running).await == 1).then_some(())
    })
    .await;
    let running = app.http.get("/jobs?kind=embed").await.data(200)[0]["id"].clone();
    let cancelling = app.http.post(&format!("/jobs/{}/cancel", text(&running)), json!({})).await;
    assert_eq!(
        (&cancelling.data(200)["state"], &cancelling.data(200)["cancel_requested"]),
        (&json!("running"), &json!(true))
    );
    let started = std::time::Instant::now();
    app.eventually("the job is cancelled", async || {
        (app.count(Kind::Embed, State::Cancelled).await == 1).then_some(())
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let details = app.http.get(&format!("/knowledge/sources/{}", text(&source["id"]))).await;
    assert_eq!(details.data(200)["source"]["status"], "cancelled");
    embedder.release();
    app.end().await;
}

#[tokio::test]
async fn a_dead_letter_keeps_its_error_until_it_is_retried() {
    let embedder = TestEmbedder::default();
    let app = Builder::default().embedder(embedder.clone()).start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let source = add(&app, &bot, "One").await;
    app.step(Kind::Upload).await.unwrap();
    app.step(Kind::Chunk).await.unwrap();
    embedder.fail(usize::MAX);
    app.eventually("the job has failed", async || {
        app.step(Kind::Embed).await;
        (app.count(Kind::Embed, State::Failed).await == 1).then_some(())
    })
    .await;
    let dead = app.http.get("/jobs?state=failed").await;
    let dead = dead.data(200)[0].clone();
    assert_eq!((&dead["attempt"], &dead["error"]["code"]), (&json!(10), &json!("unavailable")));
    embedder.fail(0);
    app.http.post(&format!("/jobs/{}/retry", text(&dead["id"])), json!({})).await.data(200);
    app.step(Kind::Embed).await.unwrap();
    let details = app.http.get(&format!("/knowledge/sources/{}", text(&source["id"]))).await;
    assert_eq!(details.data(200)["source"]["status"], "ready");
    app.end().await;
}

#[tokio::test]
async fn orphaned_chunks_are_counted_and_removed() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let source = text(&add(&app, &bot, "One").await["id"]).to_owned();
    crate::run_jobs(&app).await;
    assert_eq!(orphans::look_for_orphans(&app.ctx).await.unwrap(), 0);
    let body = json!({"content": "# Two\n\nOther text."});
    app.http.put(&format!("/knowledge/sources/{source}"), body).await.data(200);
    for kind in [Kind::Upload, Kind::Chunk, Kind::Embed] {
        app.step(kind).await.unwrap();
    }
    // Loses the purge of the previous version, which no crash can.
    app.execute("delete from job where kind = 'purge'").await;
    assert_eq!(orphans::look_for_orphans(&app.ctx).await.unwrap(), 1);
    let metrics = app.http.raw(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("parlance_upkeep_found{name=\"orphan_chunks\"} 1"), "{metrics}");
    assert!(metrics.contains("parlance_jobs{kind=\"embed\",state=\"succeeded\"} 2"), "{metrics}");
    crate::run_jobs(&app).await;
    assert_eq!(orphans::look_for_orphans(&app.ctx).await.unwrap(), 0);
    assert_eq!(app.count_of("select count(*) from chunk").await, 1);
    app.end().await;
}
