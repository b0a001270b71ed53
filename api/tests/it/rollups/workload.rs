//! Random workload of customers, tenants and the sweeper.

use parlance_core::conversations;
use parlance_core::ids::TenantId;
use parlance_testing::sqlx;
use parlance_testing::sqlx::AssertSqlSafe;
use parlance_testing::{Client, Stage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use uuid::Uuid;

use crate::work;

/// SQL for a random time within the last 40 days or, with probability 0.2, the last 400.
const EARLIER: &str =
    "now() - random() * case when random() < 0.8 then interval '40 days' else interval '400 days' end";

const CHANNEL: &str = "(array['webchat', 'whatsapp', 'telegram', 'messenger', 'slack', 'email', 'api'])[1 + floor(random() * 7)::integer]";

const STATUS: &str = "(array['active', 'ended', 'abandoned'])[1 + floor(random() * 3)::integer]";

const RATING: &str = "(array['up', 'down', null])[1 + floor(random() * 3)::integer]";

/// Inserts messages and answers with times from 1 ms to 20 s. Answers have any confidence: an unknown answer with
/// one, which no bot gives, must not count as tentative.
const SAY: &str = "
    insert into message (
        id, tenant_id, bot_id, conversation_id, sender, message, answered, confidence, timings_ms, created_at
    )
    select gen_random_uuid(), talk.tenant_id, bot_id, talk.id, sender, 'Text',
        case when sender = 'bot' and not welcome then random() < 0.7 end,
        case when sender = 'bot' then (array['high', 'low', null])[1 + floor(random() * 3)::integer] end,
        case when sender = 'bot' and not welcome then jsonb_build_object('total', exp(random() * ln(20000))) end,
        started_at + random() * (now() - started_at)
    from (select * from conversation where {which} order by random() limit {most}) as talk
    cross join (values ('user', false), ('bot', false), ('bot', true)) as said (sender, welcome)";

/// The workload of one tenant.
pub(super) struct Workload<'a> {
    stage: &'a Stage,
    tenant: TenantId,
    http: Client,
    random: StdRng,
    made: usize,
}

impl<'a> Workload<'a> {
    /// Starts with two bots.
    pub(super) async fn start(stage: &'a Stage, tenant: TenantId, http: &Client, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        let mut workload = Self { stage, tenant, http: http.clone(), random, made: 0 };
        workload.make_bot().await;
        workload.make_bot().await;
        workload
    }

    /// Runs one random action and returns its description.
    pub(super) async fn step(&mut self) -> String {
        let tenant = self.tenant;
        let most = self.random.random_range(1..=6);
        let some = |table: &str| {
            format!(
                "id in (select id from {table} where tenant_id = '{tenant}' order by random() limit {most})"
            )
        };
        let (what, rows) = match self.random.random_range(0..100) {
            0..20 => ("opened", self.open(most * 3).await),
            20..42 => {
                let say = SAY
                    .replace("{which}", &format!("tenant_id = '{tenant}'"))
                    .replace("{most}", &most.to_string());
                ("said", self.execute(&say).await)
            }
            42..48 => ("said through the API", self.say().await),
            48..58 => {
                let judge = format!(
                    "update message set feedback = {RATING} where answered is not null and tenant_id = '{tenant}' and random() < 0.2"
                );
                ("judged", self.execute(&judge).await)
            }
            58..66 => {
                let change = format!(
                    "update conversation set status = {STATUS}, channel = {CHANNEL} where {}",
                    some("conversation")
                );
                ("changed", self.execute(&change).await)
            }
            66..72 => {
                let moved =
                    format!("update conversation set started_at = {EARLIER} where {}", some("conversation"));
                ("moved", self.execute(&moved).await)
            }
            72..76 => (
                "erased",
                self.execute(&format!("delete from conversation where {}", some("conversation"))).await,
            ),
            76..78 => {
                let idle = format!(
                    "update conversation set last_message_at = {EARLIER} where {}",
                    some("conversation")
                );
                self.execute(&idle).await;
                ("abandoned", conversations::abandon_idle(&self.stage.ctx).await.unwrap())
            }
            78..86 => ("uploaded", self.upload().await),
            86..89 => ("replaced a source", self.replace_source().await),
            89..92 => ("deleted a source", self.delete_source().await),
            92..95 => {
                work(self.stage).await;
                ("worked", 0)
            }
            95..98 => ("made a bot", self.make_bot().await),
            _ => ("deleted a bot", self.delete_bot().await),
        };
        format!("{what} ({rows})")
    }

    /// Adds enough conversations that no compared figure is empty.
    pub(super) async fn add_conversations(&mut self) {
        self.open(60).await;
        let say = SAY.replace("{which}", &format!("tenant_id = '{}'", self.tenant)).replace("{most}", "1000");
        self.execute(&say).await;
    }

