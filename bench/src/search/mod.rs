//! Searches in bots of 100 to 300,000 chunks that share one table with 1,000 small bots.
//!
//! Measures recall against comparing every vector, latency before and after indexing under concurrent writes,
//! and the server's share of an answer.
//!
//! The searches are the product's, called as a library on the database of a running `parlance up`, whose
//! workers build the indexes. `--global` measures one index over all bots for comparison. `bench/search.md`
//! has the results of the other designs that were tried.

mod fill;
mod global;
mod growth;
mod modes;
mod share;
mod synthetic;
mod writer;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use parlance_core::Context;
use parlance_core::bots::Bot;
use parlance_core::ids::TenantId;
use parlance_core::knowledge::search::Mode;
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::client::Client;
use crate::report::Row;
use crate::server::{DataFolder, Demo, Server, UpFile};

pub(crate) use growth::measure as measure_growth;

use synthetic::Question;

/// Sizes of `search`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SearchArgs {
    /// Chunks of each measured bot, in `search`.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000, 100_000, 300_000])]
    chunks: Vec<usize>,
    /// Number of other bots, of ten chunks each, in `search`.
    #[arg(long, default_value_t = 1_000)]
    small: usize,
    /// Also measure one index over all bots, in `search`.
    #[arg(long)]
    global: bool,
}

/// Results per search, for recall.
const TOP_K: usize = 10;

/// Bots get indexes from this many chunks on.
const LARGE: usize = 5_000;

/// The goals for latency and the server's share apply up to this many chunks.
const GOAL_CHUNKS: usize = 100_000;

/// Maximum time for building the indexes.
const INDEX_TIMEOUT: Duration = Duration::from_secs(1_800);

/// A bot with questions and their correct results.
struct MeasuredBot {
    chunks: usize,
    bot: Bot,
    questions: Vec<Question>,
    /// The exact nearest neighbours of each question.
    truth: Vec<HashSet<Uuid>>,
}

pub(crate) async fn measure(args: &SearchArgs) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let settings = [("RUST_LOG", "warn".to_owned())];
    let (server, _) = Server::start_with(&folder, Demo::Without, &settings).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let rows = run(args, &up, &ctx, &server.client).await;
    ctx.close().await;
    server.stop()?;
    rows
}

async fn run(args: &SearchArgs, up: &UpFile, ctx: &Context, client: &Client) -> anyhow::Result<Vec<Row>> {
    let model = client.model().await?;
    let tenant: Uuid = sqlx::query_scalar("select id from tenant").fetch_one(ctx.db().platform()).await?;
    let mut measured = fill::fill(args, up, ctx, client, tenant, &model).await?;
    let tenant = TenantId::from(tenant);
    for bot in &mut measured {
        bot.truth = fill::truth(ctx.db().platform(), bot, &model).await?;
    }
    let mut rows = Vec::new();
    for bot in measured.iter().filter(|bot| bot.chunks >= LARGE) {
        let (took, _) = modes::search_all(ctx, tenant, bot, Mode::Vector, &model).await?;
        rows.push(Row::plain(
            format!("search, {} chunks, every vector compared: p95", bot.chunks),
            took.p95(),
            "ms",
            took.len(),
        ));
    }
    crate::progress("waiting for the indexes");
    // The counts make the bots large enough for indexes; until here they were 0.
    let counted = "update source set live_chunks = chunk_count from source_version as made \
                   where made.source_id = source.id and made.version = live_version and live_chunks = 0";
    sqlx::raw_sql(counted).execute(ctx.db().platform()).await?;
    let large = measured.iter().filter(|bot| bot.chunks >= LARGE).count();
    wait_for_indexes(&mut *ctx.db().platform().acquire().await?, large).await?;

    let stop = CancellationToken::new();
    let writer = tokio::spawn(writer::run(
        up.database_url.clone(),
        measured.last().map(|bot| bot.bot.id.uuid()),
        model.clone(),
        stop.clone(),
    ));
    for bot in &measured {
        for mode in Mode::ALL {
            rows.extend(modes::measure(ctx, tenant, bot, mode, &model).await?);
        }
    }
    stop.cancel();
    let written = writer.await??;
    rows.push(Row::plain("search: chunks written and removed meanwhile", written, "/s", 1));
    for bot in &measured {
        rows.extend(share::measure(client, bot).await?);
    }
    if args.global {
        rows.extend(global::measure(up, tenant, &measured, &model).await?);
    }
    Ok(rows)
}

/// A connection for bulk loading; a crash may lose data.
async fn fast_connection(url: &str) -> anyhow::Result<PgConnection> {
    let mut db = <PgConnection as sqlx::Connection>::connect(url).await?;
    sqlx::raw_sql("set synchronous_commit = off").execute(&mut db).await?;
    Ok(db)
}

/// Waits until this many bots have indexes.
async fn wait_for_indexes(db: &mut PgConnection, large: usize) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let done: i64 = sqlx::query_scalar(
            "select count(*) from bot_index where indexed_model is not null and counted_chunks is not null",
        )
        .fetch_one(&mut *db)
        .await?;
        if usize::try_from(done)? >= large {
            crate::progress(&format!(
                "indexes of {large} bots built in {:.0} s",
                started.elapsed().as_secs_f64()
            ));
            return Ok(());
        }
        anyhow::ensure!(started.elapsed() < INDEX_TIMEOUT, "only {done} of {large} bots have indexes");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
