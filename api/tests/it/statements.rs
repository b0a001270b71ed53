//! No operation runs a statement for each row: it runs as many for many rows as for few, and few.
//!
//! Counted is what sqlx logs: each statement, the one that names the tenant to a connection and `commit`
//! included, but not `begin`. Not counted is what comes once in a while: whose a key is, when the cache does
//! not know it; and the role of a fresh connection, and what sqlx asks about types on it.

use parlance_core::ids::TenantId;
use parlance_core::tenants::{self, Plan};
use parlance_testing::sqlx::{self, AssertSqlSafe};
use parlance_testing::{Client, Stage, recorded_request_id, recorded_statements, text_of};
use serde_json::json;

use crate::scene::{Asked, Scene, is_used_up};
use crate::spec::{gentle_first, operations};
use crate::{stage, work};

/// The most statements of one request.
const MOST: usize = 16;

/// What is asked once in a while.
const RARE: [&str; 3] = ["from api_key join tenant", "set role parlance_tenant", "pg_catalog.pg_type"];

/// A tenant with two of everything, or with many.
struct House {
    tenant: TenantId,
    http: Client,
    more: i32,
}

impl House {
    async fn build(stage: &Stage, more: i32) -> Self {
        let (tenant, http) = stage.another_tenant().await;
        tenants::set_plan(&stage.ctx, tenant, Plan::Enterprise).await.unwrap();
        Self { tenant, http, more }
    }

    /// A scene with more of everything in it.
    async fn scene(&self, stage: &Stage) -> Scene {
        let scene = Scene::set(&self.http).await;
        let asked = format!("/conversations/{}/messages", scene.id("session_id"));
        self.http.post(&asked, json!({"message": "And where?"})).await.data(200);
        work(stage).await;
        let conversation =
            format!("tenant_id = '{}' and session_id = '{}'", self.tenant, scene.id("session_id"));
        let of_session = format!("conversation_id in (select id from conversation where {conversation})");
        let of_source = format!("source_id = '{}'", scene.id("source_id"));
        let id = |name| format!("id = '{}'", scene.id(name));
        for (table, which, changes) in [
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
            self.copy(stage, table, &which, changes).await;
        }
        let counts = format!(
            "with counted as (update source set live_chunks = live_chunks + {0} where {1}) \
             update source_version set chunk_count = chunk_count + {0} where {of_source}",
            self.more,
            id("source_id"),
        );
        stage.execute(&counts).await;
        // A job that waits yet, to be cancelled.
        let waits =
            self.http.upload(&scene.id("bot_id"), "waits.md", format!("# {}\n", scene.id("job_id"))).await;
        scene.with("cancelJob/job_id", waits.data(201)["job_id"].as_str().unwrap())
    }

    /// Copies rows, each as often as there is to be more of it.
    async fn copy(&self, stage: &Stage, table: &str, which: &str, changes: &str) {
        let copy = format!(
            "insert into {table} select (jsonb_populate_record(null::{table}, to_jsonb(row) || \
                 jsonb_build_object('id', gen_random_uuid(), {changes}))).* \
             from (select * from {table} where {which} order by id limit 8) as row, generate_series(1, {}) as i",
            self.more,
        );
        let copied = sqlx::query(AssertSqlSafe(copy)).execute(stage.ctx.db().platform()).await.unwrap();
        assert!(copied.rows_affected() >= self.more as u64, "{table}: {which}");
    }

    /// The statements of a request that succeeds; in a new scene, when the last one is used up.
    async fn statements(
        &self,
        stage: &Stage,
        scene: &mut Scene,
        ask: impl Fn(&Scene) -> Asked,
    ) -> Vec<String> {
        for last in [false, true] {
            // The cache knows the key from here on.
            self.http.get("/tenant/info").await.data(200);
            let (id, asked) = (recorded_request_id(), ask(scene));
            let response = asked.request(&self.http).header("X-Request-Id", &id).send().await.unwrap();
            let status = response.status();
            if is_used_up(status) && !last {
                *scene = self.scene(stage).await;
                continue;
            }
            let text = text_of(response).await;
            assert!(status.is_success(), "{} {}: {text}", asked.method, asked.path);
            let mut statements = recorded_statements(&id);
            statements.retain(|statement| !RARE.iter().any(|rare| statement.contains(rare)));
            // What runs at once is logged in any order.
            statements.sort_unstable();
            let tenant = self.tenant.to_string();
            return statements.iter().map(|statement| statement.replace(&tenant, "…")).collect();
        }
        Vec::new()
    }
}

#[tokio::test]
async fn no_operation_runs_a_statement_per_row() {
    let stage = stage().await;
    let (few, many) = (House::build(&stage, 1).await, House::build(&stage, 25).await);
    let mut scenes = [few.scene(&stage).await, many.scene(&stage).await];
    let mut table = String::new();
    let mut wrong = Vec::new();
    for operation in gentle_first(operations()) {
        let bodies = operation.bodies.iter().map(Some).chain(operation.bodies.is_empty().then_some(None));
        for body in bodies {
            let ask = |scene: &Scene| {
                let asked =
                    body.map_or_else(|| scene.ask(&operation), |body| scene.ask_rightly(&operation, body));
                let paged = operation.parameters("query").any(|parameter| parameter.name == "per_page");
                if paged { asked.asking("per_page", "100") } else { asked }
            };
            let mut counted = Vec::new();
            for (house, scene) in [&few, &many].into_iter().zip(&mut scenes) {
                counted.push(house.statements(&stage, scene, ask).await);
            }
            let name = format!("{} {}", operation.id, body.map_or("", |body| &body.media));
            table += &format!("{:2} {:2}  {name}\n", counted[0].len(), counted[1].len());
            if counted[0] != counted[1] || counted[0].len() > MOST || counted[0].is_empty() {
                wrong.push(format!("{name}\n    few: {:#?}\n    many: {:#?}", counted[0], counted[1]));
            }
        }
    }
    eprintln!("statements of few and of many rows:\n{table}");
    work(&stage).await;
    stage.execute("delete from job where not_before > now()").await;
    stage.end().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
