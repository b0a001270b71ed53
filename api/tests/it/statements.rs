//! No operation runs a statement per row: the number of statements is small and independent of the number of
//! rows.
//!
//! Counts the statements that sqlx logs, including `commit` and the one that sets a connection's tenant, but
//! not `begin`. Excludes statements that not every request runs: the lookup of an uncached key and, on a new
//! connection, its settings and sqlx's queries of types.

use parlance_core::ids::TenantId;
use parlance_core::tenants::{self, Plan};
use parlance_testing::sqlx::{self, AssertSqlSafe};
use parlance_testing::{Answer, Client, TestApp, recorded_request_id, recorded_statements, text_of};
use reqwest::Method;
use serde_json::json;

use crate::fixture::{Fixture, TestRequest, is_consumed};
use crate::spec::{destructive_last, operations};
use crate::{run_jobs, start_app};

/// Maximum number of statements of a request.
const MAX_STATEMENTS: usize = 16;

/// Parts of the excluded statements.
const EXCLUDED: [&str; 3] = ["from api_key join tenant", "set plan_cache_mode", "pg_catalog.pg_type"];

/// A tenant with few or many rows of everything.
struct TestTenant {
    tenant: TenantId,
    http: Client,
    /// Number of copies of each row.
    copies: i32,
}

impl TestTenant {
    async fn create(app: &TestApp, copies: i32) -> Self {
        let (tenant, http) = app.another_tenant().await;
        tenants::set_plan(&app.ctx, tenant, Plan::Enterprise).await.unwrap();
        Self { tenant, http, copies }
    }

    /// A new fixture, with copies of its rows.
    async fn fixture(&self, app: &TestApp) -> Fixture {
        let fixture = Fixture::create(&self.http).await;
        let path = format!("/conversations/{}/messages", fixture.id("session_id"));
        self.http.post(&path, json!({"message": "And where?"})).await.data(200);
        run_jobs(app).await;
        let conversation =
            format!("tenant_id = '{}' and session_id = '{}'", self.tenant, fixture.id("session_id"));
        let of_session = format!("conversation_id in (select id from conversation where {conversation})");
        let of_source = format!("source_id = '{}'", fixture.id("source_id"));
        let id = |name| format!("id = '{}'", fixture.id(name));
        for (table, condition, changes) in [
            ("bot", id("bot_id"), "'name', 'Bot ' || i, 'is_default', false"),
            ("api_key", id("key_id"), r"'hash', '\x' || md5(gen_random_uuid()::text)"),
            (
                "conversation",
                conversation,
                "'session_id', gen_random_uuid(), 'channel', (array['webchat', 'slack', 'email'])[1 + i % 3], \
                 'status', (array['active', 'ended', 'abandoned'])[1 + i % 3]",
            ),
            ("message", of_session, "'created_at', row.created_at - i * interval '1 hour'"),
            ("knowledge_gap", format!("tenant_id = '{}'", self.tenant), "'group_id', gen_random_uuid()"),
            ("source", id("source_id"), r"'content_hash', '\x' || md5(gen_random_uuid()::text)"),
            ("chunk", of_source.clone(), "'ordinal', row.ordinal + 1000 * i"),
            (
                "job",
                of_source.clone(),
                "'state', 'queued', 'finished_at', null, 'not_before', now() + interval '1 day'",
            ),
        ] {
            self.copy(app, table, &condition, changes).await;
        }
        let counts = format!(
            "with counted as (update source set live_chunks = live_chunks + {0} where {1}) \
             update source_version set chunk_count = chunk_count + {0} where {of_source}",
            self.copies,
            id("source_id"),
        );
        app.execute(&counts).await;
        // A queued job, to be cancelled.
        let queued = self
            .http
            .upload(&fixture.id("bot_id"), "queued.md", format!("# {}\n", fixture.id("job_id")))
            .await;
        fixture.with("cancelJob/job_id", queued.data(201)["job_id"].as_str().unwrap())
    }

