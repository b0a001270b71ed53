//! A random workload: actions of customers, tenants and the sweeper in any order.

use parlance_core::conversations;
use parlance_core::ids::TenantId;
use parlance_testing::sqlx;
use parlance_testing::sqlx::AssertSqlSafe;
use parlance_testing::{Client, TestApp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use uuid::Uuid;

use crate::run_jobs;

/// SQL: a random time of the last 40 days or, one time in five, of the last 400.
const EARLIER: &str =
    "now() - random() * case when random() < 0.8 then interval '40 days' else interval '400 days' end";

const CHANNEL: &str = "(array['webchat', 'whatsapp', 'telegram', 'messenger', 'slack', 'email', 'api'])[1 + floor(random() * 7)::integer]";

const STATUS: &str = "(array['active', 'ended', 'abandoned'])[1 + floor(random() * 3)::integer]";

const RATING: &str = "(array['up', 'down', null])[1 + floor(random() * 3)::integer]";

/// SQL: messages, answers and their times, from a millisecond to 20 seconds. Answers have any confidence: an
/// unknown answer with a confidence, which no bot produces, must not count as tentative.
const ADD_MESSAGES: &str = "
    insert into message (
        id, tenant_id, bot_id, conversation_id, sender, message, answered, confidence, timings_ms, created_at
    )
    select gen_random_uuid(), talk.tenant_id, bot_id, talk.id, sender, 'Text',
        case when sender = 'bot' and not welcome then random() < 0.7 end,
        case when sender = 'bot' then (array['high', 'low', null])[1 + floor(random() * 3)::integer] end,
        case when sender = 'bot' and not welcome then jsonb_build_object('total', exp(random() * ln(20000))) end,
        started_at + random() * (now() - started_at)
    from (select * from conversation where {which} order by random() limit {limit}) as talk
    cross join (values ('user', false), ('bot', false), ('bot', true)) as said (sender, welcome)";

/// The workload of one tenant.
pub(super) struct Workload<'a> {
    app: &'a TestApp,
    tenant: TenantId,
    http: Client,
    random: StdRng,
    texts: usize,
}

impl<'a> Workload<'a> {
    /// Starts with two bots.
    pub(super) async fn start(app: &'a TestApp, tenant: TenantId, http: &Client, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        let mut workload = Self { app, tenant, http: http.clone(), random, texts: 0 };
        workload.create_bot().await;
        workload.create_bot().await;
        workload
    }

    /// Performs a random action. Returns its description.
    pub(super) async fn step(&mut self) -> String {
        let tenant = self.tenant;
        let limit = self.random.random_range(1..=6);
        let some = |table: &str| {
            format!(
                "id in (select id from {table} where tenant_id = '{tenant}' order by random() limit {limit})"
            )
        };
        let (action, rows) = match self.random.random_range(0..100) {
            0..20 => ("opened", self.open(limit * 3).await),
            20..42 => {
                let statement = ADD_MESSAGES
                    .replace("{which}", &format!("tenant_id = '{tenant}'"))
                    .replace("{limit}", &limit.to_string());
                ("sent", self.execute(&statement).await)
            }
            42..48 => ("sent through the API", self.send().await),
            48..58 => {
                let rate = format!(
                    "update message set feedback = {RATING} where answered is not null and tenant_id = '{tenant}' and random() < 0.2"
                );
                ("rated", self.execute(&rate).await)
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
                ("abandoned", conversations::abandon_idle(&self.app.ctx).await.unwrap())
            }
            78..86 => ("uploaded", self.upload().await),
            86..89 => ("replaced a source", self.replace_source().await),
            89..92 => ("deleted a source", self.delete_source().await),
            92..95 => {
                run_jobs(self.app).await;
                ("ran jobs", 0)
            }
            95..98 => ("created a bot", self.create_bot().await),
            _ => ("deleted a bot", self.delete_bot().await),
        };
        format!("{action} ({rows})")
    }

    /// Adds conversations until no compared count is zero.
    pub(super) async fn add_conversations(&mut self) {
        self.open(60).await;
        let statement = ADD_MESSAGES
            .replace("{which}", &format!("tenant_id = '{}'", self.tenant))
            .replace("{limit}", "1000");
        self.execute(&statement).await;
    }

