//! Fair scheduling: a busy tenant delays others only by its running jobs, and chunking respects the embed backlog.

use parlance_core::jobs::{Kind, State};
use parlance_core::knowledge::Status;
use parlance_testing::{Builder, TestEmbedder};

use crate::{paragraphs, upload};

#[tokio::test]
async fn a_small_file_waits_only_for_running_jobs() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = Builder::default().embedder(embedder.clone()).start().await;
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
    embedder.release();
    app.eventually("the small file is ready", async || {
        let source = parlance_core::knowledge::get_source(&app.ctx, other, small).await.unwrap();
        (source.status == Status::Ready).then_some(())
    })
    .await;
    let before = app
        .count_of(
            "select count(*) from job, (select started_at from job where kind = 'embed' and tenant_id <> (\
             select tenant_id from job order by id limit 1)) as small \
             where kind = 'embed' and job.started_at < small.started_at",
        )
        .await;
    assert!(before <= 2 * places, "{before} batches started before the small file's");
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
