//! The storm: what a fleet makes of a mixed corpus while its processes are killed and stopped, its servers go
//! away and come back, and its model fails, is what it makes of it in a calm.
//!
//! `STORM_SECONDS` makes it longer than a minute, `STORM_SEED` repeats one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use parlance_core::platform::config::Config;
use parlance_core::{Context, Providers};
use parlance_testing::{Client, Flaky, Site, real_embedder};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;

use crate::fleet::Fleet;
use crate::process::{alone, eventually, said};
use things::Thing;

mod chaos;
mod seen;
mod things;

use chaos::Chaos;
use seen::Seen;

/// Sources of each of the three tenants.
const SOURCES: usize = 70;

/// Names of the tenants, in a calm and in a storm.
const TENANTS: [&str; 3] = ["North", "East", "West"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_changes_nothing_of_what_becomes_of_the_sources() {
    let _alone = alone().await;
    let seed = setting("STORM_SEED").unwrap_or_else(rand::random);
    let length = Duration::from_secs(setting("STORM_SECONDS").unwrap_or(60));
    eprintln!("the storm: STORM_SEED={seed} STORM_SECONDS={}", length.as_secs());
    let (fleet, site) = (Fleet::prepare().await, Site::start().await);
    things::fill(&site);
    let things: Vec<Vec<Thing>> =
        (0..TENANTS.len()).map(|tenant| things::of(tenant, SOURCES, &site)).collect();
    assert!(things.iter().map(Vec::len).sum::<usize>() >= 200);
    let _api = fleet.start_api().await;

    let calm_tenants = TENANTS.map(|name| fleet.tenant(name));
    let calm_workers = [fleet.start(&["worker"]), fleet.start(&["worker"])];
    let begun = Instant::now();
    bring(&calm_tenants, &things, Duration::ZERO).await;
    drain(&fleet).await;
    let calm = Seen::of(&fleet, &calm_tenants).await;
    eprintln!("the calm took {:?}: {calm}", begun.elapsed());
    for worker in calm_workers {
        assert!(worker.terminate().success());
    }

    let tenants = TENANTS.map(|name| fleet.tenant(name));
    let flaky = flaky_worker(&fleet).await;
    let mut chaos = Chaos::new(&fleet, StdRng::seed_from_u64(seed));
    let begun = Instant::now();
    let pace = length.mul_f64(0.7) / u32::try_from(SOURCES).unwrap();
    tokio::join!(bring(&tenants, &things, pace), chaos.rage(length));
    let largest = chaos.end().await;
    drain(&fleet).await;
    let storm = Seen::of(&fleet, &tenants).await;
    eprintln!(
        "the storm and what it left took {:?}: {storm}; {} kills, {} stops, {} outages of Redis, {} of Postgres; \
         the largest worker held {largest} MiB",
        begun.elapsed(),
        chaos.kills,
        chaos.stops,
        chaos.redis,
        chaos.postgres
    );

    assert_eq!(storm.verdicts, calm.verdicts, "every source ends as in a calm");
    assert_eq!(differing(&storm.chunks, &calm.chunks), Vec::<String>::new(), "the same chunks");
    for seen in [&calm, &storm] {
        assert_eq!((seen.unfinished, seen.without_vector, seen.hidden), (0, 0, 0));
    }
    // The goal for a process that embeds with multilingual-e5-small.
    assert!(largest <= 450, "a worker held {largest} MiB");
    eventually("Redis forgets the finished jobs", async || {
        (seen::redis_entries(&fleet).await <= 100).then_some(())
    })
    .await;
    flaky.cancel();
    drop(chaos);
    fleet.servers.stop().await.unwrap();
}

/// Brings every tenant's things, one after another; what is refused for the moment is brought again.
async fn bring(tenants: &[Client], things: &[Vec<Thing>], pace: Duration) {
    let brought = tenants.iter().zip(things).map(|(http, things)| async move {
        let bot = patiently(async || {
            let body = serde_json::json!({"name": "Bot", "channel_type": "api"});
            http.try_post("/bots", body).await?["id"].as_str().map(str::to_owned)
        })
        .await;
        for thing in things {
            patiently(async || thing.bring(http, &bot).await).await;
            tokio::time::sleep(pace).await;
        }
    });
    futures_util::future::join_all(brought).await;
}

async fn patiently<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    loop {
        if let Some(done) = attempt().await {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Waits until every job has ended.
async fn drain(fleet: &Fleet) {
    let drained = fleet.role(&["job", "drain", "--timeout", "600"]);
    let said = tokio::task::spawn_blocking(move || {
        let mut drained = drained;
        said(&mut drained)
    });
    assert!(said.await.unwrap().contains("Every job has ended"));
}

/// A worker in this process whose model fails three times of ten.
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

/// What only one of two has, some of it.
fn differing(a: &BTreeSet<String>, b: &BTreeSet<String>) -> Vec<String> {
    a.symmetric_difference(b).take(5).cloned().collect()
}

fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a flag of this test")]
    std::env::var(name).ok()?.parse().ok()
}

/// How sources end, by name: status and error.
type Verdicts = BTreeMap<String, (String, Option<String>)>;
