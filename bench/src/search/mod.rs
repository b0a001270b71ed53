//! Searches in bots of 100 to 300,000 chunks that live together with 1,000 small ones in one table: what is found of
//! what comparing every vector finds, and how long it takes, before a bot has indexes and with them, while others write;
//! and what an answer of a large bot costs beside the models.
//!
//! The searches are the product's, called as a library on the database of a running `parlance up`, whose workers build
//! the indexes. `--global` measures one index over all bots for comparison. The other arms that were tried, and what they
//! gave, are in `bench/search.md`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use clap::Args;
use parlance_core::Context;
use parlance_core::bots::{self, Bot};
use parlance_core::ids::TenantId;
use parlance_core::knowledge::search::{self, Mode, Search};
use parlance_core::providers::embed::Embedder;
use pgvector::HalfVector;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::client::Client;
use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server, UpFile};

mod growth;
mod made;

pub(crate) use growth::measure as measure_growth;

use made::{Maker, Question};

/// What `search` searches.
#[derive(Clone, Debug, Args)]
pub(crate) struct Bots {
    /// Chunks of each bot that is searched, in `search`.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000, 100_000, 300_000])]
    chunks: Vec<usize>,
    /// Bots of ten chunks beside them, in `search`.
    #[arg(long, default_value_t = 1_000)]
    small: usize,
    /// Also measures one index over all bots, in `search`.
    #[arg(long)]
    global: bool,
}

/// Questions to a bot.
const QUESTIONS: usize = 200;

/// What recall is measured of.
const TOP_K: usize = 10;

/// From so many chunks on, a bot gets indexes.
const LARGE: usize = 5_000;

const RECALL: f64 = 0.99;

/// In milliseconds: of a search, and of the server's share of an answer, up to so many chunks.
const SEARCH_P95: f64 = 15.0;
const SHARE_MEDIAN: f64 = 5.0;
const SHARE_P99: f64 = 20.0;
const UP_TO: usize = 100_000;

/// In milliseconds.
const EMBED_MEDIAN: f64 = 15.0;

/// How long the workers may take to build the indexes.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// The pause between two writes of whoever writes meanwhile: some fifty chunks a second, and as many removed.
const WRITE: usize = 32;
const WRITE_PAUSE: Duration = Duration::from_millis(640);

struct Measured {
    chunks: usize,
    bot: Bot,
    questions: Vec<Question>,
    /// What comparing every vector finds.
    truth: Vec<HashSet<Uuid>>,
}

pub(crate) async fn measure(bots: &Bots) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let settings = [("RUST_LOG", "warn".to_owned())];
    let (server, _) = Server::start_with(&folder, Demo::Without, &settings).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let rows = searched(bots, &up, &ctx, &server.client).await;
    ctx.close().await;
    server.stop()?;
    rows
}

async fn searched(bots: &Bots, up: &UpFile, ctx: &Context, client: &Client) -> anyhow::Result<Vec<Row>> {
    let model = client.model().await?;
    let tenant: Uuid = sqlx::query_scalar("select id from tenant").fetch_one(ctx.db().platform()).await?;
    let mut measured = fill(bots, up, ctx, client, tenant, &model).await?;
    let tenant = TenantId::from(tenant);
    for bot in &mut measured {
        bot.truth = truth(ctx.db().platform(), bot, &model).await?;
    }
    let mut rows = Vec::new();
    for bot in measured.iter().filter(|bot| bot.chunks >= LARGE) {
        let (took, _) = ask(ctx, tenant, bot, Mode::Vector, &model).await?;
        rows.push(Row::plain(
            format!("search, {} chunks, every vector compared: p95", bot.chunks),
            took.p95(),
            "ms",
            took.len(),
        ));
    }
    crate::say("the workers build indexes");
    // Nobody knew until now how large the bots are.
    let counted = "update source set live_chunks = chunk_count from source_version as made \
                   where made.source_id = source.id and made.version = live_version and live_chunks = 0";
    sqlx::raw_sql(counted).execute(ctx.db().platform()).await?;
    indexed(ctx.db().platform(), &measured).await?;

    let stop = CancellationToken::new();
    let writer = tokio::spawn(write(
        up.database_url.clone(),
        measured.last().map(|bot| bot.bot.id.uuid()),
        model.clone(),
        stop.clone(),
    ));
    for bot in &measured {
        for mode in Mode::ALL {
            rows.extend(mode_rows(ctx, tenant, bot, mode, &model).await?);
        }
    }
    stop.cancel();
    let written = writer.await??;
    rows.push(Row::plain("search: chunks written and removed meanwhile", written, "/s", 1));
    for bot in &measured {
        rows.extend(share(client, bot).await?);
    }
    if bots.global {
        rows.extend(global(up, tenant, &measured, &model).await?);
    }
    Ok(rows)
}

