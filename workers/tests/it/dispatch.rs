//! The dispatch window and its hints.

use std::collections::HashSet;

use parlance_core::ids::{JobId, WorkerId};
use parlance_core::jobs::{self, Claims, Kind, State};
use parlance_testing::{Builder, TestEmbedder};

use crate::{purge, upload};

#[tokio::test]
async fn dispatch_never_exceeds_its_window() {
    let app = Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.jobs.window_floor = 5)
        .start()
        .await;
    let bot = app.create_bot(app.tenant).await;
    for i in 0..20 {
        upload(&app, app.tenant, bot, "a.txt", &format!("Text number {i}.")).await;
    }
    let fill = || app.fill(Kind::Upload);
    let pushed = tokio::join!(fill(), fill(), fill(), fill(), fill(), fill());
    assert_eq!(pushed.0 + pushed.1 + pushed.2 + pushed.3 + pushed.4 + pushed.5, 5);
    // A freed slot is filled, and no more.
    app.step(Kind::Upload).await.unwrap();
    assert_eq!(fill().await, 1);
    assert_eq!(app.count(Kind::Upload, State::Dispatched).await, 5);
    // Jobs that arrive during a fill change the order. A tenant without dispatched jobs gets an extra slot, so
    // the window is at most twice as wide.
    for i in 0..15 {
        let (tenant, _) = app.another_tenant().await;
        let bot = app.create_bot(tenant).await;
        let free = "update job set state = 'queued', dispatched_at = null where state = 'dispatched'";
        sqlx::query(free).execute(app.ctx.db().platform()).await.unwrap();
        let text = format!("Late text {i}.");
        tokio::join!(fill(), fill(), upload(&app, tenant, bot, "a.txt", &text), fill(), fill(), fill());
        fill().await;
        let dispatched = app.count(Kind::Upload, State::Dispatched).await;
        assert!((5..=10).contains(&dispatched), "{dispatched}");
    }
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn one_hint_per_job_claims_all_jobs_at_once() {
    let app = Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.jobs.window_floor = 32)
        .start()
        .await;
    let bot = app.create_bot(app.tenant).await;
    for i in 0..32 {
        upload(&app, app.tenant, bot, "a.txt", &format!("Text number {i}.")).await;
    }
    assert_eq!(app.fill(Kind::Upload).await, 32);
    // Any hint claims a job while unclaimed jobs remain, even if its own job is already claimed.
    let hinted = app.waiting(Kind::Upload).await[0];
    let workers = [WorkerId::fresh(), WorkerId::fresh()].map(Claims::new);
    let taking = (0..32).map(|place| workers[place % 2].next(&app.ctx, Kind::Upload, hinted));
    let taken = futures_util::future::join_all(taking).await;
    let taken: HashSet<JobId> = taken.into_iter().filter_map(|claim| Some(claim.unwrap()?.id)).collect();
    assert_eq!(taken.len(), 32);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn no_more_hints_than_places_are_pushed() {
    let mut app = Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| {
            config.jobs.window_floor = 3;
            config.jobs.concurrency = 2;
        })
        .start()
        .await;
    for _ in 0..20 {
        purge(&app, app.tenant).await;
    }
    let untaken = async || app.ctx.queue().untaken("purge").await.unwrap();
    assert_eq!((app.fill(Kind::Purge).await, untaken().await), (3, 3));
    // The window has room again, but every place has its hint.
    for job in app.waiting(Kind::Purge).await.into_iter().take(3) {
        assert!(app.run(job).await);
    }
    assert_eq!((app.fill(Kind::Purge).await, untaken().await), (3, 3));
    // Busy places need no hints for the rest.
    app.start_workers();
    app.eventually("all are done", async || {
        (app.count(Kind::Purge, State::Succeeded).await == 20).then_some(())
    })
    .await;
    app.end().await;
}

#[tokio::test]
async fn a_tenant_with_many_jobs_delays_no_other() {
    let app = Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.jobs.window_floor = 4)
        .start()
        .await;
    let busy = app.create_bot(app.tenant).await;
    for i in 0..20 {
        upload(&app, app.tenant, busy, "a.txt", &format!("Text number {i}.")).await;
    }
    let (second, _) = app.another_tenant().await;
    let (third, _) = app.another_tenant().await;
    for tenant in [second, third] {
        let bot = app.create_bot(tenant).await;
        upload(&app, tenant, bot, "b.txt", "One small file.").await;
    }
    assert_eq!(app.fill(Kind::Upload).await, 4);
    let places: Vec<(uuid::Uuid, i64)> =
        sqlx::query_as("select tenant_id, count(*) from job where state = 'dispatched' group by tenant_id order by tenant_id")
            .fetch_all(app.ctx.db().platform())
            .await
            .unwrap();
    assert_eq!(places, [(app.tenant.uuid(), 2), (second.uuid(), 1), (third.uuid(), 1)]);
    // Within a tenant, the oldest jobs go first.
    let oldest: Vec<JobId> = app.waiting(Kind::Upload).await.into_iter().take(2).collect();
    for job in oldest {
        assert_eq!(jobs::get(&app.ctx, app.tenant, job).await.unwrap().state, State::Dispatched);
    }
    app.end_with_unfinished_jobs().await;
}
