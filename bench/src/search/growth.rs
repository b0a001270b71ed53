//! What grows with what: the bytes that a chunk takes, and what the indexes of other large bots cost a bot that has none.
//! `docs/scaling.md` reckons with these figures.

use std::time::Instant;

use anyhow::Context as _;
use pgvector::HalfVector;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::made::{Maker, Question};
use super::{loading, wait_for_indexes};
use crate::report::Row;
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};
use crate::{proc, say};

/// Chunks of the bot whose bytes are counted.
const CHUNKS: usize = 50_000;

/// Chunks and questions of the bot beside it, which has no index.
const SMALL: usize = 1_000;
const QUESTIONS: usize = 50;

/// How many other bots have indexes, from turn to turn.
const LARGE_BOTS: [usize; 4] = [1, 100, 300, 1_000];

/// Connections whose first search is timed, and batches that are written.
const TIMES: usize = 9;

/// Chunks of a batch, as `embed` jobs write them.
const BATCH: usize = 32;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let settings = [("RUST_LOG", "warn".to_owned())];
    let (server, _) = Server::start_with(&folder, Demo::Without, &settings).await?;
    let up = server.up_file().context("up left no file")?;
    let model = server.client.model().await?;
    let mut db = loading(&up.database_url).await?;
    let tenant: Uuid = sqlx::query_scalar("select id from tenant").fetch_one(&mut db).await?;
    let (large, small): (Uuid, Uuid) =
        (server.client.bot().await?.parse()?, server.client.bot().await?.parse()?);
    let mut maker = Maker::new(8);
    say(&format!("making {CHUNKS} chunks"));
    maker.fill(&mut db, &model, (tenant, large), CHUNKS, 0).await?;
    // So many that it gets indexes.
    sqlx::query("update source set live_chunks = 50 where bot_id = $1").bind(large).execute(&mut db).await?;
    sqlx::raw_sql("vacuum analyze").execute(&mut db).await?;
    wait_for_indexes(&mut db, 1).await?;
    let mut rows = bytes(&mut db, large).await?;
    let questions = maker.fill(&mut db, &model, (tenant, small), SMALL, QUESTIONS).await?;
    let mut there = 1;
    for bots in LARGE_BOTS {
        say(&format!("giving {bots} bots indexes"));
        while there < bots {
            pretend(&mut db, &model).await?;
            there += 1;
        }
        sqlx::raw_sql("vacuum analyze").execute(&mut db).await?;
        let measured =
            Beside { url: &up.database_url, tenant, bot: small, model: &model, questions: &questions };
        rows.extend(measured.measure(&mut maker, bots).await?);
    }
    server.stop()?;
    Ok(rows)
}

/// What a chunk of the large bot takes: what is shown of it, its vector, its words, and their indexes.
async fn bytes(db: &mut PgConnection, bot: Uuid) -> anyhow::Result<Vec<Row>> {
    let named = bot.simple();
    let parts = [
        ("its text, as characters", "(select sum(octet_length(content)) from chunk)".to_owned()),
        ("table chunk and its indexes", "pg_total_relation_size('chunk')".to_owned()),
        ("table chunk_vector", "pg_table_size('chunk_vector')".to_owned()),
        ("table chunk_text", "pg_table_size('chunk_text')".to_owned()),
        ("indexes of both over all bots", sum_of("not", &named.to_string())),
        ("the bot's graph and lists of words", sum_of("", &named.to_string())),
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

/// The bytes of the indexes of both tables that are, or are not, those of a bot.
fn sum_of(not: &str, bot: &str) -> String {
    format!(
        "select sum(pg_relation_size(indexrelid)) from pg_index
         where indrelid in ('chunk_vector'::regclass, 'chunk_text'::regclass)
             and {not} indexrelid::regclass::text like '%{bot}%'"
    )
}

/// Gives a bot that has no chunks the indexes of a large one.
async fn pretend(db: &mut PgConnection, model: &str) -> anyhow::Result<()> {
    let bot = Uuid::now_v7();
    let named = bot.simple();
    sqlx::raw_sql(AssertSqlSafe(format!(
        "create index chunk_vector_{named}_0 on chunk_vector
             using hnsw ((embedding::halfvec(384)) halfvec_ip_ops) with (m = 16, ef_construction = 200)
             where bot_id = '{bot}' and model = '{model}';
         create index chunk_text_{named} on chunk_text using gin (tsv) with (fastupdate = off) where bot_id = '{bot}'"
    )))
    .execute(db)
    .await?;
    Ok(())
}

/// A bot without indexes, beside those that have some.
struct Beside<'a> {
    url: &'a str,
    tenant: Uuid,
    bot: Uuid,
    model: &'a str,
    questions: &'a [Question],
}

impl Beside<'_> {
    async fn measure(&self, maker: &mut Maker, bots: usize) -> anyhow::Result<Vec<Row>> {
        let (mut first, mut later, mut written, mut memory) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..TIMES {
            let mut db = PgConnection::connect(self.url).await?;
            let name = format!("set parlance.tenant = '{}'; set role parlance_tenant", self.tenant);
            sqlx::raw_sql(AssertSqlSafe(name)).execute(&mut db).await?;
            for (number, question) in self.questions.iter().enumerate() {
                let took = self.ask(&mut db, question).await?;
                if number == 0 { first.push(took) } else { later.push(took) }
            }
            sqlx::raw_sql("reset role").execute(&mut db).await?;
            let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut db).await?;
            let begun = Instant::now();
            maker.fill(&mut db, self.model, (self.tenant, self.bot), BATCH, 0).await?;
            written.push(begun.elapsed().as_secs_f64() * 1_000.0);
            memory.push(proc::memory(u32::try_from(backend)?)?.anonymous);
            db.close().await?;
        }
        let name = format!("beside {bots} bots with indexes:");
        let row = |what: &str, values: Vec<f64>, unit| {
            let samples: Samples = values.into_iter().collect();
            Row::plain(format!("{name} {what}"), samples.median(), unit, samples.len())
        };
        Ok(vec![
            row("a connection's first search of 1,000 chunks", first, "ms"),
            row("a later one", later, "ms"),
            row("32 chunks written, by a connection that writes for the first time", written, "ms"),
            row("the memory of that connection", memory, "MB"),
        ])
    }

    async fn ask(&self, db: &mut PgConnection, question: &Question) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let by_meaning = "select count(*) from nearest_chunks($1, $2, $3, null, 50)";
        sqlx::query(by_meaning)
            .bind(self.bot)
            .bind(self.model)
            .bind(HalfVector::from_f32_slice(&question.vector))
            .execute(&mut *db)
            .await?;
        let by_words = "select count(*) from best_worded_chunks($1, 'english', $2, null, 50)";
        sqlx::query(by_words).bind(self.bot).bind(&question.words).execute(db).await?;
        Ok(begun.elapsed().as_secs_f64() * 1_000.0)
    }
}
