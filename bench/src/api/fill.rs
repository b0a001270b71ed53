//! Tenants and what they have, written with SQL: many of each kind in one statement. Nothing is switched
//! off for it: every index, foreign key and trigger does its work.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use parlance_core::Context;
use parlance_core::analytics;
use parlance_core::ids::TenantId;
use parlance_core::tenants::{Plan, keys};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Bots of each of the many tenants.
pub(super) const BOTS: i32 = 10;

/// Keys that are made at once.
const AT_ONCE: usize = 8;

/// Conversations that one statement writes.
const BATCH: i64 = 500_000;

/// Statements that run at once.
const WRITERS: usize = 2;

/// Days over which conversations are spread.
const DAYS: i64 = 90;

/// How often it is asked whether the workers have folded.
const LOOK: Duration = Duration::from_millis(500);

/// A tenant, and the key that it calls with.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) tenant: TenantId,
    pub(super) key: String,
}

/// Tenants with [`BOTS`] bots each: the second bots of all come after the first of all, as in life.
pub(super) async fn tenants(ctx: &Context, count: i32) -> anyhow::Result<Vec<Customer>> {
    let (db, begun) = (ctx.db().platform(), Instant::now());
    let tenants: Vec<Uuid> = sqlx::query_scalar(
        r"
        insert into tenant (id, name, plan, bot_count)
        select uuidv7(), 'Company ' || n, 'professional', $2
        from generate_series(1, $1) as n
        returning id
        ",
    )
    .bind(count)
    .bind(BOTS)
    .fetch_all(db)
    .await?;
    sqlx::query(
        r"
        insert into bot (
            id, tenant_id, name, channel_type, description, welcome_message, is_default, personality, bot_role
        )
        select uuidv7(), tenant_id, 'Assistant ' || n, (array['webchat', 'whatsapp', 'email'])[1 + n % 3],
            'Answers what customers ask about orders, deliveries and returns.',
            'Hello! What can I do for you today?', n = 1, 'friendly', 'customer_support'
        from generate_series(1, $2) as n
        cross join unnest($1::uuid[]) as tenant_id
        order by n
        ",
    )
    .bind(&tenants)
    .bind(BOTS)
    .execute(db)
    .await?;
    let customers = customers(ctx, tenants).await?;
    settle(db).await?;
    crate::say(&format!("filled {count} tenants with {BOTS} bots each in {:.1?}", begun.elapsed()));
    Ok(customers)
}

/// Gives each tenant a key, as operators do.
async fn customers(ctx: &Context, tenants: Vec<Uuid>) -> anyhow::Result<Vec<Customer>> {
    let (mut making, mut customers) = (JoinSet::new(), Vec::with_capacity(tenants.len()));
    for tenant in tenants {
        if making.len() >= AT_ONCE
            && let Some(made) = making.join_next().await
        {
            customers.push(made??);
        }
        making.spawn(customer(ctx.clone(), tenant.into()));
    }
    while let Some(made) = making.join_next().await {
        customers.push(made??);
    }
    Ok(customers)
}

async fn customer(ctx: Context, tenant: TenantId) -> anyhow::Result<Customer> {
    let (_, key) = keys::create(&ctx, tenant, &keys::KeyRequest::full("Bench")?).await?;
    Ok(Customer { tenant, key: key.expose().to_owned() })
}

/// A tenant that has talked.
#[derive(Clone, Debug)]
pub(super) struct Talked {
    pub(super) customer: Customer,
    pub(super) bots: Vec<Uuid>,
    pub(super) conversations: i64,
}

/// A tenant with three bots that had so many conversations over three months, and as many messages: every
/// second conversation has a question and its answer.
pub(super) async fn talked(ctx: &Context, database_url: &str, conversations: i64) -> anyhow::Result<Talked> {
    let (db, begun) = (ctx.db().platform(), Instant::now());
    let name = format!("Company with {conversations} conversations");
    let tenant = parlance_core::tenants::create(ctx, &name, Plan::Enterprise).await?.id;
    let bots: Vec<Uuid> = sqlx::query_scalar(
        r"
        with made as (
            insert into bot (id, tenant_id, name, channel_type, is_default)
            select uuidv7(), $1, 'Assistant ' || n, 'webchat', n = 1 from generate_series(1, 3) as n
            returning id
        ), counted as (update tenant set bot_count = 3 where id = $1)
        select id from made
        ",
    )
    .bind(tenant.uuid())
    .fetch_all(db)
    .await?;

    let (mut writing, now) = (JoinSet::new(), Utc::now());
    let mut took = Took::default();
    for first in (0..conversations).step_by(usize::try_from(BATCH)?) {
        if writing.len() >= WRITERS
            && let Some(written) = writing.join_next().await
        {
            took.add(written??);
        }
        let url = database_url.to_owned();
        let part = Part {
            tenant,
            bots: bots.clone(),
            all: conversations,
            first,
            begin: now - TimeDelta::days(DAYS),
        };
        writing.spawn(async move { part.write(&url).await });
    }
    while let Some(written) = writing.join_next().await {
        took.add(written??);
    }
    let written = begun.elapsed();
    let deltas = fold(ctx).await?;
    let folded = begun.elapsed();
    settle(db).await?;
    crate::say(&format!(
        "filled {conversations} conversations and as many messages in {:.1?}: writing {written:.1?} \
         ({:.1?} for conversations and {:.1?} for messages, {WRITERS} at once), folding the last {deltas} \
         deltas {:.1?}, vacuum {:.1?}",
        begun.elapsed(),
        took.conversations,
        took.messages,
        folded - written,
        begun.elapsed() - folded,
    ));
    Ok(Talked { customer: customer(ctx.clone(), tenant).await?, bots, conversations })
}

