//! Row-level security: a statement without a tenant clause sees no row of another tenant. Covers every table,
//! including future ones.

use parlance_core::analytics;
use parlance_core::ids::TenantId;
use parlance_testing::sqlx;
use parlance_testing::sqlx::{AssertSqlSafe, PgConnection, PgExecutor};
use parlance_testing::{Answer, Builder, TestApp, TestEmbedder};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::fixture::Fixture;
use crate::rows::tables;
use crate::{run_jobs, start_app};

/// Postgres: insufficient privilege. Row-level security also refuses new rows with it.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// Postgres: a statement that writes, in a read-only transaction.
const READ_ONLY: &str = "25006";

/// Creates another tenant, and rows of both tenants in every table. Returns the other tenant.
async fn two_tenants(app: &TestApp) -> TenantId {
    let (other, http) = app.another_tenant().await;
    for http in [&app.http, &http] {
        let request = http.request(Method::POST, "/bots").header("Idempotency-Key", "mine");
        Answer::send(request.json(&json!({"name": "Once", "channel_type": "api"}))).await.data(201);
        Fixture::create(http).await;
    }
    run_jobs(app).await;
    // Some deltas are folded, others are not.
    analytics::fold(&app.ctx).await.unwrap();
    for http in [&app.http, &http] {
        http.post("/conversations", json!({})).await.data(201);
    }
    other
}

async fn count(db: impl PgExecutor<'_>, relation: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {relation}"))).fetch_one(db).await.unwrap()
}

/// The tenants whose rows a statement without a tenant clause reads.
async fn visible_tenants(db: impl PgExecutor<'_>, table: &str) -> Vec<Uuid> {
    let owner = if table == "tenant" { "id" } else { "tenant_id" };
    let query = format!("select distinct {owner} from \"{table}\" order by 1");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn row_level_security_covers_every_tenant_table() {
    let app = start_app().await;
    let db = app.ctx.db().platform();
    let tables = tables(&app).await;
    assert!(tables.len() >= 13, "{tables:?}");
    let protected: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class join pg_policy on polrelid = pg_class.oid \
         where relnamespace = 'public'::regnamespace and relrowsecurity \
             and polroles = array['parlance_tenant'::regrole::oid] and polcmd = '*' and polpermissive \
             and pg_get_expr(polqual, polrelid) like '%current_tenant()%' \
             and polwithcheck is null \
         order by 1",
    )
    .fetch_all(db)
    .await
    .unwrap();
    // A second permissive policy would widen the first.
    let policies = count(db, "pg_policy").await;
    assert_eq!(policies, protected.len() as i64);
    let mut with_tenant = tables.clone();
    with_tenant.push("tenant".to_owned());
    with_tenant.sort_unstable();
    assert_eq!(protected, with_tenant);
    // Views and functions that run as their owner bypass the policies, and so does `truncate`.
    let unprotected: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class \
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') \
             and (has_table_privilege('parlance_tenant', oid, 'truncate, trigger, references') \
                 or (relname <> all ($1) and has_table_privilege('parlance_tenant', oid, 'select, insert, update, delete')))",
    )
    .bind(&protected)
    .fetch_all(db)
    .await
    .unwrap();
    assert!(unprotected.is_empty(), "{unprotected:?}");
    let security_definer: Vec<String> = sqlx::query_scalar(
        "select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace order by 1",
    )
    .fetch_all(db)
    .await
    .unwrap();
    // The next test checks their own tenant filter.
    assert_eq!(security_definer, ["best_worded_chunks", "nearest_chunks"]);
    app.end().await;
}

#[tokio::test]
async fn tenants_cannot_name_a_partition() {
    let app = start_app().await;
    two_tenants(&app).await;
    // Rows from before the partitions are isolated too.
    for table in ["chunk_vector", "chunk_text"] {
        app.execute(&format!("update {table} set layout = 1 where tenant_id = '{}'", app.tenant)).await;
    }
    let partitions: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relispartition and relkind in ('r', 'p') order by 1",
    )
    .fetch_all(app.ctx.db().platform())
    .await
    .unwrap();
    assert_eq!(partitions.len(), 2 * (1 + 1 + 16), "{partitions:?}");
    for partition in partitions {
        for statement in [format!("select 1 from {partition}"), format!("delete from {partition}")] {
            let mut connection = app.ctx.db().for_tenant(app.tenant).await.unwrap();
            let refused = execute(&mut connection, &statement).await.unwrap_err();
            let code =
                refused.as_database_error().and_then(|error| error.code().map(|code| code.to_string()));
            assert_eq!(code.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{statement}: {refused}");
        }
    }
    for table in ["chunk_vector", "chunk_text"] {
        let mut connection = app.ctx.db().for_tenant(app.tenant).await.unwrap();
        assert_eq!(visible_tenants(&mut *connection, table).await, [app.tenant.uuid()], "{table}");
    }
    app.end().await;
}

