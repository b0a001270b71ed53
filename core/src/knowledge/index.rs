//! Per-bot search indexes: built for bots with many chunks, dropped when they shrink.
//!
//! Two indexes: an HNSW graph of the vectors and a GIN index of the words, with counts of the frequent words.
//! A shared vector index has poor recall for small bots, and an exact scan is too slow for large ones
//! (`bench/search.md`). Invariant: the table `bot_index` names an index only while it is valid.
//!
//! The indexes are on the bot's partitions. Rows from before the partitions are moved into them first.

use std::pin::pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::store;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ids::{BotId, TenantId};
use crate::jobs::{self, About, Claim, Job, Kind};

/// Maximum number of bots per check.
const CHECK_BATCH: i64 = 100;

/// Maximum dimension of a pgvector HNSW index on `halfvec`.
const MAX_DIMENSIONS: i32 = 4_000;

/// `maintenance_work_mem` of index builds: enough for 300,000 vectors of 384 dimensions. Larger builds are
/// slower.
const BUILD_MEMORY: &str = "512MB";

/// Chunks per transaction while rows are moved.
const MOVE_BATCH: i64 = 500;

/// Polling interval of the build lock and of build progress.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Job: builds or drops a bot's indexes according to its size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {
    /// The bot.
    pub bot: BotId,
}

impl Job for Index {
    const KIND: Kind = Kind::Index;
}

/// Progress callback and cancellation of an index build.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Called with (rows indexed, rows total).
    pub progress: &'a (dyn Fn(usize, usize) + Send + Sync),
    /// Cancels the build.
    pub stop: &'a CancellationToken,
}

/// Enqueues a job for each bot whose indexes no longer fit its size.
///
/// # Errors
/// When a statement fails.
pub async fn look_for_sizes(ctx: &Context) -> Result<()> {
    let from = i64::from(ctx.config().index.from_chunks);
    let misfits = store::list_misfits(ctx.db().platform(), from, from / 2, CHECK_BATCH).await?;
    for misfit in &misfits {
        let about = About { tenant: misfit.tenant, bot: Some(misfit.bot), source: None, parent: None };
        let mut tx = ctx.db().begin(misfit.tenant).await?;
        jobs::enqueue(ctx, &mut tx, about, &Index { bot: misfit.bot }).await?;
        tx.commit().await?;
    }
    if !misfits.is_empty() {
        jobs::dispatch::nudge(ctx, Kind::Index);
    }
    Ok(())
}

/// Builds the indexes of a large bot, drops those of a small one. Searches continue meanwhile.
///
/// # Errors
/// When a statement fails; [`Error::Cancelled`] soon after `watch.stop` is cancelled.
pub async fn fit(ctx: &Context, tenant: TenantId, job: &Index, watch: Watch<'_>) -> Result<()> {
    let (platform, bot) = (ctx.db().platform(), job.bot);
    let Some(indexed) = store::find_indexed(platform, tenant, bot).await? else { return Ok(()) };
    let from = i64::from(ctx.config().index.from_chunks);
    if indexed.chunks < from / 2 {
        // Stop using the indexes before dropping them.
        store::set_indexed(platform, tenant, bot, None, None).await?;
        return drop_all(ctx, bot).await;
    }
    let is_unhashed = store::has_unhashed(platform, bot).await?;
    if indexed.chunks < from && !(indexed.has_indexes && is_unhashed) {
        return Ok(());
    }
    let mut builder = builder(ctx, watch.stop).await?;
    if is_unhashed {
        let chunks = usize::try_from(indexed.chunks).unwrap_or(0);
        hash_rows(ctx, tenant, bot, chunks, watch).await?;
        store::set_indexed(platform, tenant, bot, None, None).await?;
    }
    drop_but(&mut builder, &unhashed_prefixes(bot), &[]).await?;
    let has_graph = build_graph(ctx, &mut builder, bot, &indexed.model, watch).await?;
    let name = words_index(bot);
    let words = format!(
        "create index concurrently {name} on chunk_text_hashed_{:02} using gin (tsv) with (fastupdate = off) \
         where bot_id = '{bot}'",
        store::find_partition(&mut builder, bot).await?
    );
    build(ctx, &mut builder, &name, words, watch).await?;
    let mut tx = platform.begin().await?;
    store::count_words(&mut tx, bot).await?;
    let counted = i32::try_from(indexed.chunks).unwrap_or(i32::MAX);
    let graph_of = has_graph.then_some(&*indexed.model);
    store::set_indexed(&mut *tx, tenant, bot, graph_of, Some(counted)).await?;
    Ok(tx.commit().await?)
}

