//! What a job costs that has nothing to do: from its enqueueing until it is settled, through Postgres and
//! Redis and back, against apalis on the same Redis that knows no ledger.
//!
//! The jobs are purges of sources that are not there, of several tenants. All are written by one statement,
//! and the time counts from before it until the last one is settled. The worker is that of `parlance up`,
//! with the servers that it starts: a Postgres that waits for its disk, and everything on this machine. The
//! reference pushes as many tasks, and the time counts until the last one was run. The two work in turns.

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
use parlance_core::purge::Purge;
use parlance_core::tenants::{self, Plan};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

/// How much `ledger` does.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Load {
    /// Jobs of each turn of `ledger`.
    #[arg(long, default_value_t = 10_000)]
    jobs: usize,
    /// Jobs that the worker of `ledger` runs at once.
    #[arg(long, default_value_t = 32)]
    places: usize,
}

const TENANTS: usize = 10;

const TURNS: usize = 3;

/// In jobs a second, on two cores.
const GOAL: f64 = 1_500.0;

/// How often it is asked whether all are settled.
const LOOK: Duration = Duration::from_millis(200);

const PATIENCE: Duration = Duration::from_secs(300);

/// Tasks that apalis is given at once; its script breaks on 8,000 that wait.
const PUSHED: usize = 1_000;

/// How often it is looked whether apalis can be given more, and the longest pause of its own looks.
const PACE: Duration = Duration::from_millis(2);

pub(crate) async fn measure(load: &Load) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let places = [("WORKER_CONCURRENCY", load.places.to_string())];
    let (server, _) = Server::start_with(&folder, Demo::Without, &places).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        let tenant = tenants::create(&ctx, &format!("Company {number}"), Plan::Free).await?;
        tenants.push(tenant.id.uuid());
    }
    // Warms up, and leaves Postgres something to know the table by.
    through_the_ledger(&ctx, &tenants, load.jobs / 10).await?;
    by_apalis(&up.redis_url, "warm", load.jobs / 10, load.places).await?;
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        sqlx::query("vacuum (analyze) job").execute(ctx.db().platform()).await?;
        let ours = through_the_ledger(&ctx, &tenants, load.jobs).await?;
        let apalis = by_apalis(&up.redis_url, &turn.to_string(), load.jobs, load.places).await?;
        crate::say(&format!("turn {turn}: {ours:.0} jobs/s; apalis alone: {apalis:.0} tasks/s"));
        turns.push((ours, apalis));
    }
    ctx.close().await;
    server.stop()?;
    Ok(compare(load, &turns))
}

fn compare(load: &Load, turns: &[(f64, f64)]) -> Vec<Row> {
    let of = |value: fn(&(f64, f64)) -> f64| turns.iter().map(value).collect::<Samples>().median();
    let name = format!("ledger, {} empty jobs, {} at once", load.jobs, load.places);
    vec![
        Row::at_least(GOAL, name.clone(), of(|(ours, _)| *ours), "jobs/s", turns.len()),
        Row::plain(format!("{name}: apalis alone"), of(|(_, apalis)| *apalis), "tasks/s", turns.len()),
        Row::plain(
            format!("{name}: share of apalis alone"),
            of(|(ours, apalis)| ours / apalis),
            "x",
            turns.len(),
        ),
    ]
}

/// Gives jobs in a second.
pub(crate) async fn through_the_ledger(ctx: &Context, tenants: &[Uuid], count: usize) -> anyhow::Result<f64> {
    let db = ctx.db().platform();
    let begun = Utc::now();
    enqueue(db, tenants, count).await?;
    // As the API does after its commit.
    dispatch::fill(ctx, Kind::Purge).await?;
    settled(db).await?;
    let (succeeded, last): (i64, Option<DateTime<Utc>>) = sqlx::query_as(
        "select count(*), max(finished_at) from job where state = 'succeeded' and attempt = 1 and created_at >= $1",
    )
    .bind(begun)
    .fetch_one(db)
    .await?;
    anyhow::ensure!(usize::try_from(succeeded) == Ok(count), "only {succeeded} of {count} jobs succeeded");
    let took = (last.context("no job has ended")? - begun).to_std()?;
    Ok(count as f64 / took.as_secs_f64())
}

/// What [`parlance_core::jobs::enqueue`] writes, for all at once; the tenants take turns.
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
    .bind(Purge::MAX_ATTEMPTS)
    .execute(db)
    .await?;
    Ok(())
}

async fn settled(db: &PgPool) -> anyhow::Result<()> {
    let begun = Instant::now();
    for state in ["queued", "dispatched", "running"] {
        while sqlx::query_scalar::<_, bool>(
            "select exists (select 1 from job where kind = $1 and state = $2)",
        )
        .bind(Purge::KIND.as_str())
        .bind(state)
        .fetch_one(db)
        .await?
        {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "the jobs were not settled in {PATIENCE:?}");
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

/// A task of the reference, as small as one of our hints.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Nothing {
    job: Uuid,
}

/// Counts what was run, and rings when it was all.
struct Count {
    left: AtomicUsize,
    over: Notify,
}

/// Gives tasks in a second. In threads of its own, as many as the worker of `up` has.
async fn by_apalis(redis_url: &str, queue: &str, count: usize, places: usize) -> anyhow::Result<f64> {
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
    let storage: RedisStorage<Nothing> = RedisStorage::new(connection).with_config(config);
    let tasks: Vec<Nothing> = (0..count).map(|_| Nothing { job: Uuid::now_v7() }).collect();
    let all = Arc::new(Count { left: AtomicUsize::new(count), over: Notify::new() });
    let begun = Instant::now();
    let pushing = tokio::spawn(push(storage.clone(), tasks, Arc::clone(&all)));
    let over = Arc::clone(&all);
    WorkerBuilder::new("bench")
        .backend(PollWith::new(storage, Strategy::new().interval(PACE)))
        .data(all)
        .concurrency(places)
        .build(nothing)
        .run_until(async move {
            over.over.notified().await;
            Ok::<(), std::io::Error>(())
        })
        .await?;
    let took = begun.elapsed();
    pushing.await??;
    Ok(took)
}

/// Keeps between one and two pushes' worth waiting: the worker never finds too few, and never too many.
async fn push(
    mut storage: RedisStorage<Nothing>,
    tasks: Vec<Nothing>,
    all: Arc<Count>,
) -> anyhow::Result<()> {
    let mut left = tasks.len();
    for some in tasks.chunks(PUSHED) {
        while all.left.load(Ordering::Relaxed).saturating_sub(left) > PUSHED {
            tokio::time::sleep(PACE).await;
        }
        storage.push_bulk(some.to_vec()).await?;
        left -= some.len();
    }
    Ok(())
}

async fn nothing(_task: Nothing, all: Data<Arc<Count>>) {
    if all.left.fetch_sub(1, Ordering::Relaxed) == 1 {
        all.over.notify_one();
    }
}
