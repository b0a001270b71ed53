//! Growth: the bytes per chunk, and the cost of other large bots' indexes for a bot without.
//! `docs/scaling.md` uses these figures.

use std::time::Instant;

use anyhow::Context as _;
use pgvector::HalfVector;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::synthetic::{Generator, Question};
use super::{fast_connection, wait_for_indexes};
use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};
use crate::{proc, progress};

/// Chunks of the bot whose bytes are measured.
const CHUNKS: usize = 50_000;

/// Chunks and questions of the small bot without indexes.
const SMALL: usize = 1_000;
const QUESTIONS: usize = 50;

/// Numbers of other bots with indexes, per turn.
const LARGE_BOTS: [usize; 4] = [1, 100, 300, 1_000];

/// Connections per turn: the first search and the first write of each are timed.
const CONNECTIONS: usize = 9;

/// Chunks per batch, as in `embed` jobs.
const BATCH: usize = 32;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let settings = [("RUST_LOG", "warn".to_owned())];
    let (server, _) = Server::start_with(&folder, Demo::Without, &settings).await?;
    let up = server.up_file().context("up left no file")?;
    let model = server.client.model().await?;
    let mut db = fast_connection(&up.database_url).await?;
    let tenant: Uuid = sqlx::query_scalar("select id from tenant").fetch_one(&mut db).await?;
    let (large, small): (Uuid, Uuid) =
        (server.client.bot().await?.parse()?, server.client.bot().await?.parse()?);
    let mut generator = Generator::new(8);
    progress(&format!("generating {CHUNKS} chunks"));
    generator.fill(&mut db, &model, (tenant, large), CHUNKS, 0).await?;
    // The counts make the bot large enough for indexes.
    sqlx::query("update source set live_chunks = 50 where bot_id = $1").bind(large).execute(&mut db).await?;
    sqlx::raw_sql("vacuum analyze").execute(&mut db).await?;
    wait_for_indexes(&mut db, 1).await?;
    let mut rows = bytes_per_chunk(&mut db, large).await?;
    let questions = generator.fill(&mut db, &model, (tenant, small), SMALL, QUESTIONS).await?;
    let mut indexed = 1;
    for bots in LARGE_BOTS {
        progress(&format!("creating the indexes of {bots} bots"));
        while indexed < bots {
            create_empty_indexes(&mut db, &model).await?;
            indexed += 1;
        }
        sqlx::raw_sql("vacuum analyze").execute(&mut db).await?;
        let small_bot =
            SmallBot { url: &up.database_url, tenant, bot: small, model: &model, questions: &questions };
        rows.extend(small_bot.measure(&mut generator, bots).await?);
    }
    server.stop()?;
    Ok(rows)
}

/// Bytes per chunk of the large bot: content, vector, words, and their indexes.
async fn bytes_per_chunk(db: &mut PgConnection, bot: Uuid) -> anyhow::Result<Vec<Row>> {
    let named = bot.simple();
    let parts = [
        ("its text, as characters", "(select sum(octet_length(content)) from chunk)".to_owned()),
        ("table chunk and its indexes", "pg_total_relation_size('chunk')".to_owned()),
        ("table chunk_vector", table_bytes("chunk_vector")),
        ("table chunk_text", table_bytes("chunk_text")),
        ("indexes of both over all bots", index_bytes("not", &named.to_string())),
        ("the bot's graph and lists of words", index_bytes("", &named.to_string())),
    ];
    let mut rows = Vec::new();
    for (name, statement) in parts {
        let statement = format!("select ({statement})::double precision");
        let bytes: f64 = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut *db).await?;
        rows.push(Row::plain(
            format!("a chunk of 200 words: {name}"),
            bytes / CHUNKS as f64,
            "bytes",
            CHUNKS,
        ));
    }
    Ok(rows)
}

/// SQL for the bytes of a partitioned table, without indexes.
fn table_bytes(table: &str) -> String {
    format!("select sum(pg_table_size(relid)) from pg_partition_tree('{table}')")
}