async fn mode_rows(
    ctx: &Context,
    tenant: TenantId,
    bot: &Measured,
    mode: Mode,
    model: &str,
) -> anyhow::Result<Vec<Row>> {
    let (took, recall) = ask(ctx, tenant, bot, mode, model).await?;
    let name = format!("search, {} chunks, {}", bot.chunks, mode.as_str());
    let mut rows = vec![
        Row::plain(format!("{name}: median"), took.median(), "ms", took.len()),
        if bot.chunks <= UP_TO {
            Row::at_most(SEARCH_P95, format!("{name}: p95"), took.p95(), "ms", took.len())
        } else {
            Row::plain(format!("{name}: p95"), took.p95(), "ms", took.len())
        },
    ];
    if mode == Mode::Vector {
        rows.push(Row::at_least(RECALL, format!("{name}: recall@{TOP_K}"), recall, "", took.len()));
    }
    Ok(rows)
}

/// Asks a bot all of its questions, twice; gives the milliseconds of the second time, and the recall.
async fn ask(
    ctx: &Context,
    tenant: TenantId,
    bot: &Measured,
    mode: Mode,
    model: &str,
) -> anyhow::Result<(Samples, f64)> {
    let (mut took, mut found) = (Vec::new(), 0);
    for is_warm in [false, true] {
        for (question, truth) in bot.questions.iter().zip(&bot.truth) {
            let search = Search { question: &question.words, mode, sources: None, top_k: TOP_K };
            let embedder = Known { model, vector: &question.vector };
            let begun = Instant::now();
            let hits = search::find(ctx, &embedder, tenant, &bot.bot, &search).await?.hits;
            if is_warm {
                took.push(begun.elapsed().as_secs_f64() * 1_000.0);
                found += hits.iter().filter(|hit| truth.contains(&hit.chunk.uuid())).count();
            }
        }
    }
    let possible: usize = bot.truth.iter().map(HashSet::len).sum();
    Ok((took.into_iter().collect(), found as f64 / possible as f64))
}

/// Knows the vector of the question already: what is timed is the search.
struct Known<'a> {
    model: &'a str,
    vector: &'a [f32],
}

#[async_trait]
impl Embedder for Known<'_> {
    fn id(&self) -> &str {
        self.model
    }

    fn token_starts(&self, _: &str) -> Vec<usize> {
        Vec::new()
    }

    async fn embed_query(&self, _: String) -> parlance_core::Result<Vec<f32>> {
        Ok(self.vector.to_vec())
    }

    async fn embed_sentences(&self, texts: Vec<String>) -> parlance_core::Result<Vec<Vec<f32>>> {
        Ok(vec![self.vector.to_vec(); texts.len()])
    }

    async fn embed_passages(
        &self,
        _: Vec<String>,
        _: Arc<dyn Fn(usize) + Send + Sync>,
        _: CancellationToken,
    ) -> parlance_core::Result<Vec<Vec<f32>>> {
        Ok(Vec::new())
    }
}

