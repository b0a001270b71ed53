//! Rollups match a full count during and after any workload; so does the API, in every time zone and with
//! every filter.
//!
//! The workload is random. Its seed is printed; `PARLANCE_SEED=… cargo test` repeats it.

use parlance_core::analytics::fold;
use parlance_core::tenants::{self, Plan};

use crate::{run_jobs, start_app};
use workload::Workload;

mod full_count;
mod reports;
mod workload;

/// Number of steps of each tenant's workload.
const STEPS: usize = 120;

#[tokio::test]
async fn rollups_and_the_api_match_a_full_count() {
    let seed = option_env!("PARLANCE_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    eprintln!("PARLANCE_SEED={seed}");
    let stage = start_app().await;
    let (other, http) = stage.another_tenant().await;
    for tenant in [stage.tenant, other] {
        tenants::set_plan(&stage.ctx, tenant, Plan::Enterprise).await.unwrap();
    }
    let mut one = Workload::start(&stage, stage.tenant, &stage.http, seed).await;
    let mut two = Workload::start(&stage, other, &http, seed.wrapping_add(1)).await;
    for number in 1..=STEPS {
        if number % 4 == 0 {
            // Two concurrent folds, while both tenants change data.
            let folding = async { tokio::join!(fold(&stage.ctx), fold(&stage.ctx)) };
            let (one, two, (first, second)) = tokio::join!(one.step(), two.step(), folding);
            eprintln!("{number}: {one}; {two}; folded {} and {}", first.unwrap(), second.unwrap());
        } else {
            eprintln!("{number}: {}; {}", one.step().await, two.step().await);
        }
        if number % 20 == 0 {
            full_count::check(&stage, &format!("after step {number}")).await;
        }
    }
    one.add_conversations().await;
    two.add_conversations().await;
    for (tenant, http) in [(stage.tenant, &stage.http), (other, &http)] {
        reports::check_analytics(&stage, tenant, http).await;
    }
    run_jobs(&stage).await;
    while fold(&stage.ctx).await.unwrap() > 0 {}
    full_count::check(&stage, "folded").await;
    full_count::check_families(&stage).await;
    full_count::check_deleted_bots(&stage).await;
    for (tenant, http) in [(stage.tenant, &stage.http), (other, &http)] {
        reports::check_analytics(&stage, tenant, http).await;
        reports::check_lists(&stage, tenant, http).await;
    }
    stage.end().await;
}