/// Settles an [`Index`].
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now.
pub async fn settle(ctx: &Context, claim: &Claim) -> Result<()> {
    jobs::succeed_without_results(ctx, claim).await
}

/// Builds the graph of a large bot's vectors of a model before searches switch to them. Returns whether there
/// is one.
pub(super) async fn prepare(
    ctx: &Context,
    tenant: TenantId,
    bot: BotId,
    model: &str,
    watch: Watch<'_>,
) -> Result<bool> {
    let indexed = store::find_indexed(ctx.db().platform(), tenant, bot).await?;
    if indexed.is_none_or(|indexed| indexed.chunks < i64::from(ctx.config().index.from_chunks)) {
        return Ok(false);
    }
    let mut builder = builder(ctx, watch.stop).await?;
    build_graph(ctx, &mut builder, bot, model, watch).await
}

/// Drops every index of a bot.
pub(super) async fn drop_all(ctx: &Context, bot: BotId) -> Result<()> {
    let [graphs, words] = unhashed_prefixes(bot);
    drop_alone(ctx, &[graph_prefix(bot), words_index(bot), graphs, words], &[]).await
}

/// Drops the graphs of models that the bot is no longer searched by.
pub(super) async fn drop_old(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<()> {
    let model = store::find_model(ctx.db().platform(), tenant, bot).await?;
    let [unhashed, _words] = unhashed_prefixes(bot);
    let prefixes = [graph_prefix(bot), unhashed];
    let keep: Vec<String> =
        model.iter().flat_map(|model| prefixes.iter().map(|prefix| graph(prefix, model))).collect();
    drop_alone(ctx, &prefixes, &keep).await
}

/// Drops indexes under the builder's lock, if there are any to drop.
async fn drop_alone(ctx: &Context, prefixes: &[String], keep: &[String]) -> Result<()> {
    let names = store::list_indexes(ctx.db().platform(), prefixes).await?;
    if names.iter().all(|name| keep.contains(name)) {
        return Ok(());
    }
    let mut builder = builder(ctx, &CancellationToken::new()).await?;
    drop_but(&mut builder, prefixes, keep).await
}

/// Drops the indexes with one of the prefixes, except those to keep.
async fn drop_but(builder: &mut PgConnection, prefixes: &[String], keep: &[String]) -> Result<()> {
    for name in store::list_indexes(&mut *builder, prefixes).await? {
        if !keep.contains(&name) {
            store::run(builder, format!("drop index concurrently if exists {name}")).await?;
        }
    }
    Ok(())
}

/// Moves a bot's rows into its partitions, in batches. Searches find every row meanwhile, in its old or new partition;
/// moved rows are compared one by one. `chunks`: their number, for the progress report.
async fn hash_rows(
    ctx: &Context,
    tenant: TenantId,
    bot: BotId,
    chunks: usize,
    watch: Watch<'_>,
) -> Result<()> {
    let platform = ctx.db().platform();
    let (mut after, mut moved) = (None, 0);
    loop {
        if watch.stop.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if let Some(batch) = store::hash_batch(platform, tenant, bot, after, MOVE_BATCH).await? {
            after = Some(batch.last);
            moved += usize::try_from(batch.chunks).unwrap_or(0);
            (watch.progress)(moved, chunks.max(moved));
        } else if store::has_unhashed(platform, bot).await? {
            // Only chunks locked by other transactions are left; start again.
            after = None;
            tokio::select! {
                () = watch.stop.cancelled() => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
        } else {
            return Ok(());
        }
    }
}

async fn build_graph(
    ctx: &Context,
    builder: &mut PgConnection,
    bot: BotId,
    model: &str,
    watch: Watch<'_>,
) -> Result<bool> {
    let dimensions = store::find_dimensions(&mut *builder, bot, model).await?;
    let Some(dimensions) = dimensions.filter(|dimensions| *dimensions <= MAX_DIMENSIONS) else {
        tracing::warn!(bot.id = %bot, ?dimensions, "cannot index these vectors; searches scan all of them");
        return Ok(false);
    };
    let (name, quoted) = (graph(&graph_prefix(bot), model), model.replace('\'', "''"));
    let partition = store::find_partition(&mut *builder, bot).await?;
    // Measured: with a smaller m or ef_construction, a search of 300,000 vectors misses one in forty of the
    // ten nearest.
    let statement = format!(
        "create index concurrently {name} on chunk_vector_hashed_{partition:02} \
         using hnsw ((embedding::halfvec({dimensions})) halfvec_ip_ops) with (m = 16, ef_construction = 200) \
         where bot_id = '{bot}' and model = '{quoted}'"
    );
    build(ctx, builder, &name, statement, watch).await?;
    Ok(true)
}

/// Builds an index unless it exists. Drops an invalid one, left by an aborted build, first.
async fn build(
    ctx: &Context,
    builder: &mut PgConnection,
    name: &str,
    statement: String,
    watch: Watch<'_>,
) -> Result<()> {
    match store::is_valid(&mut *builder, name).await? {
        Some(true) => return Ok(()),
        Some(false) => store::run(builder, format!("drop index concurrently if exists {name}")).await?,
        None => {}
    }
    let pid = store::find_backend(&mut *builder).await?;
    let mut building = pin!(store::run(builder, statement));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            built = &mut building => {
                return match built {
                    Err(_) if is_stopping => Err(Error::Cancelled),
                    built => Ok(built?),
                };
            }
            () = watch.stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                store::cancel_backend(ctx.db().platform(), pid).await?;
            }
            () = tokio::time::sleep(POLL_INTERVAL) => {
                if let Some((done, total)) = store::find_progress(ctx.db().platform(), pid).await? {
                    (watch.progress)(usize::try_from(done).unwrap_or(0), usize::try_from(total).unwrap_or(0));
                }
            }
        }
    }
}

/// A connection holding the system-wide index-build lock: concurrent builds would deadlock on each other.
async fn builder(ctx: &Context, stop: &CancellationToken) -> Result<PgConnection> {
    let mut connection = ctx.db().dedicated().await?;
    while !store::become_builder(&mut connection).await? {
        tokio::select! {
            () = stop.cancelled() => return Err(Error::Cancelled),
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
    store::run(&mut connection, format!("set maintenance_work_mem = '{BUILD_MEMORY}'")).await?;
    Ok(connection)
}

/// Name of a graph, of at most 63 bytes. The model's name is hashed because it may contain any character.
fn graph(prefix: &str, model: &str) -> String {
    let digest = Sha256::digest(model);
    let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}{short}")
}

fn graph_prefix(bot: BotId) -> String {
    format!("bot_graph_{}_", bot.uuid().simple())
}

fn words_index(bot: BotId) -> String {
    format!("bot_words_{}", bot.uuid().simple())
}

/// Names of the indexes over rows that are not in a partition: prefix of the graphs, and name of the index of words.
fn unhashed_prefixes(bot: BotId) -> [String; 2] {
    let bot = bot.uuid().simple();
    [format!("chunk_vector_{bot}_"), format!("chunk_text_{bot}")]
}
