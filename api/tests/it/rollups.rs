//! Rollups: after any workload, and in the midst of one, they say what a full count says; and so does the
//! API, in every time zone and with every filter.
//!
//! The workload is random. Its seed is printed, and `PARLANCE_SEED=… cargo test` builds it again.

use parlance_core::analytics::fold;
use parlance_core::tenants::{self, Plan};

use crate::{stage, work};
use workload::Workload;

mod asked;
mod counted;
mod workload;

/// Steps of each tenant's workload.
const STEPS: usize = 120;

#[tokio::test]
async fn rollups_and_the_api_match_a_full_count() {
    let seed = option_env!("PARLANCE_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    eprintln!("PARLANCE_SEED={seed}");
    let stage = stage().await;
    let (other, http) = stage.another_tenant().await;
    for tenant in [stage.tenant, other] {
        tenants::set_plan(&stage.ctx, tenant, Plan::Enterprise).await.unwrap();
    }
    let mut one = Workload::begin(&stage, stage.tenant, &stage.http, seed).await;
    let mut two = Workload::begin(&stage, other, &http, seed.wrapping_add(1)).await;
    for number in 1..=STEPS {
        if number % 4 == 0 {
            // Two fold at once, while two tenants change something.
            let folding = async { tokio::join!(fold(&stage.ctx), fold(&stage.ctx)) };
            let (one, two, (folded, as_well)) = tokio::join!(one.step(), two.step(), folding);
            eprintln!("{number}: {one}; {two}; folded {} and {}", folded.unwrap(), as_well.unwrap());
        } else {
            eprintln!("{number}: {}; {}", one.step().await, two.step().await);
        }
        if number % 20 == 0 {
            counted::check(&stage, &format!("after step {number}")).await;
        }
    }
    one.talk().await;
    two.talk().await;
    for (tenant, http) in [(stage.tenant, &stage.http), (other, &http)] {
        asked::check_analytics(&stage, tenant, http).await;
    }
    work(&stage).await;
    while fold(&stage.ctx).await.unwrap() > 0 {}
    counted::check(&stage, "folded").await;
    counted::families(&stage).await;
    counted::no_trace_of_deleted_bots(&stage).await;
    for (tenant, http) in [(stage.tenant, &stage.http), (other, &http)] {
        asked::check_analytics(&stage, tenant, http).await;
        asked::check_lists(&stage, tenant, http).await;
    }
    stage.end().await;
}
