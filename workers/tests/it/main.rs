//! Integration tests of jobs and the ingestion pipeline, on real Postgres and Redis.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod crawl;
mod crawl_browser;
mod crawl_frontier;
mod crawl_pace;
mod crawl_text;
mod crawl_waiting;
mod dispatch;
mod embedding;
mod fairness;
mod files;
mod indexes;
mod ledger;
mod outages;
mod partitions;
mod pipeline;
mod quotas;

use parlance_core::ids::{BotId, JobId, SourceId, TenantId};
use parlance_core::jobs::{self, About};
use parlance_core::knowledge::{self, File};
use parlance_core::purge_job::Purge;
use parlance_testing::TestApp;

/// Uploads a text file to a bot, bypassing the API.
pub(crate) async fn upload(app: &TestApp, tenant: TenantId, bot: BotId, name: &str, text: &str) -> SourceId {
    let bytes = text.to_owned().into_bytes().into();
    knowledge::upload(&app.ctx, tenant, bot, File { name: name.to_owned(), bytes }).await.unwrap().source.id
}

/// Distinct paragraphs; about thirteen fit in a chunk.
pub(crate) fn paragraphs(count: usize) -> String {
    let paragraph =
        |i| format!("Rule {i}: whoever asks about matter {i} is told answer {i}, and no other answer.\n\n");
    (0..count).map(paragraph).collect()
}

/// Enqueues a job that finds nothing to do.
pub(crate) async fn purge(app: &TestApp, tenant: TenantId) -> JobId {
    let about = About { tenant, bot: None, source: None, parent: None };
    let mut tx = app.ctx.db().begin(tenant).await.unwrap();
    let job = Purge::Versions { source: SourceId::fresh() };
    let job = jobs::enqueue(&app.ctx, &mut tx, about, &job).await.unwrap();
    tx.commit().await.unwrap();
    job
}

/// Locks a job, as its heartbeat does, until the connection is dropped.
pub(crate) async fn lock_job(app: &TestApp, job: JobId) -> parlance_testing::sqlx::PgConnection {
    let mut holder = app.ctx.db().dedicated().await.unwrap();
    let lock = format!("begin; select 1 from job where id = '{job}' for update");
    parlance_testing::sqlx::raw_sql(parlance_testing::sqlx::AssertSqlSafe(lock))
        .execute(&mut holder)
        .await
        .unwrap();
    holder
}
