//! Job lifecycle: claims, leases, fencing, retries and deadlines.

use std::time::Duration;

use parlance_core::Error;
use parlance_core::ids::{JobId, WorkerId};
use parlance_core::jobs::{self, Beat, Claim, Kind, Progress, Renewal, State};
use parlance_core::knowledge::ingest::{self, ExtractFile};
use parlance_core::knowledge::{self, Status};
use parlance_extract::protocol::{Document, Format, Markup};
use parlance_testing::{Builder, TestApp, TestEmbedder};
use parlance_workers::runner::Runner;

use crate::{lock_job, paragraphs, purge, upload};

/// Attempts of a job of any kind without attempts of its own.
const ATTEMPTS: i32 = Kind::Embed.spec().max_attempts;

async fn start_app(embedder: &TestEmbedder) -> TestApp {
    Builder::default().embedder(embedder.clone()).start().await
}

async fn set(app: &TestApp, job: JobId, assignment: &'static str) {
    let statement = format!("update job set {assignment} where id = $1");
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(job.uuid())
        .execute(app.ctx.db().platform())
        .await
        .unwrap();
}

async fn report(app: &TestApp, job: JobId) -> jobs::Report {
    jobs::get(&app.ctx, app.tenant, job).await.unwrap()
}

fn beat(claim: &Claim) -> Beat {
    Beat { job: claim.id, lease: claim.lease, progress: Progress::default() }
}

fn document(text: &str) -> Document {
    Document {
        format: Format::Text,
        markup: Markup::Plain,
        text: text.to_owned(),
        pages: Vec::new(),
        title: None,
        notes: Vec::new(),
        scanned_pages: Vec::new(),
        web: None,
    }
}

/// Runs the jobs before embedding and returns the first embed job.
async fn run_until_embed(app: &TestApp) -> JobId {
    app.step(Kind::Upload).await.unwrap();
    app.step(Kind::Chunk).await.unwrap();
    app.waiting(Kind::Embed).await[0]
}

#[tokio::test]
async fn a_job_claimed_twice_runs_once() {
    let embedder = TestEmbedder::default();
    let app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    upload(&app, app.tenant, bot, "a.txt", &paragraphs(5)).await;
    let job = run_until_embed(&app).await;
    let ran = tokio::join!(app.run(job), app.run(job), app.run(job));
    assert_eq!([ran.0, ran.1, ran.2].iter().filter(|ran| **ran).count(), 1);
    assert_eq!((embedder.runs(), embedder.duplicates()), (1, 0));
    assert!(!app.run(job).await, "a finished job does not run again");
    app.end().await;
}

#[tokio::test]
async fn a_killed_workers_job_runs_again() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    app.start_workers();
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(5)).await;
    app.eventually("the embed job runs", async || (embedder.runs() == 1).then_some(())).await;
    app.kill_workers().await;
    embedder.release();
    assert_eq!(app.count(Kind::Embed, State::Running).await, 1, "the job is not settled");
    app.start_workers();
    assert_eq!(app.settled(source).await["status"], "ready");
    assert_eq!((embedder.runs(), embedder.duplicates()), (2, 0));
    app.end().await;
}

#[tokio::test]
async fn an_expired_lease_writes_nothing() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", "The first worker reads this.").await;
    let job = app.waiting(Kind::Upload).await[0];
    let slow = jobs::claim(&app.ctx, job, WorkerId::fresh()).await.unwrap().unwrap();
    set(&app, job, "lease_expires_at = now() - interval '1 second'").await;
    assert_eq!(app.sweep().await.expired_leases, 1);
    let fast = jobs::claim(&app.ctx, job, WorkerId::fresh()).await.unwrap().unwrap();
    assert_eq!((slow.attempt, fast.attempt), (1, 2));

    let payload = ExtractFile { source, version: 1 };
    let late = ingest::settle_extracted(&app.ctx, &slow, &payload, &document("stale")).await;
    assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
    let beats = [&slow, &fast].map(beat);
    assert_eq!(jobs::renew(&app.ctx, &beats).await.unwrap(), [Renewal::Lost, Renewal::Held]);
    assert!(knowledge::get(&app.ctx, app.tenant, source).await.unwrap().content.is_none());
    assert!(app.waiting(Kind::Chunk).await.is_empty());

    ingest::settle_extracted(&app.ctx, &fast, &payload, &document("fresh")).await.unwrap();
    assert_eq!(knowledge::get(&app.ctx, app.tenant, source).await.unwrap().content.unwrap(), "fresh");
    app.step(Kind::Chunk).await.unwrap();
    app.step(Kind::Embed).await.unwrap();
    app.end().await;
}

