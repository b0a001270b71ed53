//! Partitions of the search tables: migration, moves under concurrent writes, and query plans.

use std::cell::Cell;

use parlance_core::ids::{BotId, SourceId};
use parlance_core::jobs::Kind;
use parlance_core::knowledge::{self, index};
use parlance_core::platform::db::MIGRATOR;
use parlance_testing::sqlx::{self, AssertSqlSafe, Connection, PgConnection};
use parlance_testing::{Builder, TestApp, TestEmbedder};
use serde_json::json;
use uuid::Uuid;

use crate::{paragraphs, upload};

/// Minimum number of chunks of a large bot in these tests.
const LARGE: u32 = 40;

/// The migration that divides the tables, and the one that prepares it.
const PARTITIONS: i64 = 20;
const LAYOUTS: i64 = 19;

/// Number of orphaned rows in the search tables, and of chunks of live versions without words or a vector.
const DAMAGE: &str =
    "select (select count(*) from chunk_text where not exists (select 1 from chunk where id = chunk_id))
    + (select count(*) from chunk_vector where not exists (select 1 from chunk where id = chunk_id))
    + (select count(*) from chunk
        where (select count(*) from chunk_text where chunk_id = id) <> 1
            or (select count(*) from chunk_vector where chunk_id = id) <> 1)";

const UNHASHED: &str =
    "select (select count(*) from chunk_text_unhashed) + (select count(*) from chunk_vector_unhashed)";

async fn start_app() -> TestApp {
    let configured = Builder::default().configure(|config| config.index.from_chunks = LARGE);
    configured.embedder(TestEmbedder::default()).start().await
}

async fn run_all_jobs(app: &TestApp) {
    for kind in Kind::ALL {
        while app.step(kind).await.is_some() {}
    }
}

async fn add_rules(app: &TestApp, bot: BotId, rules: usize) -> SourceId {
    let source = upload(app, app.tenant, bot, "rules.txt", &paragraphs(rules)).await;
    run_all_jobs(app).await;
    source
}

async fn search(app: &TestApp, bot: BotId, mode: &str) -> Vec<String> {
    let query = "What is told to whoever asks about matter 31?";
    let body = json!({"bot_id": bot.to_string(), "query": query, "mode": mode, "top_k": 10});
    let answer = app.http.post("/knowledge/search", body).await;
    let hits = answer.data(200)["results"].as_array().unwrap().clone();
    hits.iter().map(|hit| hit["content"].as_str().unwrap().to_owned()).collect()
}

/// Both rankings, unfused: the fusion depends on word counts, which an index changes.
async fn rankings(app: &TestApp, bot: BotId) -> [Vec<String>; 2] {
    [search(app, bot, "vector").await, search(app, bot, "text").await]
}

