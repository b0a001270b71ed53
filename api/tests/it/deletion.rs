//! Locks: a deletion waits for no job, and a tenant whose requests wait leaves database connections to others.

use futures_util::future::join_all;
use parlance_core::jobs::Kind;
use parlance_testing::{Client, TestApp, sqlx};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{run_jobs, start_app};

/// More requests than the application has database connections.
const MANY: usize = 40;

/// Locks rows, as a transaction of a job or a request does, until the connection is dropped.
async fn lock(app: &TestApp, rows: &str) -> PgConnection {
    let mut holder = app.ctx.db().dedicated().await.unwrap();
    let statement = format!("begin; select 1 from {rows} for update");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut holder).await.unwrap();
    holder
}

/// Sends a deletion [`MANY`] times at once. Returns the number of responses with status 200; the others are 404.
async fn delete_at_once(http: &Client, path: &str) -> usize {
    let answers = join_all((0..MANY).map(|_| http.delete(path))).await;
    for answer in &answers {
        assert!(matches!(answer.status.as_u16(), 200 | 404), "{}", answer.body);
    }
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test]
async fn deleting_a_source_waits_for_no_job() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let source = app.http.upload(&bot, "a.txt", "a".repeat(100_000)).await.id();
    app.step(Kind::Upload).await.unwrap();
    let settling = lock(&app, "job where kind = 'chunk'").await;
    let path = format!("/knowledge/sources/{source}");
    assert_eq!(
        delete_at_once(&app.http, &path).await,
        1,
        "one request deletes the source while the job is locked"
    );
    assert_eq!(app.http.get(&path).await.error(404), "source_not_found");
    drop(settling);
    run_jobs(&app).await;
    for rows in
        ["source", "source_version", "chunk", "job where state <> 'succeeded' and state <> 'cancelled'"]
    {
        assert_eq!(app.count_of(&format!("select count(*) from {rows}")).await, 0, "{rows}");
    }
    assert_eq!(app.stored_files(), 0);
    app.end().await;
}

#[tokio::test]
async fn deleting_a_bot_waits_for_no_job() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    app.http.upload(&bot, "a.txt", "Text.").await.data(201);
    let settling = lock(&app, "job where kind = 'upload'").await;
    assert_eq!(delete_at_once(&app.http, &format!("/bots/{bot}")).await, 1);
    drop(settling);
    run_jobs(&app).await;
    for table in ["bot", "source", "chunk"] {
        assert_eq!(app.count_of(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    app.end().await;
}

#[tokio::test]
async fn waiting_requests_of_a_tenant_leave_connections() {
    let app = start_app().await;
    let (_, other) = app.another_tenant().await;
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    let held = lock(&app, &format!("bot where id = '{bot}'")).await;
    let path = format!("/bots/{bot}");
    let waiting: Vec<_> = (0..MANY)
        .map(|_| {
            let (http, path) = (app.http.clone(), path.clone());
            tokio::spawn(async move { http.put(&path, json!({"name": "B"})).await })
        })
        .collect();
    let blocked = "select count(*) from pg_stat_activity \
                   where datname = current_database() and wait_event_type = 'Lock'";
    // Eight connections are for tenants: half of them are one tenant's share.
    app.eventually("requests wait", async || (app.count_of(blocked).await == 4).then_some(())).await;
    for _ in 0..10 {
        other.get("/bots").await.data(200);
        assert!(app.count_of(blocked).await <= 4, "the tenant waits with its share only");
    }
    drop(held);
    for request in waiting {
        // On a slow machine some requests have timed out.
        assert!(matches!(request.await.unwrap().status.as_u16(), 200 | 503));
    }
    app.end().await;
}

#[tokio::test]
async fn a_request_stops_waiting_for_a_locked_row() {
    let app = start_app().await;
    let bot = app.http.post("/bots", json!({"name": "A", "channel_type": "api"})).await.id();
    let held = lock(&app, &format!("bot where id = '{bot}'")).await;
    let refused = app.http.put(&format!("/bots/{bot}"), json!({"name": "B"})).await;
    assert_eq!(refused.error(503), "data_busy");
    assert_eq!(refused.headers["Retry-After"], "1");
    drop(held);
    app.end().await;
}
