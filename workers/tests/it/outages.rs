//! Redis outages and flushes lose nothing: Redis holds only hints.

use parlance_core::jobs::{Kind, State};
use parlance_core::platform::db;
use parlance_testing::{Builder, TestApp, TestEmbedder, sqlx};

use crate::{paragraphs, upload};

async fn start_app(embedder: &TestEmbedder) -> TestApp {
    Builder::default()
        .own_servers()
        .embedder(embedder.clone())
        // Longer than the test: lost hints must be detected in another way.
        .configure(|config| config.jobs.hint_timeout = std::time::Duration::from_secs(600))
        .start()
        .await
}

#[tokio::test]
async fn flushing_redis_during_processing_loses_nothing() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    app.start_workers();
    let mut sources = Vec::new();
    for i in 0..6 {
        let text = paragraphs(40).replace("Rule", &format!("Source {i} rule"));
        sources.push(upload(&app, app.tenant, bot, "a.txt", &text).await);
    }
    app.eventually("jobs are running and hints are waiting", async || {
        let (running, waiting) =
            (app.count(Kind::Embed, State::Running).await, app.count(Kind::Embed, State::Dispatched).await);
        (running == 2 && waiting > 0).then_some(())
    })
    .await;
    app.servers.flush_redis().await;
    embedder.release();
    for source in sources {
        assert_eq!(app.settled(source).await["status"], "ready");
    }
    assert_eq!(embedder.duplicates(), 0, "nothing was embedded twice");
    app.end().await;
}

#[tokio::test]
async fn a_redis_error_adds_no_places() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    app.start_workers();
    for i in 0..8 {
        let text = paragraphs(40).replace("Rule", &format!("Source {i} rule"));
        upload(&app, app.tenant, bot, "a.txt", &text).await;
    }
    let places = i64::try_from(app.ctx.config().jobs.concurrency).unwrap();
    let running = async || app.count(Kind::Embed, State::Running).await;
    app.eventually("every place is taken and jobs wait", async || {
        (running().await == places && app.waiting(Kind::Embed).await.len() > 2).then_some(())
    })
    .await;
    app.servers.flush_redis().await;
    app.eventually("the consumer is replaced", async || {
        (!app.servers.redis_ttls("*.embed:workers:metadata:*").await.is_empty()).then_some(())
    })
    .await;
    for _ in 0..20 {
        assert_eq!(running().await, places);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    embedder.release();
    let unfinished = "select count(*) from job where state not in ('succeeded', 'failed', 'cancelled')";
    app.eventually("all is done", async || (app.count_of(unfinished).await == 0).then_some(())).await;
    app.end().await;
}

#[tokio::test]
async fn an_upload_during_a_redis_outage_is_processed_later() {
    let mut app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    app.servers.servers().stop_redis().await.unwrap();
    app.start_workers();
    let answer = app.http.upload(&bot.to_string(), "a.md", "# Hours\n\nWe open at nine.").await;
    let source = answer.id().parse().unwrap();
    assert_eq!(app.count(Kind::Upload, State::Succeeded).await, 0);
    app.servers.servers().start_redis().await.unwrap();
    assert_eq!(app.settled(source).await["status"], "ready");
    app.end().await;
}

#[tokio::test]
async fn questions_are_answered_during_a_redis_outage() {
    let mut app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    app.start_workers();
    let source = upload(&app, app.tenant, bot, "a.txt", "We open at nine.").await;
    app.settled(source).await;
    app.stop_workers().await;
    app.servers.servers().stop_redis().await.unwrap();
    let answer =
        app.http.post("/conversations/s1/messages", serde_json::json!({"message": "We open at nine?"})).await;
    assert_eq!(answer.data(200)["bot_response"]["answered"], true, "{}", answer.body);
    app.end().await;
}

#[tokio::test]
async fn a_process_started_before_redis_connects_later() {
    let app = start_app(&TestEmbedder::default()).await;
    app.servers.servers().stop_redis().await.unwrap();
    let bus = parlance_core::platform::bus::Bus::new(app.ctx.config()).unwrap();
    assert!(bus.ping().await.is_err());
    app.servers.servers().start_redis().await.unwrap();
    app.eventually("the bus connects", async || bus.ping().await.ok()).await;
    app.end().await;
}

#[tokio::test]
async fn consumer_metadata_in_redis_expires() {
    let mut app = start_app(&TestEmbedder::default()).await;
    app.start_workers();
    let ttls = app
        .eventually("every queue's consumer is registered", async || {
            let ttls = app.servers.redis_ttls("*:workers:metadata:*").await;
            (ttls.len() >= Kind::ALL.len()).then_some(ttls)
        })
        .await;
    assert!(ttls.iter().all(|&seconds| seconds > 0), "{ttls:?}");
    app.end().await;
}

#[tokio::test]
async fn a_migration_retries_its_lock_and_lets_others_pass() {
    let app = Builder::default().embedder(TestEmbedder::default()).start().await;
    let mut holder = app.ctx.db().dedicated().await.unwrap();
    sqlx::raw_sql("begin; lock table _sqlx_migrations in access exclusive mode")
        .execute(&mut holder)
        .await
        .unwrap();
    let waits = "select exists (select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())";
    let waiting =
        async || sqlx::query_scalar::<_, bool>(waits).fetch_one(app.ctx.db().platform()).await.unwrap();
    let holding = async {
        app.eventually("it waits", async || waiting().await.then_some(())).await;
        app.eventually("it lets others pass", async || (!waiting().await).then_some(())).await;
        sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    };
    let (migrated, ()) = tokio::join!(db::migrate(app.ctx.db()), holding);
    migrated.unwrap();
    app.end().await;
}