/// Moves a bot's rows back to layout 1, with the old indexes.
async fn make_unhashed(app: &TestApp, bot: BotId) {
    let (named, model) = (bot.uuid().simple(), app.ctx.embedder().id().to_owned());
    for statement in [
        format!("update chunk_vector set layout = 1 where bot_id = '{bot}'"),
        format!("update chunk_text set layout = 1 where bot_id = '{bot}'"),
        format!(
            "do $$ begin execute format('create index chunk_vector_{named}_0 on chunk_vector_unhashed
                 using hnsw ((embedding::halfvec(%s)) halfvec_ip_ops) where bot_id = ''{bot}'' and model = ''{model}''',
                 (select vector_dims(embedding) from chunk_vector limit 1)); end $$"
        ),
        format!("create index chunk_text_{named} on chunk_text_unhashed using gin (tsv) where bot_id = '{bot}'"),
        format!(
            "insert into word_frequency (bot_id, word, chunks)
             select '{bot}', word, ndoc from ts_stat('select tsv from chunk_text') where ndoc > 100"
        ),
        format!(
            "update bot_index set indexed_model = model, counted_chunks = (select count(*) from chunk_text)
             where bot_id = '{bot}'"
        ),
    ] {
        app.execute(&statement).await;
    }
}

/// Number of the bot's indexes: on partitions, and old ones.
async fn indexes(app: &TestApp, bot: BotId) -> (i64, i64) {
    let named = bot.uuid().simple();
    let of = |prefix: &str| {
        format!(
            "select count(*) from pg_index
             where indisvalid and indexrelid::regclass::text ~ '^{prefix}_(graph|words|vector|text)_{named}'"
        )
    };
    (app.count_of(&of("bot")).await, app.count_of(&of("chunk")).await)
}

#[tokio::test]
async fn rows_from_before_partitions_are_found_and_move_once() {
    let app = start_app().await;
    let (bot, small) = (app.create_bot(app.tenant).await, app.create_bot(app.tenant).await);
    add_rules(&app, bot, 700).await;
    let before = rankings(&app, bot).await;
    assert!(before.iter().all(|texts| texts.len() == 10));
    make_unhashed(&app, bot).await;
    add_rules(&app, small, 20).await;
    app.execute(&format!("update chunk_vector set layout = 1 where bot_id = '{small}'")).await;
    app.execute(&format!("update chunk_text set layout = 1 where bot_id = '{small}'")).await;
    let small_before = rankings(&app, small).await;
    assert_eq!(rankings(&app, bot).await, before, "by the old indexes");
    // New rows of the bot have layout 2, beside the old rows.
    let newer = upload(&app, app.tenant, bot, "more.txt", "Matter 9999 is not told to whoever asks.").await;
    run_all_jobs(&app).await;
    let mixed = rankings(&app, bot).await;
    assert!(mixed[0].iter().any(|text| before[0].contains(text)));

    index::look_for_sizes(&app.ctx).await.unwrap();
    assert_eq!(app.waiting(Kind::Index).await.len(), 1, "the small bot stays where it is");
    run_all_jobs(&app).await;
    assert_eq!(rankings(&app, bot).await, mixed);
    assert_eq!(rankings(&app, small).await, small_before);
    assert_eq!(indexes(&app, bot).await, (2, 0));
    let left = format!("select count(distinct bot_id) from chunk_text_unhashed where bot_id <> '{small}'");
    assert_eq!(app.count_of(&left).await, 0);
    assert_eq!(app.count_of(DAMAGE).await, 0);
    index::look_for_sizes(&app.ctx).await.unwrap();
    assert_eq!(app.waiting(Kind::Index).await.len(), 0, "a bot moves once");

    knowledge::delete(&app.ctx, app.tenant, newer).await.unwrap();
    run_all_jobs(&app).await;
    assert_eq!(rankings(&app, bot).await, before);
    app.end().await;
}

#[tokio::test]
async fn uploads_and_deletions_beside_the_move_lose_nothing() {
    let mut app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    let mut sources = vec![add_rules(&app, bot, 700).await];
    for number in 0..6 {
        let text = paragraphs(60).replace("Rule", &format!("Rule of {number}, number"));
        sources.push(upload(&app, app.tenant, bot, &format!("{number}.txt"), &text).await);
    }
    run_all_jobs(&app).await;
    make_unhashed(&app, bot).await;
    index::look_for_sizes(&app.ctx).await.unwrap();
    // The index job moves rows, purge jobs delete them, and others write new ones.
    app.start_workers();
    for source in sources.drain(1..) {
        knowledge::delete(&app.ctx, app.tenant, source).await.unwrap();
        let text = paragraphs(60).replace("Rule", &format!("Rule after {source}, number"));
        upload(&app, app.tenant, bot, "new.txt", &text).await;
    }
    let unfinished = "select count(*) from job where finished_at is null";
    app.eventually("all jobs end", async || (app.count_of(unfinished).await == 0).then_some(())).await;
    app.stop_workers().await;
    assert_eq!(app.count_of(UNHASHED).await, 0);
    assert_eq!(app.count_of(DAMAGE).await, 0);
    assert_eq!(app.count_of("select count(*) from source where status = 'ready'").await, 7);
    let miscounted = "select sum(live_chunks) - (select count(*) from chunk) from source";
    assert_eq!(app.count_of(miscounted).await, 0);
    assert_eq!(app.count_of("select count(*) from job where state <> 'succeeded'").await, 0);
    app.end().await;
}

#[tokio::test]
async fn the_move_waits_for_a_chunk_that_is_being_deleted() {
    let mut app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    add_rules(&app, bot, 700).await;
    make_unhashed(&app, bot).await;
    let mut deletion = app.ctx.db().platform().begin().await.unwrap();
    let chunk: Uuid = sqlx::query_scalar("delete from chunk where ordinal = 3 returning id")
        .fetch_one(&mut *deletion)
        .await
        .unwrap();
    let others = format!("select count(*) from chunk_text_unhashed where chunk_id <> '{chunk}'");
    index::look_for_sizes(&app.ctx).await.unwrap();
    app.start_workers();
    app.eventually("the other chunks are moved", async || (app.count_of(&others).await == 0).then_some(()))
        .await;
    assert_eq!(app.count_of(UNHASHED).await, 2);
    deletion.commit().await.unwrap();
    app.eventually("the job ends", async || (indexes(&app, bot).await == (2, 0)).then_some(())).await;
    assert_eq!((app.count_of(UNHASHED).await, app.count_of(DAMAGE).await), (0, 0));
    app.stop_workers().await;
    app.end().await;
}

#[tokio::test]
async fn a_search_looks_at_the_indexes_of_its_partition_only() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    add_rules(&app, bot, 20).await;
    let dims = app.count_of("select vector_dims(embedding)::bigint from chunk_vector limit 1").await;
    for partition in 0..16 {
        for other in 0..2 {
            let id = Uuid::now_v7();
            app.execute(&format!(
                "create index other_graph_{partition}_{other} on chunk_vector_hashed_{partition:02}
                 using hnsw ((embedding::halfvec({dims})) halfvec_ip_ops) where bot_id = '{id}'"
            ))
            .await;
            app.execute(&format!(
                "create index other_words_{partition}_{other} on chunk_text_hashed_{partition:02} using gin (tsv)
                 where bot_id = '{id}'"
            ))
            .await;
        }
    }
    // A plan locks each index that it looks at, until the transaction ends.
    let looked_at = "select count(*) from pg_locks join pg_class on pg_class.oid = relation
                     where pid = pg_backend_pid() and relname ~ '^other_'";
    let vector = format!("array_fill(1, array[{dims}])::halfvec");
    let model = app.ctx.embedder().id();
    for (search, indexed) in [
        (format!("best_worded_chunks('{bot}', 'english', 'matter told', null, 10)"), "null"),
        (format!("best_worded_chunks('{bot}', 'english', 'matter told', null, 10)"), "9"),
        (format!("nearest_chunks('{bot}', '{model}', {vector}, null, 10)"), "9"),
    ] {
        let model = if indexed == "null" { "null" } else { "model" };
        app.execute(&format!("update bot_index set indexed_model = {model}, counted_chunks = {indexed}"))
            .await;
        // A connection without plans.
        let mut db = app.ctx.db().dedicated().await.unwrap();
        let mut transaction = db.begin().await.unwrap();
        sqlx::query(AssertSqlSafe(format!("set local parlance.tenant = '{}'", app.tenant)))
            .execute(&mut *transaction)
            .await
            .unwrap();
        let query = format!("select count(*) from {search}");
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut *transaction).await.unwrap();
        assert!(found > 0, "{search}");
        let count: i64 = sqlx::query_scalar(looked_at).fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(count, 2, "{search}");
    }
    app.end().await;
}

/// A database with the schema before the partitions, and its connection options.
async fn database_before(app: &TestApp) -> sqlx::postgres::PgConnectOptions {
    let name = format!("before_{}", Uuid::now_v7().simple());
    app.execute(&format!("create database {name}")).await;
    let options = app.ctx.db().platform().connect_options().as_ref().clone().database(&name);
    let mut db = PgConnection::connect_with(&options).await.unwrap();
    MIGRATOR.run_to(LAYOUTS - 1, &mut db).await.unwrap();
    db.close().await.unwrap();
    options
}

/// Statements of a release before the partitions: a chunk with its words and its vector.
const OLD_CHUNK: &str = "
    with shown as (
        insert into chunk (id, tenant_id, bot_id, source_id, version, ordinal, content, start_at, end_at, token_count, hash)
        values ($1, $2, $3, $4, 1, $5, 'Goods may be returned.', 0, 22, 5, 'x')
        returning id
    )
    insert into chunk_text (chunk_id, tenant_id, bot_id, source_id, version, tsv, text_search)
    select id, $2, $3, $4, 1, strip(to_tsvector('english', 'Goods may be returned.')), 'english' from shown";
const OLD_VECTOR: &str = "
    insert into chunk_vector (chunk_id, model, tenant_id, bot_id, source_id, version, embedding)
    select id, 'm', tenant_id, bot_id, source_id, version, '[1,0,0]' from chunk where id = $1 and tenant_id = $2
    on conflict do nothing";

/// An old release: its connection with prepared statements, and the ids that it writes.
struct OldRelease {
    db: PgConnection,
    tenant: Uuid,
    bot: Uuid,
    source: Uuid,
    chunks: i32,
}

impl OldRelease {
    async fn start(options: &sqlx::postgres::PgConnectOptions) -> Self {
        let mut db = PgConnection::connect_with(options).await.unwrap();
        let [tenant, bot, source] = std::array::from_fn(|_| Uuid::now_v7());
        sqlx::raw_sql(AssertSqlSafe(format!(
            "insert into tenant (id, name, plan) values ('{tenant}', 'Old', 'free');
             insert into bot (id, tenant_id, name, channel_type) values ('{bot}', '{tenant}', 'Old', 'api');
             insert into source (id, tenant_id, bot_id, name, source_type, status, live_version, content_hash)
                 values ('{source}', '{tenant}', '{bot}', 'Old', 'text', 'ready', 1, 'x');
             insert into bot_index (bot_id, tenant_id, model) values ('{bot}', '{tenant}', 'm');
             set parlance.tenant = '{tenant}';
             set role parlance_tenant"
        )))
        .execute(&mut db)
        .await
        .unwrap();
        Self { db, tenant, bot, source, chunks: 0 }
    }

    /// Writes a chunk as the old release does, and finds all of them as it does.
    async fn work(&mut self) {
        let id = Uuid::now_v7();
        let chunk = sqlx::query(OLD_CHUNK).bind(id).bind(self.tenant).bind(self.bot).bind(self.source);
        chunk.bind(self.chunks).execute(&mut self.db).await.unwrap();
        sqlx::query(OLD_VECTOR).bind(id).bind(self.tenant).execute(&mut self.db).await.unwrap();
        self.chunks += 1;
        for search in [
            "select count(*) from nearest_chunks($1, 'm', '[1,0,0]', null, 1000)",
            "select count(*) from best_worded_chunks($1, 'english', 'returned', null, 1000)",
            "select count(*) from chunk_vector where bot_id = $1",
            "select count(*) from chunk_text where bot_id = $1",
        ] {
            let found: i64 = sqlx::query_scalar(search).bind(self.bot).fetch_one(&mut self.db).await.unwrap();
            assert_eq!(found, i64::from(self.chunks), "{search}");
        }
    }
}

#[tokio::test]
async fn the_migration_keeps_rows_and_old_releases_working() {
    let app = start_app().await;
    let options = database_before(&app).await;
    let mut old = OldRelease::start(&options).await;
    for _ in 0..3 {
        old.work().await;
    }
    let mut migrating = PgConnection::connect_with(&options).await.unwrap();
    MIGRATOR.run_to(LAYOUTS, &mut migrating).await.unwrap();
    old.work().await;
    // A transaction with writes delays the migration; other statements run.
    let mut busy = OldRelease::start(&options).await;
    sqlx::raw_sql("begin").execute(&mut busy.db).await.unwrap();
    busy.work().await;
    let mut watching = PgConnection::connect_with(&options).await.unwrap();
    let waits = "select exists (select 1 from pg_locks where not granted and relation in (
                     'chunk'::regclass, 'chunk_text'::regclass, 'chunk_vector'::regclass))";
    let is_divided = Cell::new(false);
    let migration = async {
        MIGRATOR.run_to(PARTITIONS, &mut migrating).await.unwrap();
        is_divided.set(true);
    };
    let others = async {
        app.eventually("the migration waits for the writer", async || {
            let is_waiting: bool = sqlx::query_scalar(waits).fetch_one(&mut watching).await.unwrap();
            is_waiting.then_some(())
        })
        .await;
        for _ in 0..5 {
            old.work().await;
        }
        busy.work().await;
        assert!(!is_divided.get(), "the tables are divided beside a writer");
        sqlx::raw_sql("commit").execute(&mut busy.db).await.unwrap();
    };
    tokio::join!(migration, others);
    for release in [&mut old, &mut busy] {
        release.work().await;
        release.work().await;
    }
    let layouts: Vec<(i32, i64)> =
        sqlx::query_as("select layout, count(*) from chunk_vector group by layout order by layout")
            .fetch_all(&mut migrating)
            .await
            .unwrap();
    assert_eq!(layouts, [(1, 11), (2, 4)], "rows of before stay, new ones are hashed");
    // Deletions reach all rows of a chunk, wherever they are.
    sqlx::raw_sql("delete from source").execute(&mut migrating).await.unwrap();
    let left: i64 = sqlx::query_scalar(AssertSqlSafe(DAMAGE)).fetch_one(&mut migrating).await.unwrap();
    let rows: i64 =
        sqlx::query_scalar("select (select count(*) from chunk_text) + (select count(*) from chunk_vector)")
            .fetch_one(&mut migrating)
            .await
            .unwrap();
    assert_eq!((left, rows), (0, 0));
    MIGRATOR.run(&mut migrating).await.unwrap();
    app.end().await;
}