#[tokio::test]
async fn a_process_never_takes_a_job_from_itself() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(5)).await;
    let job = run_until_embed(&app).await;
    app.start_workers();
    app.eventually("it runs", async || (embedder.runs() == 1).then_some(())).await;
    // As after a pause of the machine: the lease has expired, and sweeper and worker resume together.
    for _ in 0..10 {
        set(&app, job, "lease_expires_at = now() - interval '1 second'").await;
        let renewed = "select count(*) from job where lease_expires_at > now() and kind = 'embed'";
        app.eventually("the lease is renewed", async || (app.count_of(renewed).await == 1).then_some(()))
            .await;
    }
    embedder.release();
    assert_eq!(app.settled(source).await["status"], "ready");
    let history = jobs::history(&app.ctx, app.tenant, job, 0).await.unwrap();
    let states: Vec<State> = history.iter().map(|moment| moment.state).collect();
    assert_eq!(states, [State::Running, State::Succeeded], "{history:?}");
    assert_eq!((embedder.runs(), embedder.duplicates()), (1, 0));
    app.end().await;
}

#[tokio::test]
async fn one_heartbeat_renews_all_jobs_and_waits_for_no_lock() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    for i in 0..5 {
        upload(&app, app.tenant, bot, "a.txt", &format!("Text number {i}.")).await;
    }
    let worker = WorkerId::fresh();
    let mut claims = Vec::new();
    for job in app.waiting(Kind::Upload).await {
        claims.push(jobs::claim(&app.ctx, job, worker).await.unwrap().unwrap());
        set(&app, job, "lease_expires_at = now() - interval '1 second'").await;
    }
    let progress = Progress { done: 3, total: Some(9), unit: Some("pages") };
    let mut beats: Vec<Beat> = claims.iter().map(|claim| Beat { progress, ..beat(claim) }).collect();
    set(&app, claims[1].id, "cancel_requested = true").await;
    set(&app, claims[2].id, "lease_token = gen_random_uuid()").await;
    // A transaction that settles a job keeps its lock.
    let mut settling = app.ctx.db().begin(app.tenant).await.unwrap();
    jobs::hold_claim(&mut settling, &claims[4]).await.unwrap();
    let renewals = jobs::renew(&app.ctx, &beats).await.unwrap();
    settling.rollback().await.unwrap();
    let held = Renewal::Held;
    assert_eq!(renewals, [held, Renewal::CancelRequested, Renewal::Lost, held, held]);
    let renewed = "select count(*) from job where lease_expires_at > now() and progress_done = 3 \
                   and progress_total = 9 and progress_unit = 'pages'";
    assert_eq!(app.count_of(renewed).await, 3, "neither the lost one nor the locked one");
    // Progress never decreases.
    let before = report(&app, claims[0].id).await;
    beats[0].progress = Progress { done: 1, ..progress };
    assert_eq!(jobs::renew(&app.ctx, &beats[..1]).await.unwrap(), [held]);
    let after = report(&app, claims[0].id).await;
    assert_eq!((after.progress_done, after.revision), (3, before.revision));
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn jobs_that_end_together_are_settled_once_each() {
    let app = start_app(&TestEmbedder::default()).await;
    let (other, _) = app.another_tenant().await;
    let worker = WorkerId::fresh();
    let mut claims = Vec::new();
    for tenant in [app.tenant, other].repeat(10) {
        let job = purge(&app, tenant).await;
        claims.push(jobs::claim(&app.ctx, job, worker).await.unwrap().unwrap());
    }
    // Its lease went to another worker.
    set(&app, claims[7].id, "lease_token = gen_random_uuid()").await;
    let settling = claims.iter().map(|claim| jobs::succeed_without_results(&app.ctx, claim));
    let settled = futures_util::future::join_all(settling).await;
    for (index, settled) in settled.iter().enumerate() {
        assert_eq!(settled.is_ok(), index != 7, "{index}: {settled:?}");
    }
    assert!(matches!(settled[7], Err(Error::LeaseLost)));
    assert_eq!(app.count(Kind::Purge, State::Succeeded).await, 19);
    assert_eq!(report(&app, claims[0].id).await.revision, 3, "running, then succeeded");
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_job_whose_source_is_deleted_settles_nothing() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", "Text.").await;
    let job = app.waiting(Kind::Upload).await[0];
    let claim = jobs::claim(&app.ctx, job, WorkerId::fresh()).await.unwrap().unwrap();
    let held = lock_job(&app, job).await;
    knowledge::delete(&app.ctx, app.tenant, source).await.unwrap();
    drop(held);
    let payload = ExtractFile { source, version: 1 };
    let late = ingest::settle_extracted(&app.ctx, &claim, &payload, &document("late")).await;
    assert!(matches!(late, Err(Error::Cancelled)), "{late:?}");
    let content = "select count(*) from source_version where content is not null";
    assert_eq!(app.count_of(content).await, 0);
    // The deletion could not cancel the locked job; the purge does.
    assert_eq!(jobs::renew(&app.ctx, &[beat(&claim)]).await.unwrap(), [Renewal::Held]);
    app.step(Kind::Purge).await.unwrap();
    assert_eq!(jobs::renew(&app.ctx, &[beat(&claim)]).await.unwrap(), [Renewal::CancelRequested]);
    assert_eq!(app.count_of("select count(*) from source").await, 0);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_failing_job_is_retried_and_becomes_a_dead_letter() {
    let embedder = TestEmbedder::default();
    let app = Builder::default()
        .embedder(embedder.clone())
        .configure(|config| config.jobs.backoff_base = Duration::from_secs(100))
        .start()
        .await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(5)).await;
    let job = run_until_embed(&app).await;
    embedder.fail(usize::MAX);
    let mut pauses = Vec::new();
    for attempt in 1..=ATTEMPTS {
        assert!(app.run(job).await);
        let report = report(&app, job).await;
        assert_eq!((report.attempt, report.error_code.as_deref()), (attempt, Some("unavailable")));
        if attempt < ATTEMPTS {
            assert_eq!(report.state, State::Queued);
            assert!(!app.run(job).await, "not before its backoff ends");
            let pause: f64 = sqlx::query_scalar(
                "select extract(epoch from not_before - updated_at)::float8 from job where id = $1",
            )
            .bind(job.uuid())
            .fetch_one(app.ctx.db().platform())
            .await
            .unwrap();
            pauses.push(pause);
            set(&app, job, "not_before = now()").await;
        } else {
            assert_eq!(report.state, State::Failed);
        }
    }
    // Full jitter over the upper half of 100, 200, 300 (the cap) and 300 seconds.
    for (pause, (least, most)) in
        pauses.iter().zip([(50.0, 100.0), (100.0, 200.0), (150.0, 300.0), (150.0, 300.0)])
    {
        assert!((least..=most).contains(pause), "{pauses:?}");
    }
    let failed = knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap();
    assert_eq!((failed.status, failed.error_code.as_deref()), (Status::Failed, Some("unavailable")));
    app.end().await;
}