#[tokio::test]
async fn security_definer_searches_find_no_other_tenants_rows() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    app.http.upload(&bot.to_string(), "a.md", "Goods may be returned.").await.data(201);
    run_jobs(&app).await;
    let (other, _) = app.another_tenant().await;
    let vector = "(select embedding from chunk_vector limit 1)";
    let dimensions = app.count_of(&format!("select vector_dims({vector})::bigint")).await;
    let ones = vec!["1"; usize::try_from(dimensions).unwrap()].join(",");
    let model = app.ctx.embedder().id();
    for indexed in ["null", "model"] {
        // As if the bot had an index, which selects another statement.
        app.execute(&format!("update bot_index set indexed_model = {indexed}, counted_chunks = 9")).await;
        for sources in ["null", "(select array_agg(id) from source)"] {
            for search in [
                format!("nearest_chunks('{bot}', '{model}', '[{ones}]'::halfvec, {sources}, 10)"),
                format!("best_worded_chunks('{bot}', 'english', 'returned goods', {sources}, 10)"),
            ] {
                let mut mine = app.ctx.db().for_tenant(app.tenant).await.unwrap();
                assert_eq!(count(&mut *mine, &search).await, 1, "{search}");
                let search = search.replace(sources, "null");
                let mut others = app.ctx.db().for_tenant(other).await.unwrap();
                assert_eq!(count(&mut *others, &search).await, 0, "{search}");
                sqlx::query("reset parlance.tenant").execute(&mut *others).await.unwrap();
                assert_eq!(count(&mut *others, &search).await, 0, "{search}");
            }
        }
    }
    app.end().await;
}

#[tokio::test]
async fn temporary_tables_cannot_shadow_the_tables_searched() {
    let app = start_app().await;
    let bot = app.create_bot(app.tenant).await;
    app.http.upload(&bot.to_string(), "a.md", "Goods may be returned.").await.data(201);
    run_jobs(&app).await;
    let mut mine = app.ctx.db().dedicated().await.unwrap();
    let become_tenant = format!("set parlance.tenant = '{}'; set role parlance_tenant", app.tenant);
    sqlx::raw_sql(AssertSqlSafe(become_tenant)).execute(&mut mine).await.unwrap();
    let shadow = "create temporary table source (like source); grant all on pg_temp.source to public";
    sqlx::raw_sql(shadow).execute(&mut mine).await.unwrap();
    assert_eq!(count(&mut mine, "source").await, 0, "the session sees its temporary table");
    let search = format!("best_worded_chunks('{bot}', 'english', 'returned goods', null, 10)");
    assert_eq!(count(&mut mine, &search).await, 1);
    let vector = "(select embedding from chunk_vector limit 1)";
    let search = format!("nearest_chunks('{bot}', '{}', {vector}, null, 10)", app.ctx.embedder().id());
    assert_eq!(count(&mut mine, &search).await, 1);
    app.end().await;
}

#[tokio::test]
async fn the_tenant_role_is_unprivileged() {
    let app = start_app().await;
    let query = "select current_user = 'parlance_tenant', rolsuper or rolbypassrls or rolcreaterole or \
                     rolcreatedb or rolcanlogin or rolreplication, \
                 exists (select 1 from pg_class where relowner = pg_roles.oid), \
                 exists (select 1 from pg_auth_members where member = pg_roles.oid) \
                 from pg_roles where rolname = current_user";
    let mut connection = app.ctx.db().for_tenant(app.tenant).await.unwrap();
    let mut transaction = app.ctx.db().begin(app.tenant).await.unwrap();
    for db in [&mut *connection, &mut **transaction] {
        let role: (bool, bool, bool, bool) = sqlx::query_as(query).fetch_one(db).await.unwrap();
        assert_eq!(role, (true, false, false, false));
    }
    drop((connection, transaction));
    app.end().await;
}