    /// Runs a statement whose `random()` is seeded.
    async fn execute(&mut self, statement: &str) -> u64 {
        let mut db = self.app.ctx.db().platform().acquire().await.unwrap();
        let seed: f64 = self.random.random_range(-1.0..1.0);
        sqlx::query("select setseed($1)").bind(seed).execute(&mut *db).await.unwrap();
        let result = sqlx::query(AssertSqlSafe(statement)).execute(&mut *db).await;
        assert!(result.is_ok(), "{statement}: {result:?}");
        result.unwrap().rows_affected()
    }

    async fn open(&mut self, count: u64) -> u64 {
        let tenant = self.tenant;
        let open = format!(
            "insert into conversation (id, tenant_id, bot_id, session_id, channel, status, started_at) \
             select gen_random_uuid(), '{tenant}', bot.id, gen_random_uuid(), {CHANNEL}, {STATUS}, {EARLIER} \
             from generate_series(1, {count}) as i \
             cross join lateral ( \
                 select id from bot where tenant_id = '{tenant}' and deleted_at is null order by random() + i limit 1 \
             ) as bot"
        );
        self.execute(&open).await
    }

    /// Sends a message to a new or existing session, whose bot may be deleted.
    async fn send(&mut self) -> u64 {
        let session = format!("session-{}", self.random.random_range(0..12));
        let bot = self.pick("bot", "deleted_at is null").await;
        let message = json!({"message": "Is it open?", "bot_id": bot});
        let response = self.http.post(&format!("/conversations/{session}/messages"), message).await;
        if response.status == 409 {
            assert_eq!(response.error(409), "conversation_ended");
            self.http.delete(&format!("/conversations/{session}")).await.data(200);
            return 0;
        }
        let answer = response.data(200)["bot_response"]["id"].as_str().unwrap();
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

    /// The id of a random row of the tenant.
    async fn pick(&mut self, table: &str, condition: &str) -> Option<Uuid> {
        let query = format!("select id from {table} where tenant_id = $1 and {condition} order by id");
        let ids = sqlx::query_scalar(AssertSqlSafe(query)).bind(self.tenant.uuid());
        let ids: Vec<Uuid> = ids.fetch_all(self.app.ctx.db().platform()).await.unwrap();
        (!ids.is_empty()).then(|| ids[self.random.random_range(0..ids.len())])
    }

    /// A unique text of one to four chunks.
    fn text(&mut self) -> String {
        self.texts += 1;
        let chapters = self.random.random_range(1..=4);
        let chapter = |number| {
            format!("# Chapter {number} of {}\n\n{}\n\n", self.texts, "Words and words. ".repeat(60))
        };
        (1..=chapters).map(chapter).collect()
    }

    async fn upload(&mut self) -> u64 {
        let Some(bot) = self.pick("bot", "deleted_at is null").await else { return 0 };
        let text = self.text();
        self.http.upload(&bot.to_string(), "text.md", text).await.data(201);
        1
    }

    async fn replace_source(&mut self) -> u64 {
        let Some(source) = self.source().await else { return 0 };
        let file = reqwest::multipart::Part::bytes(self.text().into_bytes()).file_name("text.md");
        let form = reqwest::multipart::Form::new().part("file", file);
        let request = self.http.request(reqwest::Method::PUT, &format!("/knowledge/sources/{source}"));
        parlance_testing::Answer::send(request.multipart(form)).await.data(200);
        1
    }

    async fn delete_source(&mut self) -> u64 {
        let Some(source) = self.source().await else { return 0 };
        self.http.delete(&format!("/knowledge/sources/{source}")).await.data(200);
        1
    }

    async fn source(&mut self) -> Option<Uuid> {
        let existing = "deleted_at is null and bot_id in (select id from bot where bot.deleted_at is null)";
        self.pick("source", existing).await
    }

    async fn create_bot(&mut self) -> u64 {
        let bot = json!({"name": "Bot", "channel_type": "webchat", "welcome_message": "Hello"});
        self.http.post("/bots", bot).await.data(201);
        1
    }

    /// Deletes a bot, unless it is the last one. A job purges its rows, now or later.
    async fn delete_bot(&mut self) -> u64 {
        let not_the_last = format!(
            "deleted_at is null and exists (select 1 from bot as other where other.tenant_id = '{}' and other.id <> bot.id and other.deleted_at is null)",
            self.tenant
        );
        let Some(bot) = self.pick("bot", &not_the_last).await else { return 0 };
        self.http.delete(&format!("/bots/{bot}")).await.data(200);
        if self.random.random_bool(0.5) {
            run_jobs(self.app).await;
        }
        1
    }
}
