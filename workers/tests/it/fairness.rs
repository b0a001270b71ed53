//! Fair scheduling: a busy tenant delays others only by its running jobs, and chunking respects the embed backlog.

use std::time::Duration;

use parlance_core::ids::{JobId, TenantId, WorkerId};
use parlance_core::jobs::{self, Claims, Kind, State};
use parlance_core::knowledge::Status;
use parlance_testing::{Builder, TestApp, TestEmbedder};

use crate::{lock_job, paragraphs, purge, upload};

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

/// The owners of the started purges, in the order of their starts.
async fn served(app: &TestApp) -> Vec<TenantId> {
    let query =
        "select tenant_id from job where kind = 'purge' and started_at is not null order by started_at, id";
    let owners: Vec<uuid::Uuid> = sqlx::query_scalar(query).fetch_all(app.ctx.db().platform()).await.unwrap();
    owners.into_iter().map(TenantId::from).collect()
}

#[tokio::test]
async fn one_place_alternates_between_tenants() {
    let app = Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.jobs.window_floor = 16)
        .start()
        .await;
    let (second, _) = app.another_tenant().await;
    for _ in 0..50 {
        purge(&app, app.tenant).await;
    }
    for _ in 0..3 {
        purge(&app, second).await;
    }
    // A worker with one place: nothing runs when it claims.
    let stop = tokio_util::sync::CancellationToken::new();
    let worker = parlance_workers::run(app.ctx.clone(), [(Kind::Purge, 1)].into(), stop.clone());
    let worker = tokio::spawn(worker);
    app.eventually("all are done", async || {
        (app.count(Kind::Purge, State::Succeeded).await == 53).then_some(())
    })
    .await;
    stop.cancel();
    worker.await.unwrap();
    let served = served(&app).await;
    let turns: Vec<usize> =
        (0..served.len()).filter(|&turn| served[turn] == second).map(|turn| turn + 1).collect();
    assert!(turns[0] <= 2 && turns[1] <= 4 && turns[2] <= 6, "{turns:?}");
    app.end().await;
}

#[tokio::test]
async fn more_tenants_than_the_window_take_turns() {
    let app = Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.jobs.window_floor = 1)
        .start()
        .await;
    for _ in 0..20 {
        purge(&app, app.tenant).await;
    }
    for _ in 0..5 {
        let (tenant, _) = app.another_tenant().await;
        purge(&app, tenant).await;
        purge(&app, tenant).await;
    }
    let claims = Claims::new(WorkerId::fresh());
    for _ in 0..12 {
        app.fill(Kind::Purge).await;
        let claim = claims.another(&app.ctx, Kind::Purge).await.unwrap().unwrap();
        jobs::succeed_without_results(&app.ctx, &claim).await.unwrap();
    }
    let served = served(&app).await;
    for (turn, owner) in served.iter().enumerate() {
        let earlier = served[..turn].iter().rposition(|other| other == owner);
        assert!(earlier.is_none_or(|earlier| turn - earlier >= 5), "{served:?}");
    }
    app.end_with_unfinished_jobs().await;
}

/// Claims `count` jobs of a kind by id, as a worker that runs them.
async fn start(app: &TestApp, waiting: Vec<JobId>) {
    for job in waiting {
        jobs::claim(&app.ctx, job, WorkerId::fresh()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn running_jobs_of_other_kinds_count_beyond_a_share() {
    let app = Builder::default().embedder(TestEmbedder::default()).start().await;
    let bot = app.create_bot(app.tenant).await;
    let (other, _) = app.another_tenant().await;
    for i in 0..3 {
        upload(&app, app.tenant, bot, "a.txt", &format!("Text number {i}.")).await;
    }
    start(&app, app.waiting(Kind::Upload).await).await;
    // Older than the other tenant's.
    for tenant in [app.tenant, app.tenant, app.tenant, other, other] {
        purge(&app, tenant).await;
    }
    app.fill(Kind::Purge).await;
    let claims = Claims::new(WorkerId::fresh());
    let mut owners = Vec::new();
    for _ in 0..3 {
        let claim = claims.another(&app.ctx, Kind::Purge).await.unwrap().unwrap();
        owners.push(claim.about.tenant);
    }
    // Three run elsewhere. The mean is two per tenant, so the busy tenant is one above its share.
    assert_eq!(owners, [other, app.tenant, other]);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn crawls_that_wait_delay_no_other_jobs_of_their_tenant() {
    let app = Builder::default().embedder(TestEmbedder::default()).start().await;
    let (other, _) = app.another_tenant().await;
    for _ in 0..6 {
        purge(&app, app.tenant).await;
    }
    let crawls = app.waiting(Kind::Purge).await;
    app.execute("update job set kind = 'scrape'").await;
    start(&app, crawls).await;
    // The other tenant's job comes after them.
    let served = purge(&app, other).await;
    assert!(app.run(served).await);
    purge(&app, other).await;
    purge(&app, app.tenant).await;
    app.fill(Kind::Purge).await;
    let claims = Claims::new(WorkerId::fresh());
    let mut owners = Vec::new();
    for _ in 0..2 {
        owners.push(claims.another(&app.ctx, Kind::Purge).await.unwrap().unwrap().about.tenant);
    }
    assert_eq!(owners, [app.tenant, other], "six crawls do not count");
    // Among themselves, crawls do count.
    for tenant in [app.tenant, other] {
        let crawl = purge(&app, tenant).await;
        app.execute(&format!("update job set kind = 'scrape' where id = '{crawl}'")).await;
    }
    app.fill(Kind::Scrape).await;
    let next = claims.another(&app.ctx, Kind::Scrape).await.unwrap().unwrap();
    assert_eq!(next.about.tenant, other);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_locked_job_delays_no_other_dispatch() {
    let app = Builder::default().embedder(TestEmbedder::default()).start().await;
    let (other, _) = app.another_tenant().await;
    let locked = purge(&app, app.tenant).await;
    purge(&app, other).await;
    let holder = lock_job(&app, locked).await;
    let filling = tokio::time::timeout(Duration::from_secs(60), app.fill(Kind::Purge));
    assert_eq!(filling.await.expect("nothing waits for the lock"), 1);
    assert_eq!(jobs::get(&app.ctx, app.tenant, locked).await.unwrap().state, State::Queued);
    drop(holder);
    app.eventually("the lock is gone", async || (app.fill(Kind::Purge).await == 1).then_some(())).await;
    // Nor a recall of the dispatched jobs.
    let holder = lock_job(&app, locked).await;
    let recall = tokio::time::timeout(Duration::from_secs(60), jobs::dispatch::recall(&app.ctx, Kind::Purge));
    assert_eq!(recall.await.expect("nothing waits for the lock").unwrap(), 1);
    drop(holder);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_locked_job_delays_no_other_success() {
    let app = Builder::default().embedder(TestEmbedder::default()).start().await;
    let (other, _) = app.another_tenant().await;
    let mut claims = Vec::new();
    for tenant in [app.tenant, other, other] {
        let job = purge(&app, tenant).await;
        claims.push(jobs::claim(&app.ctx, job, WorkerId::fresh()).await.unwrap().unwrap());
    }
    let holder = lock_job(&app, claims[0].id).await;
    let settle = |claim| jobs::succeed_without_results(&app.ctx, claim);
    let others = async {
        let settled = futures_util::future::join_all(claims[1..].iter().map(settle)).await;
        drop(holder);
        settled
    };
    let (locked, others) = tokio::join!(settle(&claims[0]), others);
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert!(locked.is_ok(), "it waits for the lock instead of counting as lost: {locked:?}");
    app.end().await;
}
