//! The cost of an empty job, against apalis alone on the same Redis.
//!
//! From enqueueing to settling, through Postgres and Redis and back.
//!
//! The jobs are purges of nonexistent sources, of several tenants. One statement inserts all of them; the
//! time runs from before that statement until the last job is settled. The worker is that of `parlance up`
//! with its own servers: a Postgres that syncs to disk, and everything on this machine. The reference pushes
//! as many tasks; its time ends when the last task has run. The two take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use apalis::prelude::{Data, PollWith, Strategy, TaskSink, WorkerBuilder, WorkerBuilderExt};
use apalis_redis::RedisStorage;
use chrono::{DateTime, Utc};
use clap::Args;
use parlance_core::Context;
use parlance_core::ids::{JobId, SourceId};
use parlance_core::jobs::{Job as _, Kind, dispatch};
use parlance_core::purge_job::Purge;
use parlance_core::tenants::{self, Plan};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

/// Amount of work of `ledger`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LedgerArgs {
    /// Jobs per turn in `ledger`.
    #[arg(long, default_value_t = 10_000)]
    jobs: usize,
    /// Concurrent jobs of the worker in `ledger`.
    #[arg(long, default_value_t = 32)]
    places: usize,
}

const TENANTS: usize = 10;

const TURNS: usize = 3;

/// In jobs per second, on two cores.
const GOAL: f64 = 3_000.0;

/// Interval of polling the ledger.
const POLL: Duration = Duration::from_millis(200);

const TIMEOUT: Duration = Duration::from_secs(300);

/// Tasks per push to apalis. Its script fails when 8,000 wait.
const PUSH_BATCH: usize = 1_000;

/// Interval of checking whether apalis needs more tasks, and apalis' own maximum poll interval.
const APALIS_POLL: Duration = Duration::from_millis(2);

pub(crate) async fn measure(args: &LedgerArgs) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let places = [("WORKER_CONCURRENCY", args.places.to_string())];
    let (server, _) = Server::start_with(&folder, Demo::Without, &places).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        let tenant = tenants::create(&ctx, &format!("Company {number}"), Plan::Free).await?;
        tenants.push(tenant.id.uuid());
    }
    // Warms up, and gives Postgres statistics about the table.
    run_ledger(&ctx, &tenants, args.jobs / 10).await?;
    run_apalis(&up.redis_url, "warm", args.jobs / 10, args.places).await?;
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        sqlx::query("vacuum (analyze) job").execute(ctx.db().platform()).await?;
        let ours = run_ledger(&ctx, &tenants, args.jobs).await?;
        let apalis = run_apalis(&up.redis_url, &turn.to_string(), args.jobs, args.places).await?;
        crate::progress(&format!("turn {turn}: {ours:.0} jobs/s; apalis alone: {apalis:.0} tasks/s"));
        turns.push((ours, apalis));
    }
    ctx.close().await;
    server.stop()?;
    Ok(compare(args, &turns))
}

fn compare(args: &LedgerArgs, turns: &[(f64, f64)]) -> Vec<Row> {
    let median = |value: fn(&(f64, f64)) -> f64| turns.iter().map(value).collect::<Samples>().median();
    let name = format!("ledger, {} empty jobs, {} at once", args.jobs, args.places);
    vec![
        Row::at_least(GOAL, name.clone(), median(|(ours, _)| *ours), "jobs/s", turns.len()),
        Row::plain(format!("{name}: apalis alone"), median(|(_, apalis)| *apalis), "tasks/s", turns.len()),
        Row::plain(
            format!("{name}: share of apalis alone"),
            median(|(ours, apalis)| ours / apalis),
            "x",
            turns.len(),
        ),
    ]
}

/// Runs jobs through the ledger. Returns jobs per second.
pub(crate) async fn run_ledger(ctx: &Context, tenants: &[Uuid], count: usize) -> anyhow::Result<f64> {
    let db = ctx.db().platform();
    let started = Utc::now();
    enqueue(db, tenants, count).await?;
    // As the API does after its commit.
    dispatch::fill(ctx, Kind::Purge).await?;
    wait_until_settled(db).await?;
    let (succeeded, last): (i64, Option<DateTime<Utc>>) = sqlx::query_as(
        "select count(*), max(finished_at) from job where state = 'succeeded' and attempt = 1 and created_at >= $1",
    )
    .bind(started)
    .fetch_one(db)
    .await?;
    anyhow::ensure!(usize::try_from(succeeded) == Ok(count), "only {succeeded} of {count} jobs succeeded");
    let took = (last.context("no job has finished")? - started).to_std()?;
    Ok(count as f64 / took.as_secs_f64())
}

