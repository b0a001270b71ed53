//! Fair scheduling: a busy tenant delays others only by its running jobs, and chunking respects the embed backlog.

use std::time::Duration;

use parlance_core::jobs::{Kind, State};
use parlance_core::knowledge::Status;
use parlance_testing::{Builder, TestEmbedder};

use crate::{paragraphs, upload};

#[tokio::test]
async fn a_small_file_waits_only_for_running_jobs() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = Builder::default()
        .embedder(embedder.clone())
        // The sweep must not requeue dispatched jobs: a claim by hint ignores fairness.
        .configure(|config| config.jobs.hint_timeout = Duration::from_secs(60))
        .start()
        .await;
    let bot = app.create_bot(app.tenant).await;
    let (other, _) = app.another_tenant().await;
    let other_bot = app.create_bot(other).await;
    for i in 0..60 {
        upload(&app, app.tenant, bot, "a.txt", &paragraphs(3).replace("Rule", &format!("{i}"))).await;
    }
    app.start_workers();
    let places = i64::try_from(app.ctx.config().jobs.concurrency).unwrap();
    app.eventually("every place is taken and the window is full", async || {
        let running = app.count(Kind::Embed, State::Running).await;
        let ahead = app.count(Kind::Embed, State::Dispatched).await;
        let waiting = app.waiting(Kind::Embed).await.len();
        (running == places && ahead >= 2 * places && waiting > 20).then_some(())
    })
    .await;
    let small = upload(&app, other, other_bot, "small.txt", "Small and late.").await;
    app.eventually("the small file waits to be embedded", async || {
        let waits =
            "select count(*) from job where kind = 'embed' and state = 'dispatched' and tenant_id <> ";
        (app.count_of(&format!("{waits}'{}'", app.tenant)).await == 1).then_some(())
    })
    .await;
    // One place becomes free while the busy tenant's other job still runs.
    embedder.release_one();
    let started = "select count(*) from job where kind = 'embed' and started_at is not null";
    app.eventually("the next job starts", async || (app.count_of(started).await == places + 1).then_some(()))
        .await;
    let of_other = format!("{started} and tenant_id <> '{}'", app.tenant);
    assert_eq!(app.count_of(&of_other).await, 1, "the small file starts before the busy tenant's next batch");
    embedder.release();
    app.eventually("the small file is ready", async || {
        let source = parlance_core::knowledge::get_source(&app.ctx, other, small).await.unwrap();
        (source.status == Status::Ready).then_some(())
    })
    .await;
    let unfinished = "select count(*) from job where state not in ('succeeded', 'failed', 'cancelled')";
    app.eventually("all is done", async || (app.count_of(unfinished).await == 0).then_some(())).await;
    app.end().await;
}

#[tokio::test]
async fn chunking_respects_the_embed_backlog() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = Builder::default()
        .embedder(embedder.clone())
        .configure(|config| config.jobs.embed_backlog = 5)
        .start()
        .await;
    let bot = app.create_bot(app.tenant).await;
    let mut sources = Vec::new();
    for i in 0..40 {
        let text = paragraphs(3).replace("Rule", &format!("{i}"));
        sources.push(upload(&app, app.tenant, bot, "a.txt", &text).await);
    }
    app.start_workers();
    app.eventually("every file is read", async || {
        (app.count(Kind::Upload, State::Succeeded).await == 40).then_some(())
    })
    .await;
    // Dispatched jobs continue; no further ones are dispatched.
    let bound = 5 + 8 + 8 + 2;
    for _ in 0..20 {
        let waiting = app.waiting(Kind::Embed).await.len();
        assert!(waiting <= bound, "{waiting} batches wait");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    embedder.release();
    for source in sources {
        assert_eq!(app.settled(source).await["status"], "ready");
    }
    app.end().await;
}