#[tokio::test]
async fn a_statement_without_a_tenant_clause_reads_one_tenant() {
    let app = start_app().await;
    let (mine, other) = (app.tenant.uuid(), two_tenants(&app).await);
    let mut tables = tables(&app).await;
    tables.push("tenant".to_owned());
    for table in &tables {
        // The platform's role reads both tenants with the same statement.
        let mut both = [mine, other.uuid()];
        both.sort_unstable();
        assert_eq!(visible_tenants(app.ctx.db().platform(), table).await, both, "{table}");
        assert_eq!(visible_tenants(app.ctx.db().reading(other), table).await, [other.uuid()], "{table}");
        let mut connection = app.ctx.db().for_tenant(other).await.unwrap();
        assert_eq!(visible_tenants(&mut *connection, table).await, [other.uuid()], "{table}");
        let mut transaction = app.ctx.db().begin(other).await.unwrap();
        assert_eq!(visible_tenants(&mut **transaction, table).await, [other.uuid()], "{table}");
        drop(transaction);
        // A session without a tenant reads nothing.
        for unset in ["reset parlance.tenant", "set parlance.tenant = ''"] {
            sqlx::query(unset).execute(&mut *connection).await.unwrap();
            assert_eq!(
                visible_tenants(&mut *connection, table).await,
                Vec::<Uuid>::new(),
                "{table}: {unset}"
            );
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_statement_without_a_tenant_clause_changes_one_tenant() {
    let app = start_app().await;
    let (mine, other) = (app.tenant, two_tenants(&app).await);
    for table in tables(&app).await {
        let of = |tenant: TenantId| format!("\"{table}\" where tenant_id = '{tenant}'");
        let platform = app.ctx.db().platform();
        let (theirs, own) = (count(platform, &of(mine)).await, count(platform, &of(other)).await);
        assert!(theirs > 0 && own > 0, "{table}");
        for (statement, changed) in [
            (format!("update \"{table}\" set tenant_id = tenant_id"), own),
            (format!("update \"{table}\" set tenant_id = tenant_id where tenant_id = '{mine}'"), 0),
            (format!("update \"{table}\" set tenant_id = '{other}' where tenant_id <> '{other}'"), 0),
            (format!("delete from \"{table}\" where tenant_id = '{mine}'"), 0),
            (format!("delete from \"{table}\""), own),
        ] {
            let mut transaction = app.ctx.db().begin(other).await.unwrap();
            let affected = execute(&mut transaction, &statement).await.unwrap();
            assert_eq!(affected, changed as u64, "{statement}");
            assert_eq!(count(&mut **transaction, &of(mine)).await, 0, "{statement}");
            transaction.rollback().await.unwrap();
        }
        for statement in [
            format!("update \"{table}\" set tenant_id = '{mine}'"),
            format!(
                "insert into \"{table}\" overriding system value \
                 select (jsonb_populate_record(null::\"{table}\", to_jsonb(row) || '{{\"tenant_id\": \"{mine}\"}}')).* \
                 from \"{table}\" as row limit 1"
            ),
        ] {
            let mut connection = app.ctx.db().for_tenant(other).await.unwrap();
            let refused = execute(&mut connection, &statement).await.unwrap_err();
            let code =
                refused.as_database_error().and_then(|error| error.code().map(|code| code.to_string()));
            assert_eq!(code.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{statement}: {refused}");
            assert!(refused.to_string().contains("row-level security policy"), "{statement}: {refused}");
        }
        assert_eq!(count(platform, &of(mine)).await, theirs, "{table}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_tenant_cannot_change_its_id_or_plan() {
    let app = start_app().await;
    let (mine, other) = (app.tenant, two_tenants(&app).await);
    let bots = format!("tenant where id = '{mine}' and bot_count = 2");
    assert_eq!(count(app.ctx.db().platform(), &bots).await, 1);
    let mut connection = app.ctx.db().for_tenant(other).await.unwrap();
    assert_eq!(execute(&mut connection, "update tenant set bot_count = 0").await.unwrap(), 1);
    for statement in [
        format!("update tenant set id = '{mine}'"),
        "update tenant set plan = 'enterprise'".to_owned(),
        "update tenant set is_active = true".to_owned(),
        "insert into tenant (id, name, plan) values (gen_random_uuid(), 'New', 'enterprise')".to_owned(),
        "delete from tenant".to_owned(),
    ] {
        let refused = execute(&mut connection, &statement).await.unwrap_err();
        let code = refused.as_database_error().and_then(|error| error.code().map(|code| code.to_string()));
        assert_eq!(code.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{statement}: {refused}");
    }
    assert_eq!(count(app.ctx.db().platform(), &bots).await, 1);
    drop(connection);
    app.end().await;
}

async fn read_backend(db: impl PgExecutor<'_>) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(db).await.unwrap()
}

/// A parameter of the domain `reading_tenant` sets the tenant for its own statement only.
#[tokio::test]
async fn a_bound_tenant_ends_with_its_statement() {
    let app = start_app().await;
    let other = two_tenants(&app).await;
    let mut session = app.ctx.db().dedicated().await.unwrap();
    sqlx::raw_sql("set role parlance_tenant").execute(&mut session).await.unwrap();
    let named = "select current_tenant() as tenant, $1::reading_tenant is null as is_null";
    assert_eq!(visible_tenants(&mut session, "bot").await, Vec::<Uuid>::new(), "no tenant is set yet");
    for tenant in [app.tenant.uuid(), other.uuid()] {
        let bound = format!("execute named('{tenant}')");
        sqlx::raw_sql(AssertSqlSafe(format!("prepare named(reading_tenant) as {named}")))
            .execute(&mut session)
            .await
            .unwrap();
        sqlx::raw_sql(AssertSqlSafe(bound)).execute(&mut session).await.unwrap();
        assert_eq!(visible_tenants(&mut session, "bot").await, Vec::<Uuid>::new(), "it has ended");
        sqlx::raw_sql("deallocate named").execute(&mut session).await.unwrap();
    }
    app.end().await;
}

#[tokio::test]
async fn a_statement_that_names_its_tenant_cannot_write() {
    let app = start_app().await;
    let mine = app.tenant;
    two_tenants(&app).await;
    for statement in ["update bot set name = 'Changed'", "delete from bot", "select id from bot for update"] {
        let refused = sqlx::query(statement).execute(app.ctx.db().reading(mine)).await.unwrap_err();
        let code = refused.as_database_error().and_then(|error| error.code().map(|code| code.to_string()));
        assert_eq!(code.as_deref(), Some(READ_ONLY), "{statement}: {refused}");
    }
    // Without a parameter a statement would run under no tenant.
    let raw = sqlx::raw_sql("select id from bot").execute(app.ctx.db().reading(mine)).await;
    assert!(raw.unwrap_err().to_string().contains("cannot name its tenant"));
    app.end().await;
}

async fn execute(db: &mut PgConnection, statement: &str) -> sqlx::Result<u64> {
    Ok(sqlx::query(AssertSqlSafe(statement)).execute(db).await?.rows_affected())
}

#[tokio::test]
async fn a_reused_connection_shows_each_tenant_only_its_own_rows() {
    // Three connections: two for the platform, one for all tenants.
    let one_connection = |config: &mut parlance_core::platform::config::Config| {
        config.database.max_connections = 3;
        config.scrape.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    };
    let app = Builder::default().embedder(TestEmbedder::default()).configure(one_connection).start().await;
    let (mine, other) = (app.tenant, two_tenants(&app).await);
    let db = app.ctx.db();
    let mut backends = Vec::new();
    let check = async |db: &mut PgConnection, tenant: TenantId| {
        assert_eq!(visible_tenants(&mut *db, "bot").await, [tenant.uuid()]);
        sqlx::query_scalar::<_, i32>("select pg_backend_pid()").fetch_one(db).await.unwrap()
    };
    for tenant in [mine, other, mine] {
        backends.push(check(&mut db.for_tenant(tenant).await.unwrap(), tenant).await);
        backends.push(check(&mut db.for_tenant(other).await.unwrap(), other).await);
        // A statement that names its tenant, after and before others of the same session.
        for named in [tenant, other] {
            assert_eq!(visible_tenants(db.reading(named), "bot").await, [named.uuid()]);
        }
        let mut session = db.for_tenant(tenant).await.unwrap();
        backends.push(check(&mut session, tenant).await);
        drop(session);
        assert_eq!(visible_tenants(db.reading(other), "bot").await, [other.uuid()]);
        backends.push(read_backend(db.reading(tenant)).await);
        let mut committed = db.begin(tenant).await.unwrap();
        backends.push(check(&mut committed, tenant).await);
        committed.commit().await.unwrap();
        backends.push(check(&mut db.for_tenant(other).await.unwrap(), other).await);
        let mut dropped = db.begin(tenant).await.unwrap();
        backends.push(check(&mut dropped, tenant).await);
        drop(dropped);
        backends.push(check(&mut db.for_tenant(other).await.unwrap(), other).await);
        let mut failed = db.begin(tenant).await.unwrap();
        sqlx::query("select 1 / 0").execute(&mut **failed).await.unwrap_err();
        drop(failed);
        backends.push(check(&mut db.begin(other).await.unwrap(), other).await);
    }
    backends.dedup();
    assert_eq!(backends.len(), 1, "more than one connection: {backends:?}");
    // A cancelled wait for the connection changes nothing.
    let held = db.for_tenant(mine).await.unwrap();
    let wait = tokio::time::timeout(std::time::Duration::from_millis(50), db.for_tenant(other)).await;
    assert!(wait.is_err());
    drop(held);
    check(&mut db.for_tenant(other).await.unwrap(), other).await;
    app.end().await;
}