/// Inserts the same rows as [`parlance_core::jobs::enqueue`] in one statement, round-robin over the tenants.
async fn enqueue(db: &PgPool, tenants: &[Uuid], count: usize) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = (0..count).map(|_| JobId::fresh().uuid()).collect();
    let owners: Vec<Uuid> = tenants.iter().copied().cycle().take(count).collect();
    let payload = serde_json::to_value(Purge::Versions { source: SourceId::fresh() })?;
    sqlx::query(
        r"
        insert into job (id, tenant_id, kind, payload, max_attempts, deadline_at)
        select id, tenant_id, $3, $4, $5, now() + interval '1 day'
        from unnest($1::uuid[], $2::uuid[]) as fresh (id, tenant_id)
        ",
    )
    .bind(&ids)
    .bind(&owners)
    .bind(Purge::KIND.as_str())
    .bind(payload)
    .bind(Purge::KIND.spec().max_attempts)
    .execute(db)
    .await?;
    Ok(())
}

async fn wait_until_settled(db: &PgPool) -> anyhow::Result<()> {
    let started = Instant::now();
    for state in ["queued", "dispatched", "running"] {
        while sqlx::query_scalar::<_, bool>(
            "select exists (select 1 from job where kind = $1 and state = $2)",
        )
        .bind(Purge::KIND.as_str())
        .bind(state)
        .fetch_one(db)
        .await?
        {
            anyhow::ensure!(started.elapsed() < TIMEOUT, "the jobs were not settled within {TIMEOUT:?}");
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// A task of the reference, as small as one of our hints.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct EmptyTask {
    job: Uuid,
}

/// Counts down the tasks and notifies at zero.
struct Countdown {
    left: AtomicUsize,
    done: Notify,
}

/// Runs tasks with apalis alone, in a runtime with as many threads as the worker of `up` has. Returns tasks
/// per second.
async fn run_apalis(redis_url: &str, queue: &str, count: usize, places: usize) -> anyhow::Result<f64> {
    let (url, queue) = (redis_url.to_owned(), format!("bench.{queue}"));
    let threads = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(apalis(url, queue, count, places))
    });
    Ok(count as f64 / threads.await??.as_secs_f64())
}

async fn apalis(url: String, queue: String, count: usize, places: usize) -> anyhow::Result<Duration> {
    let connection = apalis_redis::connect(url).await?;
    let config = apalis_redis::Config::default().queue(queue);
    let storage: RedisStorage<EmptyTask> = RedisStorage::new(connection).with_config(config);
    let tasks: Vec<EmptyTask> = (0..count).map(|_| EmptyTask { job: Uuid::now_v7() }).collect();
    let countdown = Arc::new(Countdown { left: AtomicUsize::new(count), done: Notify::new() });
    let started = Instant::now();
    let pushing = tokio::spawn(push(storage.clone(), tasks, Arc::clone(&countdown)));
    let all_done = Arc::clone(&countdown);
    WorkerBuilder::new("bench")
        .backend(PollWith::new(storage, Strategy::new().interval(APALIS_POLL)))
        .data(countdown)
        .concurrency(places)
        .build(run_task)
        .run_until(async move {
            all_done.done.notified().await;
            Ok::<(), std::io::Error>(())
        })
        .await?;
    let took = started.elapsed();
    pushing.await??;
    Ok(took)
}

/// Keeps between one and two batches waiting: never too few for the worker, never too many for apalis.
async fn push(
    mut storage: RedisStorage<EmptyTask>,
    tasks: Vec<EmptyTask>,
    countdown: Arc<Countdown>,
) -> anyhow::Result<()> {
    let mut left = tasks.len();
    for batch in tasks.chunks(PUSH_BATCH) {
        while countdown.left.load(Ordering::Relaxed).saturating_sub(left) > PUSH_BATCH {
            tokio::time::sleep(APALIS_POLL).await;
        }
        storage.push_bulk(batch.to_vec()).await?;
        left -= batch.len();
    }
    Ok(())
}

async fn run_task(_task: EmptyTask, countdown: Data<Arc<Countdown>>) {
    if countdown.left.fetch_sub(1, Ordering::Relaxed) == 1 {
        countdown.done.notify_one();
    }
}
