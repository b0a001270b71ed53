//! Chaos test: a mixed corpus is ingested twice, undisturbed and while processes are killed and stopped, servers restart
//! and the model fails. Both runs must produce the same sources and chunks.
//!
//! `STORM_SECONDS` sets the length (60), `STORM_SEED` repeats a run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use parlance_core::platform::config::Config;
use parlance_core::{Context, Providers};
use parlance_testing::{Client, Flaky, Site, real_embedder};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;

use crate::fleet::Fleet;
use crate::process::{eventually, exclusive, stdout};

mod chaos;
mod snapshot;
mod sources;

use chaos::Chaos;
use snapshot::Snapshot;
use sources::TestSource;

/// Sources per tenant.
const SOURCES: usize = 70;

/// Tenant names, the same in both runs.
const TENANTS: [&str; 3] = ["North", "East", "West"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn chaos_does_not_change_the_ingested_sources() {
    let _exclusive = exclusive().await;
    let seed = setting("STORM_SEED").unwrap_or_else(rand::random);
    let length = Duration::from_secs(setting("STORM_SECONDS").unwrap_or(60));
    eprintln!("chaos run: STORM_SEED={seed} STORM_SECONDS={}", length.as_secs());
    let (fleet, site) = (Fleet::prepare().await, Site::start().await);
    sources::fill(&site);
    let sources: Vec<Vec<TestSource>> =
        (0..TENANTS.len()).map(|tenant| sources::for_tenant(tenant, SOURCES, &site)).collect();
    assert!(sources.iter().map(Vec::len).sum::<usize>() >= 200);
    let _api = fleet.start_api().await;

    let calm_tenants = TENANTS.map(|name| fleet.tenant(name));
    let calm_workers = [fleet.start(&["worker"]), fleet.start(&["worker"])];
    let started = Instant::now();
    upload_all(&calm_tenants, &sources, Duration::ZERO).await;
    drain(&fleet).await;
    let calm = Snapshot::take(&fleet, &calm_tenants).await;
    eprintln!("the undisturbed run took {:?}: {calm}", started.elapsed());
    for worker in calm_workers {
        assert!(worker.terminate().success());
    }

    let tenants = TENANTS.map(|name| fleet.tenant(name));
    let flaky = flaky_worker(&fleet).await;
    let mut chaos = Chaos::new(&fleet, StdRng::seed_from_u64(seed));
    let started = Instant::now();
    let pace = length.mul_f64(0.7) / u32::try_from(SOURCES).unwrap();
    tokio::join!(upload_all(&tenants, &sources, pace), chaos.run(length));
    let largest = chaos.stop().await;
    drain(&fleet).await;
    let storm = Snapshot::take(&fleet, &tenants).await;
    eprintln!(
        "the chaos run took {:?}: {storm}; {} kills, {} stops, {} outages of Redis, {} of Postgres; \
         the largest worker held {largest} MiB",
        started.elapsed(),
        chaos.kills,
        chaos.stops,
        chaos.redis,
        chaos.postgres
    );

    assert_eq!(storm.verdicts, calm.verdicts, "every source ends as in the undisturbed run");
    assert_eq!(differing(&storm.chunks, &calm.chunks), Vec::<String>::new(), "the same chunks");
    for snapshot in [&calm, &storm] {
        assert_eq!((snapshot.unfinished, snapshot.without_vector, snapshot.hidden), (0, 0, 0));
    }
    // Memory goal of a process that embeds with multilingual-e5-small.
    assert!(largest <= 450, "a worker held {largest} MiB");
    eventually("Redis drops the finished jobs", async || {
        (snapshot::redis_entries(&fleet).await <= 100).then_some(())
    })
    .await;
    flaky.cancel();
    drop(chaos);
    fleet.servers.stop().await.unwrap();
}

/// Uploads the sources of all tenants, each tenant sequentially. Failed requests are retried.
async fn upload_all(tenants: &[Client], sources: &[Vec<TestSource>], pace: Duration) {
    let uploads = tenants.iter().zip(sources).map(|(http, sources)| async move {
        let bot = retry(async || {
            let body = serde_json::json!({"name": "Bot", "channel_type": "api"});
            http.try_post("/bots", body).await?["id"].as_str().map(str::to_owned)
        })
        .await;
        for source in sources {
            retry(async || source.upload(http, &bot).await).await;
            tokio::time::sleep(pace).await;
        }
    });
    futures_util::future::join_all(uploads).await;
}

async fn retry<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    loop {
        if let Some(done) = attempt().await {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Waits until every job has finished.
async fn drain(fleet: &Fleet) {
    let drain = fleet.role(&["job", "drain", "--timeout", "600"]);
    let report = tokio::task::spawn_blocking(move || {
        let mut drain = drain;
        stdout(&mut drain)
    });
    assert!(report.await.unwrap().contains("All jobs have finished"));
}

/// A worker in this process whose embedding model fails in 30% of calls.
async fn flaky_worker(fleet: &Fleet) -> CancellationToken {
    let mut config = Config::read(|_| None).unwrap();
    config.database.url = Some(fleet.servers.database_url().unwrap().into());
    config.redis.url = Some(fleet.servers.redis_url().unwrap().into());
    let providers = Providers { embedder: Flaky::wrap(real_embedder().await, 30), ..Providers::absent() };
    let ctx = Context::new(config, providers).unwrap();
    let stop = CancellationToken::new();
    let queues = [(parlance_core::jobs::Kind::Embed, 1)].into();
    tokio::spawn(parlance_workers::run(ctx, queues, stop.clone()));
    stop
}

/// Up to five elements of the symmetric difference.
fn differing(a: &BTreeSet<String>, b: &BTreeSet<String>) -> Vec<String> {
    a.symmetric_difference(b).take(5).cloned().collect()
}

fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "settings of this test")]
    std::env::var(name).ok()?.parse().ok()
}

/// Status and error code of each source, by name.
type Verdicts = BTreeMap<String, (String, Option<String>)>;