    /// Inserts copies of rows with changed columns.
    async fn copy(&self, app: &TestApp, table: &str, condition: &str, changes: &str) {
        let copy = format!(
            "insert into {table} select (jsonb_populate_record(null::{table}, to_jsonb(row) || \
                 jsonb_build_object('id', gen_random_uuid(), {changes}))).* \
             from (select * from {table} where {condition} order by id limit 8) as row, generate_series(1, {}) as i",
            self.copies,
        );
        let copied = sqlx::query(AssertSqlSafe(copy)).execute(app.ctx.db().platform()).await.unwrap();
        assert!(copied.rows_affected() >= self.copies as u64, "{table}: {condition}");
    }

    /// The statements of a successful request. Replaces a fixture that earlier requests consumed.
    async fn statements(
        &self,
        app: &TestApp,
        fixture: &mut Fixture,
        request: impl Fn(&Fixture) -> TestRequest,
    ) -> Vec<String> {
        for is_last in [false, true] {
            // Fills the cache of API keys.
            self.http.get("/tenant/info").await.data(200);
            let (id, request) = (recorded_request_id(), request(fixture));
            let response = request.builder(&self.http).header("X-Request-Id", &id).send().await.unwrap();
            let status = response.status();
            if is_consumed(status) && !is_last {
                *fixture = self.fixture(app).await;
                continue;
            }
            let text = text_of(response).await;
            assert!(status.is_success(), "{} {}: {text}", request.method, request.path);
            let mut statements = recorded_statements(&id);
            statements.retain(|statement| !EXCLUDED.iter().any(|excluded| statement.contains(excluded)));
            // Concurrent statements are logged in any order.
            statements.sort_unstable();
            let tenant = self.tenant.to_string();
            return statements.iter().map(|statement| statement.replace(&tenant, "…")).collect();
        }
        Vec::new()
    }
}

/// The statement names its tenant itself.
#[tokio::test]
async fn a_request_that_reads_takes_one_round_trip() {
    let app = start_app().await;
    let fixture = Fixture::create(&app.http).await;
    run_jobs(&app).await;
    let bot = format!("/bots/{}", fixture.id("bot_id"));
    for path in ["/bots?per_page=20", &bot, "/knowledge/sources", "/tenant/usage"] {
        // Fills the cache of API keys.
        app.http.get("/tenant/info").await.data(200);
        let id = recorded_request_id();
        let request = app.http.request(Method::GET, path).header("X-Request-Id", &id);
        Answer::send(request).await.data(200);
        let mut statements = recorded_statements(&id);
        statements.retain(|statement| !EXCLUDED.iter().any(|excluded| statement.contains(excluded)));
        assert!(
            matches!(&statements[..], [only] if only.ends_with("-- names its tenant")),
            "{path}: {statements:#?}"
        );
    }
    app.end().await;
}

#[tokio::test]
async fn no_operation_runs_a_statement_per_row() {
    let app = start_app().await;
    let (few, many) = (TestTenant::create(&app, 1).await, TestTenant::create(&app, 25).await);
    let mut fixtures = [few.fixture(&app).await, many.fixture(&app).await];
    let mut table = String::new();
    let mut failures = Vec::new();
    for operation in destructive_last(operations()) {
        let bodies = operation.bodies.iter().map(Some).chain(operation.bodies.is_empty().then_some(None));
        for body in bodies {
            let request = |fixture: &Fixture| {
                let request = body.map_or_else(
                    || fixture.request(&operation),
                    |body| fixture.valid_request(&operation, body),
                );
                let paged = operation.parameters("query").any(|parameter| parameter.name == "per_page");
                if paged { request.with_query("per_page", "100") } else { request }
            };
            let mut counted = Vec::new();
            for (tenant, fixture) in [&few, &many].into_iter().zip(&mut fixtures) {
                counted.push(tenant.statements(&app, fixture, request).await);
            }
            let name = format!("{} {}", operation.id, body.map_or("", |body| &body.media));
            table += &format!("{:2} {:2}  {name}\n", counted[0].len(), counted[1].len());
            if counted[0] != counted[1] || counted[0].len() > MAX_STATEMENTS || counted[0].is_empty() {
                failures.push(format!("{name}\n    few: {:#?}\n    many: {:#?}", counted[0], counted[1]));
            }
        }
    }
    eprintln!("statements for few and many rows:\n{table}");
    run_jobs(&app).await;
    app.execute("delete from job where not_before > now()").await;
    app.end().await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
