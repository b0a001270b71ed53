//! Liveness, readiness, metrics and graceful shutdown.

use std::time::Duration;

use parlance_api::ShutdownTimes;
use parlance_testing::{Answer, Builder, TestEmbedder};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::{run_jobs, start_app};

#[tokio::test]
async fn a_process_with_all_dependencies_is_alive_and_ready() {
    let app = start_app().await;
    let without_key = app.http.with_key(None);
    let alive = Answer::send(without_key.raw(Method::GET, "/healthz")).await;
    assert_eq!(alive.data(200)["status"], "alive");
    let ready = app
        .eventually("Redis is connected", async || {
            let answer = Answer::send(without_key.raw(Method::GET, "/readyz")).await;
            (answer.data(200)["status"] == "ready").then_some(answer)
        })
        .await;
    for part in ["postgres", "redis", "storage", "model"] {
        assert_eq!(ready.data(200)["parts"][part]["state"], "up", "{part}");
    }
    app.end().await;
}

#[tokio::test]
async fn without_postgres_the_process_is_alive_but_not_ready() {
    let app = Builder::default()
        .embedder(TestEmbedder::default())
        .own_servers()
        .configure(|config| config.database.max_connections = 2)
        .start()
        .await;
    app.servers.servers().stop_postgres().await.unwrap();
    let answer = Answer::send(app.http.raw(Method::GET, "/readyz")).await;
    assert_eq!(answer.error(503), "unavailable");
    assert_eq!(answer.body["data"]["parts"]["postgres"]["state"], "down");
    assert_eq!(answer.body["data"]["parts"]["storage"]["state"], "up");
    let refused = app.http.get("/tenant/info").await;
    assert_eq!(refused.error(503), "unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    assert!(!refused.body.to_string().contains("127.0.0.1"), "{}", refused.body);
    Answer::send(app.http.raw(Method::GET, "/healthz")).await.data(200);
    app.servers.servers().start_postgres().await.unwrap();
    app.end().await;
}

#[tokio::test]
async fn a_started_request_is_answered_during_shutdown() {
    let app = start_app().await;
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ending = ShutdownTimes { announce: Duration::ZERO, drain: Duration::from_secs(20) };
    let server = tokio::spawn(parlance_api::serve(app.ctx.clone(), listener, stop.clone(), ending));

    let key = app.http.request(Method::GET, "/").build().unwrap().headers()["x-api-key"].clone();
    let body = json!({"name": "Late", "channel_type": "webchat"}).to_string();
    let head = format!(
        "POST /api/v1/bots HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        key.to_str().unwrap(),
        body.len()
    );
    let idle = TcpStream::connect(address).await.unwrap();
    let mut late = TcpStream::connect(address).await.unwrap();
    late.write_all(head.as_bytes()).await.unwrap();
    late.write_all(&body.as_bytes()[..10]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.cancel();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(TcpStream::connect(address).await.is_err(), "a stopping server accepts no connections");
    late.write_all(&body.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), server)
        .await
        .expect("idle connections do not delay shutdown")
        .unwrap()
        .unwrap();
    drop(idle);
    app.end().await;
}

#[tokio::test]
async fn metric_labels_hold_no_names_chosen_by_tenants() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    app.http.upload(&bot, "a.md", "# A\n\nSome text.\n").await.data(201);
    let metrics = async || {
        app.http.with_key(None).raw(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap()
    };
    let waits = "parlance_jobs_oldest_waiting_seconds{kind=\"upload\"} ";
    app.eventually("the upload waits for a second", async || {
        let metrics = metrics().await;
        let seconds = metrics.lines().find_map(|line| line.strip_prefix(waits)).unwrap();
        (seconds.parse::<u32>().unwrap() > 0).then_some(())
    })
    .await;
    crate::run_jobs(&app).await;
    let message = json!({"bot_id": bot, "message": "What is some text about?"});
    app.http.post("/conversations/a-secret-name/messages", message).await.data(200);
    app.http.get("/nowhere/a-secret-name").await.error(404);

    let metrics = app
        .eventually("the cached job counts expire", async || {
            let metrics = metrics().await;
            metrics.contains(&format!("{waits}0")).then_some(metrics)
        })
        .await;
    for line in [
        "parlance_http_request_seconds_count{method=\"POST\",route=\"/api/v1/conversations/{session_id}/messages\",status=\"200\"} 1",
        "parlance_http_request_seconds_count{method=\"GET\",route=\"/api/v1\",status=\"404\"} 1",
        "parlance_answer_seconds_count{part=\"search\"} 1",
        "parlance_job_runs_total{kind=\"embed\",outcome=\"succeeded\"} 1",
        "parlance_job_run_seconds_count{kind=\"upload\"} 1",
        "parlance_chunks_embedded_total 1",
        "parlance_tokens_embedded_total ",
        "parlance_build_info{version=",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(metrics.contains("parlance_answers_total{outcome="), "{metrics}");
    assert!(!metrics.contains("a-secret-name"), "{metrics}");
    app.end().await;
}

#[tokio::test]
async fn a_stopping_process_serves_until_balancers_notice() {
    let app = start_app().await;
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let ending = ShutdownTimes { announce: Duration::from_millis(1_500), drain: Duration::from_secs(20) };
    let server = tokio::spawn(parlance_api::serve(app.ctx.clone(), listener, stop.clone(), ending));
    let key = app.http.request(Method::GET, "/").build().unwrap().headers()["x-api-key"].clone();
    let client = parlance_testing::Client::new(&url, Some(key.to_str().unwrap()));
    let readyz = Answer::send(client.raw(Method::GET, "/readyz")).await;
    readyz.data(200);
    assert!(!readyz.headers.contains_key("connection"));

    // A queued job without workers, and a client of its events.
    let bot = client.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    let text = json!({"bot_id": bot, "source_type": "text", "name": "N", "content": "Some text."});
    let added = client.post("/knowledge/sources", text).await;
    let job = added.data(201)["job_id"].as_str().unwrap().to_owned();
    let mut events = client.request(Method::GET, &format!("/jobs/{job}/events")).send().await.unwrap();
    events.chunk().await.unwrap().unwrap();

    stop.cancel();
    let readyz = Answer::send(client.raw(Method::GET, "/readyz")).await;
    assert_eq!(readyz.error(503), "stopping");
    assert_eq!(readyz.headers["connection"], "close");
    client.get("/bots").await.data(200);
    while events.chunk().await.expect("the stream ends without a connection error").is_some() {}
    server.await.unwrap().unwrap();
    run_jobs(&app).await;
    app.end().await;
}
