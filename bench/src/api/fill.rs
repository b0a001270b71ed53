//! Fills the database with tenants and their data, with bulk SQL statements.
//!
//! All indexes, foreign keys and triggers are active.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use parlance_core::Context;
use parlance_core::analytics;
use parlance_core::ids::TenantId;
use parlance_core::tenants::{Plan, keys};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Bots per tenant.
pub(super) const BOTS: i32 = 10;

/// Concurrent creations of API keys.
const KEY_TASKS: usize = 8;

/// Conversations per statement.
const BATCH: i64 = 500_000;

/// Concurrent statements.
const WRITERS: usize = 2;

/// Days over which conversations are distributed.
const DAYS: i64 = 90;

/// Interval of polling for the workers' folding.
const POLL: Duration = Duration::from_millis(500);

/// A tenant with an API key.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) tenant: TenantId,
    pub(super) key: String,
}

/// Creates tenants with [`BOTS`] bots each. Every tenant's first bot precedes all second bots, as in
/// production.
pub(super) async fn tenants(ctx: &Context, count: i32) -> anyhow::Result<Vec<Customer>> {
    let (db, started) = (ctx.db().platform(), Instant::now());
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
    crate::progress(&format!("filled {count} tenants with {BOTS} bots each in {:.1?}", started.elapsed()));
    Ok(customers)
}

/// Gives each tenant an API key.
async fn customers(ctx: &Context, tenants: Vec<Uuid>) -> anyhow::Result<Vec<Customer>> {
    let (mut tasks, mut customers) = (JoinSet::new(), Vec::with_capacity(tenants.len()));
    for tenant in tenants {
        if tasks.len() >= KEY_TASKS
            && let Some(customer) = tasks.join_next().await
        {
            customers.push(customer??);
        }
        tasks.spawn(customer(ctx.clone(), tenant.into()));
    }
    while let Some(customer) = tasks.join_next().await {
        customers.push(customer??);
    }
    Ok(customers)
}

async fn customer(ctx: Context, tenant: TenantId) -> anyhow::Result<Customer> {
    let (_, key) = keys::create(&ctx, tenant, &keys::KeyRequest::full("Bench")?).await?;
    Ok(Customer { tenant, key: key.expose().to_owned() })
}

/// A tenant with conversations.
#[derive(Clone, Debug)]
pub(super) struct FilledTenant {
    pub(super) customer: Customer,
    pub(super) bots: Vec<Uuid>,
    pub(super) conversations: i64,
}

/// Creates a tenant with three bots, conversations over three months, and as many messages: every second
/// conversation has a question and its answer.
pub(super) async fn filled_tenant(
    ctx: &Context,
    database_url: &str,
    conversations: i64,
) -> anyhow::Result<FilledTenant> {
    let (db, started) = (ctx.db().platform(), Instant::now());
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

    let (mut tasks, now) = (JoinSet::new(), Utc::now());
    let mut times = WriteTimes::default();
    for first in (0..conversations).step_by(usize::try_from(BATCH)?) {
        if tasks.len() >= WRITERS
            && let Some(written) = tasks.join_next().await
        {
            times.add(written??);
        }
        let url = database_url.to_owned();
        let batch = Batch {
            tenant,
            bots: bots.clone(),
            total: conversations,
            first,
            start: now - TimeDelta::days(DAYS),
        };
        tasks.spawn(async move { batch.write(&url).await });
    }
    while let Some(written) = tasks.join_next().await {
        times.add(written??);
    }
    let written = started.elapsed();
    let deltas = fold(ctx).await?;
    let folded = started.elapsed();
    settle(db).await?;
    crate::progress(&format!(
        "filled {conversations} conversations and as many messages in {:.1?}: writing {written:.1?} \
         ({:.1?} for conversations and {:.1?} for messages, {WRITERS} at once), folding the last {deltas} \
         deltas {:.1?}, vacuum {:.1?}",
        started.elapsed(),
        times.conversations,
        times.messages,
        folded - written,
        started.elapsed() - folded,
    ));
    Ok(FilledTenant { customer: customer(ctx.clone(), tenant).await?, bots, conversations })
}

/// Summed run times of the statements.
#[derive(Clone, Copy, Default)]
struct WriteTimes {
    conversations: Duration,
    messages: Duration,
}

impl WriteTimes {
    fn add(&mut self, other: Self) {
        self.conversations += other.conversations;
        self.messages += other.messages;
    }
}

/// A batch of a tenant's conversations, in order of time.
struct Batch {
    tenant: TenantId,
    bots: Vec<Uuid>,
    total: i64,
    first: i64,
    start: DateTime<Utc>,
}

/// Builds ids that sort by time. The same arguments give the same id, so a message can compute its
/// conversation's.
const ID: &str = r"
    create function pg_temp.id_of(moment timestamptz, kind int, n bigint) returns uuid
    language sql immutable
    return (
        lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7'
        || lpad(to_hex(n & 4095), 3, '0') || '8' || kind::text || lpad(to_hex(n), 14, '0')
    )::uuid
";

/// Out of 101 conversations one is active and nine were abandoned; out of 103, one was on Slack.
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

/// Answers take about a second. One of 20 is unknown, one of 10 tentative, one of 50 has feedback.
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

impl Batch {
    async fn write(&self, database_url: &str) -> anyhow::Result<WriteTimes> {
        let mut db = PgConnection::connect(database_url).await?;
        sqlx::query(ID).execute(&mut db).await?;
        let conversations = self.run(&mut db, CONVERSATIONS).await?;
        let messages = self.run(&mut db, MESSAGES).await?;
        db.close().await?;
        Ok(WriteTimes { conversations, messages })
    }

    async fn run(&self, db: &mut PgConnection, statement: &'static str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        // Distinct per tenant size: ids of conversations that start in the same millisecond must differ.
        let kind = if self.total > BATCH { 1 } else { 5 };
        sqlx::query(statement)
            .bind(self.tenant.uuid())
            .bind(&self.bots)
            .bind(self.first)
            .bind((self.first + BATCH).min(self.total) - 1)
            .bind(self.total as f64)
            .bind(self.start)
            .bind(kind)
            .execute(db)
            .await?;
        Ok(started.elapsed())
    }
}

/// Folds all deltas, concurrently with the workers. Returns their initial number.
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
        // The workers fold the rest.
        tokio::time::sleep(POLL).await;
    }
}

/// Runs vacuum and analyze now, which autovacuum would do later, during the measurement.
async fn settle(db: &PgPool) -> anyhow::Result<()> {
    sqlx::query("vacuum (analyze)").execute(db).await?;
    Ok(())
}
