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
    let app = start_app().await;
    let (other, http) = app.another_tenant().await;
    for tenant in [app.tenant, other] {
        tenants::set_plan(&app.ctx, tenant, Plan::Enterprise).await.unwrap();
    }
    let mut one = Workload::start(&app, app.tenant, &app.http, seed).await;
    let mut two = Workload::start(&app, other, &http, seed.wrapping_add(1)).await;
    for number in 1..=STEPS {
        if number % 4 == 0 {
            // Two concurrent folds, while both tenants change data.
            let folding = async { tokio::join!(fold(&app.ctx), fold(&app.ctx)) };
            let (one, two, (first, second)) = tokio::join!(one.step(), two.step(), folding);
            eprintln!("{number}: {one}; {two}; folded {} and {}", first.unwrap(), second.unwrap());
        } else {
            eprintln!("{number}: {}; {}", one.step().await, two.step().await);
        }
        if number % 20 == 0 {
            full_count::check(&app, &format!("after step {number}")).await;
        }
    }
    one.add_conversations().await;
    two.add_conversations().await;
    for (tenant, http) in [(app.tenant, &app.http), (other, &http)] {
        reports::check_analytics(&app, tenant, http).await;
    }
    run_jobs(&app).await;
    while fold(&app.ctx).await.unwrap() > 0 {}
    full_count::check(&app, "folded").await;
    full_count::check_families(&app).await;
    full_count::check_deleted_bots(&app).await;
    for (tenant, http) in [(app.tenant, &app.http), (other, &http)] {
        reports::check_analytics(&app, tenant, http).await;
        reports::check_lists(&app, tenant, http).await;
    }
    app.end().await;
}