/// SQL for the bytes of both tables' indexes that belong to a bot, or with `not` to no single bot.
fn index_bytes(not: &str, bot: &str) -> String {
    format!(
        "select sum(pg_relation_size(indexrelid)) from pg_index
         where indrelid in (
                 select relid from pg_partition_tree('chunk_vector') union all
                 select relid from pg_partition_tree('chunk_text')
             )
             and {not} indexrelid::regclass::text like '%{bot}%'"
    )
}

/// Creates the indexes of a large bot for a bot without chunks.
async fn create_empty_indexes(db: &mut PgConnection, model: &str) -> anyhow::Result<()> {
    let bot = Uuid::now_v7();
    let named = bot.simple();
    let partition: i32 = sqlx::query_scalar(
        "select remainder from generate_series(0, 15) as remainder
         where satisfies_hash_partition('chunk_vector_hashed'::regclass, 16, remainder, $1)",
    )
    .bind(bot)
    .fetch_one(&mut *db)
    .await?;
    sqlx::raw_sql(AssertSqlSafe(format!(
        "create index bot_graph_{named}_0 on chunk_vector_hashed_{partition:02}
             using hnsw ((embedding::halfvec(384)) halfvec_ip_ops) with (m = 16, ef_construction = 200)
             where bot_id = '{bot}' and model = '{model}';
         create index bot_words_{named} on chunk_text_hashed_{partition:02}
             using gin (tsv) with (fastupdate = off) where bot_id = '{bot}'"
    )))
    .execute(db)
    .await?;
    Ok(())
}

/// The small bot without indexes.
struct SmallBot<'a> {
    url: &'a str,
    tenant: Uuid,
    bot: Uuid,
    model: &'a str,
    questions: &'a [Question],
}

impl SmallBot<'_> {
    async fn measure(&self, generator: &mut Generator, bots: usize) -> anyhow::Result<Vec<Row>> {
        let (mut first, mut later, mut written, mut memory) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            let mut db = PgConnection::connect(self.url).await?;
            let name = format!("set parlance.tenant = '{}'; set role parlance_tenant", self.tenant);
            sqlx::raw_sql(AssertSqlSafe(name)).execute(&mut db).await?;
            for (number, question) in self.questions.iter().enumerate() {
                let took = self.search(&mut db, question).await?;
                if number == 0 { first.push(took) } else { later.push(took) }
            }
            sqlx::raw_sql("reset role").execute(&mut db).await?;
            let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut db).await?;
            let started = Instant::now();
            generator.fill(&mut db, self.model, (self.tenant, self.bot), BATCH, 0).await?;
            written.push(started.elapsed().as_secs_f64() * 1_000.0);
            memory.push(proc::memory(u32::try_from(backend)?)?.anonymous);
            db.close().await?;
        }
        let name = format!("with indexes of {bots} other bots:");
        let row = |figure: &str, values: Vec<f64>, unit| {
            let samples: Samples = values.into_iter().collect();
            Row::plain(format!("{name} {figure}"), samples.median(), unit, samples.len())
        };
        Ok(vec![
            row("a connection's first search of 1,000 chunks", first, "ms"),
            row("later searches", later, "ms"),
            row("a connection's first write of 32 chunks", written, "ms"),
            row("memory of that connection", memory, "MB"),
        ])
    }

    async fn search(&self, db: &mut PgConnection, question: &Question) -> anyhow::Result<f64> {
        let started = Instant::now();
        let by_meaning = "select count(*) from nearest_chunks($1, $2, $3, null, 50)";
        sqlx::query(by_meaning)
            .bind(self.bot)
            .bind(self.model)
            .bind(HalfVector::from_f32_slice(&question.vector))
            .execute(&mut *db)
            .await?;
        let by_words = "select count(*) from best_worded_chunks($1, 'english', $2, null, 50)";
        sqlx::query(by_words).bind(self.bot).bind(&question.words).execute(db).await?;
        Ok(started.elapsed().as_secs_f64() * 1_000.0)
    }
}