/// The bots, each with its chunks, and the small ones beside them.
async fn fill(
    bots: &Bots,
    up: &UpFile,
    ctx: &Context,
    client: &Client,
    tenant: Uuid,
    model: &str,
) -> anyhow::Result<Vec<Measured>> {
    let mut db = loading(&up.database_url).await?;
    let (mut maker, mut measured) = (Maker::new(5), Vec::new());
    for &chunks in &bots.chunks {
        crate::say(&format!("making {chunks} chunks"));
        let id: Uuid = client.bot().await?.parse()?;
        let questions = maker.fill(&mut db, model, (tenant, id), chunks, QUESTIONS).await?;
        let bot = bots::get(ctx, tenant.into(), id.into()).await?;
        measured.push(Measured { chunks, bot, questions, truth: Vec::new() });
    }
    crate::say(&format!("making {} small bots", bots.small));
    for _ in 0..bots.small {
        let id = Uuid::now_v7();
        sqlx::query("insert into bot (id, tenant_id, name, channel_type) values ($1, $2, 'Small', 'api')")
            .bind(id)
            .bind(tenant)
            .execute(&mut db)
            .await?;
        maker.fill(&mut db, model, (tenant, id), 10, 0).await?;
    }
    sqlx::raw_sql("vacuum analyze").execute(&mut db).await?;
    Ok(measured)
}

/// A connection that loads fast: a crash is no loss.
async fn loading(url: &str) -> anyhow::Result<PgConnection> {
    let mut db = <PgConnection as sqlx::Connection>::connect(url).await?;
    sqlx::raw_sql("set synchronous_commit = off").execute(&mut db).await?;
    Ok(db)
}