#[tokio::test]
async fn a_job_that_panics_is_retried() {
    let embedder = TestEmbedder::default();
    embedder.panic_once();
    let mut app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    app.start_workers();
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(5)).await;
    assert_eq!(app.settled(source).await["status"], "ready");
    assert_eq!(embedder.runs(), 2);
    app.end().await;
}

#[tokio::test]
async fn a_deadline_fails_a_waiting_job_and_its_source() {
    let app = Builder::default()
        .embedder(TestEmbedder::default())
        .configure(|config| config.jobs.deadline = Duration::from_millis(50))
        .start()
        .await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", "Nobody reads this.").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(app.sweep().await.ended.len(), 1);
    let failed = knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap();
    assert_eq!((failed.status, failed.error_code.as_deref()), (Status::Failed, Some("deadline_exceeded")));
    app.end().await;
}

#[tokio::test]
async fn a_deadline_stops_a_running_job() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(5)).await;
    let job = run_until_embed(&app).await;
    app.start_workers();
    app.eventually("it runs", async || (embedder.runs() == 1).then_some(())).await;
    set(&app, job, "deadline_at = now()").await;
    assert_eq!(app.settled(source).await["error"]["code"], "deadline_exceeded");
    embedder.release();
    app.end().await;
}

#[tokio::test]
async fn a_job_that_kills_every_worker_fails_eventually() {
    let app = start_app(&TestEmbedder::default()).await;
    let bot = app.create_bot(app.tenant).await;
    let source = upload(&app, app.tenant, bot, "a.txt", "This kills whoever reads it.").await;
    let job = app.waiting(Kind::Upload).await[0];
    for attempt in 1..=ATTEMPTS {
        let claim = jobs::claim(&app.ctx, job, WorkerId::fresh()).await.unwrap().unwrap();
        assert_eq!(claim.attempt, attempt);
        set(&app, job, "lease_expires_at = now() - interval '1 second'").await;
        app.sweep().await;
    }
    assert_eq!(report(&app, job).await.state, State::Failed);
    let failed = knowledge::get_source(&app.ctx, app.tenant, source).await.unwrap();
    assert_eq!((failed.status, failed.error_code.as_deref()), (Status::Failed, Some("worker_lost")));
    app.end().await;
}