    /// Runs a statement with `random()` seeded from the workload's seed.
    async fn execute(&mut self, statement: &str) -> u64 {
        let mut db = self.stage.ctx.db().platform().acquire().await.unwrap();
        let seed: f64 = self.random.random_range(-1.0..1.0);
        sqlx::query("select setseed($1)").bind(seed).execute(&mut *db).await.unwrap();
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut *db).await;
        assert!(done.is_ok(), "{statement}: {done:?}");
        done.unwrap().rows_affected()
    }

    async fn open(&mut self, most: u64) -> u64 {
        let tenant = self.tenant;
        let open = format!(
            "insert into conversation (id, tenant_id, bot_id, session_id, channel, status, started_at) \
             select gen_random_uuid(), '{tenant}', bot.id, gen_random_uuid(), {CHANNEL}, {STATUS}, {EARLIER} \
             from generate_series(1, {most}) as i \
             cross join lateral ( \
                 select id from bot where tenant_id = '{tenant}' and deleted_at is null order by random() + i limit 1 \
             ) as bot"
        );
        self.execute(&open).await
    }

    /// Sends a message to an existing or a new session, whose bot may be deleted.
    async fn say(&mut self) -> u64 {
        let session = format!("session-{}", self.random.random_range(0..12));
        let bot = self.one("bot", "deleted_at is null").await;
        let message = json!({"message": "Is it open?", "bot_id": bot});
        let said = self.http.post(&format!("/conversations/{session}/messages"), message).await;
        if said.status == 409 {
            assert_eq!(said.error(409), "conversation_ended");
            self.http.delete(&format!("/conversations/{session}")).await.data(200);
            return 0;
        }
        let answer = said.data(200)["bot_response"]["id"].as_str().unwrap();
        let path = format!("/conversations/{session}/messages/{answer}/feedback");
        for rating in [json!("up"), json!("down"), json!(null)] {
            if self.random.random_bool(0.5) {
                self.http.post(&path, json!({"rating": rating})).await.data(200);
            }
        }
        if self.random.random_bool(0.3) {
            self.http.patch(&format!("/conversations/{session}"), json!({"status": "ended"})).await.data(200);
        }
        1
    }

    /// A random row of the tenant, if there is one.
    async fn one(&mut self, table: &str, which: &str) -> Option<Uuid> {
        let query = format!("select id from {table} where tenant_id = $1 and {which} order by id");
        let found = sqlx::query_scalar(AssertSqlSafe(query)).bind(self.tenant.uuid());
        let found: Vec<Uuid> = found.fetch_all(self.stage.ctx.db().platform()).await.unwrap();
        (!found.is_empty()).then(|| found[self.random.random_range(0..found.len())])
    }

    /// A unique text of one to four chunks.
    fn text(&mut self) -> String {
        self.made += 1;
        let chapters = self.random.random_range(1..=4);
        let chapter =
            |number| format!("# Chapter {number} of {}\n\n{}\n\n", self.made, "Words and words. ".repeat(60));
        (1..=chapters).map(chapter).collect()
    }

    async fn upload(&mut self) -> u64 {
        let Some(bot) = self.one("bot", "deleted_at is null").await else { return 0 };
        let text = self.text();
        self.http.upload(&bot.to_string(), "text.md", text).await.data(201);
        1
    }

    async fn replace_source(&mut self) -> u64 {
        let Some(source) = self.source().await else { return 0 };
        let file = reqwest::multipart::Part::bytes(self.text().into_bytes()).file_name("text.md");
        let form = reqwest::multipart::Form::new().part("file", file);
        let request = self.http.request(reqwest::Method::PUT, &format!("/knowledge/sources/{source}"));
        parlance_testing::Answer::of(request.multipart(form)).await.data(200);
        1
    }

    async fn delete_source(&mut self) -> u64 {
        let Some(source) = self.source().await else { return 0 };
        self.http.delete(&format!("/knowledge/sources/{source}")).await.data(200);
        1
    }

    async fn source(&mut self) -> Option<Uuid> {
        let there = "deleted_at is null and bot_id in (select id from bot where bot.deleted_at is null)";
        self.one("source", there).await
    }

    async fn make_bot(&mut self) -> u64 {
        let bot = json!({"name": "Bot", "channel_type": "webchat", "welcome_message": "Hello"});
        self.http.post("/bots", bot).await.data(201);
        1
    }

    /// Deletes any bot but the last; a job purges its rows at once or later.
    async fn delete_bot(&mut self) -> u64 {
        let another = format!(
            "deleted_at is null and exists (select 1 from bot as other where other.tenant_id = '{}' and other.id <> bot.id and other.deleted_at is null)",
            self.tenant
        );
        let Some(bot) = self.one("bot", &another).await else { return 0 };
        self.http.delete(&format!("/bots/{bot}")).await.data(200);
        if self.random.random_bool(0.5) {
            work(self.stage).await;
        }
        1
    }
}