async fn truth(db: &PgPool, bot: &Measured, model: &str) -> anyhow::Result<Vec<HashSet<Uuid>>> {
    let mut truth = Vec::new();
    for question in &bot.questions {
        // By a sum that no index orders by.
        let nearest: Vec<Uuid> = sqlx::query_scalar(
            "select chunk_id from chunk_vector where bot_id = $1 and model = $2
             order by 0 + (embedding <#> $3) limit $4",
        )
        .bind(bot.bot.id.uuid())
        .bind(model)
        .bind(HalfVector::from_f32_slice(&question.vector))
        .bind(i64::try_from(TOP_K)?)
        .fetch_all(db)
        .await?;
        truth.push(nearest.into_iter().collect());
    }
    Ok(truth)
}

/// Waits until every large bot has its indexes.
async fn indexed(db: &PgPool, measured: &[Measured]) -> anyhow::Result<()> {
    let large = measured.iter().filter(|bot| bot.chunks >= LARGE).count();
    wait_for_indexes(&mut *db.acquire().await?, large).await
}

async fn wait_for_indexes(db: &mut PgConnection, large: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let done: i64 = sqlx::query_scalar(
            "select count(*) from bot_index where indexed_model is not null and counted_chunks is not null",
        )
        .fetch_one(&mut *db)
        .await?;
        if usize::try_from(done)? >= large {
            crate::say(&format!("{large} bots have indexes after {:.0} s", begun.elapsed().as_secs_f64()));
            return Ok(());
        }
        anyhow::ensure!(begun.elapsed() < PATIENCE, "{done} of {large} bots have indexes");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Writes chunks to a bot and removes them again until it is to stop; gives how many a second.
async fn write(
    url: String,
    bot: Option<Uuid>,
    model: String,
    stop: CancellationToken,
) -> anyhow::Result<f64> {
    let mut db = <PgConnection as sqlx::Connection>::connect(&url).await?;
    let bot = bot.context("no bot is measured")?;
    let tenant: Uuid =
        sqlx::query_scalar("select tenant_id from bot where id = $1").bind(bot).fetch_one(&mut db).await?;
    let (mut maker, mut written, begun) = (Maker::new(6), 0, Instant::now());
    while stop.run_until_cancelled(tokio::time::sleep(WRITE_PAUSE)).await.is_some() {
        let before = Uuid::now_v7();
        maker.fill(&mut db, &model, (tenant, bot), WRITE, 0).await?;
        sqlx::query("delete from source where bot_id = $1 and id > $2")
            .bind(bot)
            .bind(before)
            .execute(&mut db)
            .await?;
        written += WRITE;
    }
    Ok(written as f64 / begun.elapsed().as_secs_f64())
}

/// What an answer costs beside the embedding of the question and the writing of the answer, which is the model's.
async fn share(client: &Client, bot: &Measured) -> anyhow::Result<Vec<Row>> {
    let (mut shares, mut embeds, mut searches) = (Vec::new(), Vec::new(), Vec::new());
    for (number, question) in bot.questions.iter().enumerate() {
        let session = format!("share-{}-{}", bot.chunks, number / 5);
        let begun = Instant::now();
        let answer = client.ask(&bot.bot.id.to_string(), &session, &question.words).await?;
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        let part =
            |name: &str| answer["timings_ms"][name].as_f64().with_context(|| format!("no timings_ms.{name}"));
        // The built-in answer embeds sentences, as a model would write.
        shares.push(took - part("embed")? - part("first_token")?);
        embeds.push(part("embed")?);
        searches.push(part("search")?);
    }
    let samples = |values: Vec<f64>| values.into_iter().collect::<Samples>();
    let (shares, embeds, searches) = (samples(shares), samples(embeds), samples(searches));
    let name = format!("answer, {} chunks: beside the models", bot.chunks);
    let count = shares.len();
    let goals = bot.chunks == UP_TO;
    let row = |goal, name: String, value| match goals {
        true => Row::at_most(goal, name, value, "ms", count),
        false => Row::plain(name, value, "ms", count),
    };
    Ok(vec![
        row(SHARE_MEDIAN, format!("{name}, median"), shares.median()),
        row(SHARE_P99, format!("{name}, p99"), shares.p99()),
        Row::plain(format!("{name}: of that the search, median"), searches.median(), "ms", count),
        row(
            EMBED_MEDIAN,
            format!("answer, {} chunks: the question's embedding, median", bot.chunks),
            embeds.median(),
        ),
    ])
}

/// One index over all bots, searched as far as it takes.
async fn global(
    up: &UpFile,
    tenant: TenantId,
    measured: &[Measured],
    model: &str,
) -> anyhow::Result<Vec<Row>> {
    crate::say("building one index over all bots");
    let mut db = <PgConnection as sqlx::Connection>::connect(&up.database_url).await?;
    sqlx::raw_sql("set maintenance_work_mem = '1GB'; set hnsw.ef_search = 200; set hnsw.iterative_scan = strict_order; set enable_sort = off; update bot_index set indexed_model = null").execute(&mut db).await?;
    let dropped: Vec<String> = sqlx::query_scalar(
        "select indexname::text from pg_indexes where indexname ~ '^chunk_vector_[0-9a-f]{32}_'",
    )
    .fetch_all(&mut db)
    .await?;
    for index in dropped {
        sqlx::raw_sql(AssertSqlSafe(format!("drop index {index}"))).execute(&mut db).await?;
    }
    sqlx::raw_sql("create index chunk_vector_global on chunk_vector using hnsw ((embedding::halfvec(384)) halfvec_ip_ops) with (m = 16, ef_construction = 200)").execute(&mut db).await?;
    let mut rows = Vec::new();
    for bot in measured {
        let (mut took, mut found) = (Vec::new(), 0);
        for (question, truth) in bot.questions.iter().zip(&bot.truth) {
            let begun = Instant::now();
            let nearest: Vec<Uuid> = sqlx::query_scalar(
                "select chunk_id from chunk_vector where tenant_id = $1 and bot_id = $2 and model = $3
                 order by embedding::halfvec(384) <#> $4::halfvec(384) limit 50",
            )
            .bind(tenant.uuid())
            .bind(bot.bot.id.uuid())
            .bind(model)
            .bind(HalfVector::from_f32_slice(&question.vector))
            .fetch_all(&mut db)
            .await?;
            took.push(begun.elapsed().as_secs_f64() * 1_000.0);
            found += nearest.iter().take(TOP_K).filter(|id| truth.contains(id)).count();
        }
        let possible: usize = bot.truth.iter().map(HashSet::len).sum();
        let took: Samples = took.into_iter().collect();
        let name = format!("search, {} chunks, one index over all bots", bot.chunks);
        rows.push(Row::plain(format!("{name}: p95"), took.p95(), "ms", took.len()));
        rows.push(Row::plain(
            format!("{name}: recall@{TOP_K}"),
            found as f64 / possible as f64,
            "",
            took.len(),
        ));
    }
    Ok(rows)
}
