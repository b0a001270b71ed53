//! Concurrency limits of searches, streams of job events and waiting scrape requests.

use std::time::Duration;

use parlance_testing::{Builder, Client, Page, Site, TestEmbedder};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::events::Events;
use crate::run_jobs;

#[tokio::test]
async fn searches_beyond_the_limit_are_not_queued() {
    let embedder = TestEmbedder::default();
    let configured = Builder::default().embedder(embedder.clone());
    let app = configured.configure(|config| config.limits.searches_per_tenant = 2).start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    embedder.hold_questions();
    let mut searches = JoinSet::new();
    for _ in 0..20 {
        let (http, body) = (app.http.clone(), json!({"bot_id": bot, "query": "Anything?"}));
        searches.spawn(async move { http.post("/knowledge/search", body).await });
    }
    for _ in 0..18 {
        let refused = searches.join_next().await.unwrap().unwrap();
        assert_eq!(refused.error(429), "too_many_searches");
        assert_eq!(refused.headers["retry-after"], "1");
    }
    let (other_tenant, other) = app.another_tenant().await;
    let other_bot = app.create_bot(other_tenant).await.to_string();
    let body = json!({"bot_id": other_bot, "query": "Anything?"});
    let other = tokio::spawn(async move { other.post("/knowledge/search", body).await });
    embedder.release();
    for search in searches.join_all().await {
        search.data(200);
    }
    other.await.unwrap().data(200);
    let body = json!({"bot_id": bot, "query": "Anything?"});
    app.http.post("/knowledge/search", body).await.data(200);
    app.end().await;
}

/// Adds a text source to a bot. Returns the path of the events of its job.
async fn events_path(http: &Client, bot: &str) -> String {
    let body = json!({"bot_id": bot, "name": "N", "source_type": "text", "content": "Some text."});
    let job = http.post("/knowledge/sources", body).await.data(201)["job_id"].clone();
    format!("/jobs/{}/events", job.as_str().unwrap())
}

#[tokio::test]
async fn streams_of_job_events_are_limited_until_they_end() {
    let configured = Builder::default().embedder(TestEmbedder::default());
    let app = configured.configure(|config| config.limits.event_streams_per_tenant = 1).start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let path = events_path(&app.http, &bot).await;
    let mut stream = Events::open(app.http.request(Method::GET, &path)).await;
    stream.next().await.unwrap();
    let refused = app.http.get(&path).await;
    assert_eq!(refused.error(429), "too_many_event_streams");
    assert_eq!(refused.headers["retry-after"], "1");
    let (other_tenant, other) = app.another_tenant().await;
    let other_bot = app.create_bot(other_tenant).await.to_string();
    let other_path = events_path(&other, &other_bot).await;
    Events::open(other.request(Method::GET, &other_path)).await.next().await.unwrap();

    // A disconnect releases the permit.
    drop(stream);
    let open = async || {
        let response = app.http.request(Method::GET, &path).send().await.unwrap();
        (response.status() == 200).then_some(response)
    };
    let response = app.eventually("the permit of the dropped stream is free", open).await;
    // The end of the job releases it too.
    run_jobs(&app).await;
    response.text().await.unwrap();
    app.eventually("the permit of the ended stream is free", open).await;
    app.end().await;
}

#[tokio::test]
async fn scrapes_beyond_the_limit_of_waits_get_202_at_once() {
    let configured = Builder::default().embedder(TestEmbedder::default()).configure(|config| {
        config.limits.scrape_waits_per_tenant = 1;
        config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.scrape.wait = Duration::from_secs(600);
    });
    let mut app = configured.start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let site = Site::start().await;
    let text = "<p>Goods may be returned within thirty days of purchase.</p>";
    site.set("/a", Page::html("A", text)).set("/b", Page::html("B", text));
    let scrape = |path: &str| {
        let body = json!({"bot_id": bot, "url": format!("{}{path}", site.url)});
        let http = app.http.clone();
        async move { http.post("/knowledge/scrape", body).await }
    };
    let waiting = tokio::spawn(scrape("/a"));
    app.eventually("the first scrape waits", async || {
        (app.count_of("select count(*) from job where kind = 'scrape'").await == 1).then_some(())
    })
    .await;
    scrape("/b").await.data(202);
    assert!(!waiting.is_finished());
    app.start_workers();
    let first = waiting.await.unwrap();
    assert!(first.status.is_success() && first.status != 202, "{}", first.body);
    app.eventually("the second crawl ends", async || {
        let unfinished = "select count(*) from job where state in ('queued', 'dispatched', 'running')";
        (app.count_of(unfinished).await == 0).then_some(())
    })
    .await;
    app.end().await;
}