#[tokio::test]
async fn a_failed_batch_cancels_the_other_batches_of_its_source() {
    let embedder = TestEmbedder::default();
    let app = start_app(&embedder).await;
    let bot = app.create_bot(app.tenant).await;
    upload(&app, app.tenant, bot, "a.txt", &paragraphs(2000)).await;
    let job = run_until_embed(&app).await;
    assert!(app.waiting(Kind::Embed).await.len() > 2);
    embedder.fail(usize::MAX);
    set(&app, job, "attempt = max_attempts - 1").await;
    app.run(job).await;
    assert!(app.waiting(Kind::Embed).await.is_empty());
    assert_eq!(app.count(Kind::Embed, State::Failed).await, 1);
    assert!(app.count(Kind::Embed, State::Cancelled).await >= 2);
    app.end().await;
}

#[tokio::test]
async fn a_drained_worker_claims_no_job() {
    let app = start_app(&TestEmbedder::default()).await;
    let job = purge(&app, app.tenant).await;
    let runner = Runner::new(app.ctx.clone(), WorkerId::fresh());
    runner.drain(Duration::ZERO).await;
    assert!(!runner.run(job).await);
    assert_eq!(report(&app, job).await.attempt, 0);
    app.end_with_unfinished_jobs().await;
}

#[tokio::test]
async fn a_stopping_worker_releases_its_job_without_an_attempt() {
    let embedder = TestEmbedder::default();
    embedder.hold();
    let mut app = Builder::default()
        .embedder(embedder.clone())
        .configure(|config| config.jobs.drain = Duration::from_millis(50))
        .start()
        .await;
    let bot = app.create_bot(app.tenant).await;
    app.start_workers();
    let source = upload(&app, app.tenant, bot, "a.txt", &paragraphs(5)).await;
    app.eventually("it runs", async || (embedder.runs() == 1).then_some(())).await;
    app.stop_workers().await;
    let job = app.waiting(Kind::Embed).await[0];
    assert_eq!(report(&app, job).await.attempt, 0);
    embedder.release();
    app.start_workers();
    assert_eq!(app.settled(source).await["status"], "ready");
    app.end().await;
}