/// What statements took, one after the other.
#[derive(Clone, Copy, Default)]
struct Took {
    conversations: Duration,
    messages: Duration,
}

impl Took {
    fn add(&mut self, other: Self) {
        self.conversations += other.conversations;
        self.messages += other.messages;
    }
}

/// Some of a tenant's conversations, in the order of time.
struct Part {
    tenant: TenantId,
    bots: Vec<Uuid>,
    all: i64,
    first: i64,
    begin: DateTime<Utc>,
}

/// Ids that sort by time, and that a message finds its conversation by.
const ID: &str = r"
    create function pg_temp.id_of(moment timestamptz, kind int, n bigint) returns uuid
    language sql immutable
    return (
        lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7'
        || lpad(to_hex(n & 4095), 3, '0') || '8' || kind::text || lpad(to_hex(n), 14, '0')
    )::uuid
";

/// Of 101, one goes on and nine were abandoned; of 103, one took place on Slack.
const CONVERSATIONS: &str = r"
    insert into conversation (
        id, tenant_id, bot_id, session_id, user_name, channel, status, started_at, ended_at, last_message_at,
        created_at
    )
    select pg_temp.id_of(moment, $7, n), $1, ($2::uuid[])[1 + n % 3], 'session-' || n, 'Customer ' || n % 100000,
        case when n % 103 = 0 then 'slack' when n % 103 < 24 then 'whatsapp' else 'webchat' end,
        case when n % 101 = 0 then 'active' when n % 101 < 10 then 'abandoned' else 'ended' end,
        moment, case when n % 101 >= 10 then moment + interval '5 minutes' end,
        case when n % 101 = 0 then now() else moment end, moment
    from generate_series($3::bigint, $4::bigint) as n
    cross join lateral (select $6::timestamptz + n * (interval '90 days' / $5::float8) as moment) as times
";

/// Answers take a second, give or take; one of twenty is unknown, one of ten tentative, one of fifty is judged.
const MESSAGES: &str = r#"
    insert into message (
        id, tenant_id, bot_id, conversation_id, sender, message, answered, confidence, degraded, timings_ms,
        feedback, created_at
    )
    select pg_temp.id_of(moment, $7 + 2 + said.place, n), $1, ($2::uuid[])[1 + n % 3],
        pg_temp.id_of(moment, $7, n), said.sender, said.text, said.answered, said.confidence, said.degraded,
        said.timings, said.feedback, moment + said.place * interval '2 seconds'
    from generate_series($3::bigint, $4::bigint) as n
    cross join lateral (select $6::timestamptz + n * (interval '90 days' / $5::float8) as moment) as times
    cross join lateral (
        values
            (0, 'user', 'Where is my order ' || n || '?', null::boolean, null, null::boolean, null::jsonb,
                null),
            (1, 'bot', 'Order ' || n || ' left our warehouse and arrives within two days.', n % 40 <> 0,
                case when n % 40 = 0 then null when n % 20 = 2 then 'low' else 'high' end, false,
                jsonb_build_object('embed', 4, 'search', 9, 'first_token', 200,
                    'total', round((1000 * exp(random_normal(0, 0.6)))::numeric, 1)),
                case when n % 100 = 2 then 'up' when n % 200 = 4 then 'down' end)
    ) as said (place, sender, text, answered, confidence, degraded, timings, feedback)
    where n % 2 = 0
"#;

impl Part {
    async fn write(&self, database_url: &str) -> anyhow::Result<Took> {
        let mut db = PgConnection::connect(database_url).await?;
        sqlx::query(ID).execute(&mut db).await?;
        let conversations = self.run(&mut db, CONVERSATIONS).await?;
        let messages = self.run(&mut db, MESSAGES).await?;
        db.close().await?;
        Ok(Took { conversations, messages })
    }

    async fn run(&self, db: &mut PgConnection, statement: &'static str) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        // Conversations of two tenants that begin in the same millisecond differ in their size.
        let kind = if self.all > BATCH { 1 } else { 5 };
        sqlx::query(statement)
            .bind(self.tenant.uuid())
            .bind(&self.bots)
            .bind(self.first)
            .bind((self.first + BATCH).min(self.all) - 1)
            .bind(self.all as f64)
            .bind(self.begin)
            .bind(kind)
            .execute(db)
            .await?;
        Ok(begun.elapsed())
    }
}

/// Folds every delta, with the workers or in their place; gives how many there were.
async fn fold(ctx: &Context) -> anyhow::Result<i64> {
    let left = || async {
        sqlx::query_scalar::<_, i64>("select count(*) from rollup_delta").fetch_one(ctx.db().platform()).await
    };
    let all = left().await?;
    loop {
        while analytics::fold(ctx).await? > 0 {}
        if left().await? == 0 {
            return Ok(all);
        }
        // Somebody else folds.
        tokio::time::sleep(LOOK).await;
    }
}

/// What Postgres does by itself after a while, done before anything is timed.
async fn settle(db: &PgPool) -> anyhow::Result<()> {
    sqlx::query("vacuum (analyze)").execute(db).await?;
    Ok(())
}
