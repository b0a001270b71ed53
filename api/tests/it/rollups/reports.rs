//! Compares the API with a full count of the tables.

use std::collections::BTreeMap;

use parlance_core::ids::TenantId;
use parlance_testing::sqlx;
use parlance_testing::{Client, TestApp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Time zones: UTC, an offset of 45 minutes, daylight saving, and daylight saving of half an hour.
const ZONES: [&str; 4] = ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"];

/// Periods in days, from today only to the maximum.
const PERIODS: [i32; 6] = [1, 2, 9, 30, 100, 365];

/// Numbers of conversations by bot, status and channel, without deleted bots.
type Counts = Vec<(Uuid, String, String, i64)>;

/// Panics when a report differs from the tables.
pub(super) async fn check_analytics(app: &TestApp, tenant: TenantId, http: &Client) {
    let bots: Vec<Uuid> = sqlx::query_scalar("select id from bot where tenant_id = $1")
        .bind(tenant.uuid())
        .fetch_all(app.ctx.db().platform())
        .await
        .unwrap();
    for zone in ZONES {
        for days in PERIODS {
            check_overview(app, tenant, http, zone, days).await;
            check_conversations(app, tenant, http, zone, days, None).await;
        }
        for bot in &bots {
            check_conversations(app, tenant, http, zone, 30, Some(*bot)).await;
        }
    }
}

/// The data of a response and its date: repeats a request that spans midnight.
async fn on_one_day(app: &TestApp, http: &Client, path: &str, zone: &str) -> (Value, chrono::NaiveDate) {
    let today = async || {
        sqlx::query_scalar("select (now() at time zone $1)::date")
            .bind(zone)
            .fetch_one(app.ctx.db().platform())
            .await
            .unwrap()
    };
    loop {
        let (date, response) = (today().await, http.get(path).await);
        if today().await == date {
            return (response.data(200).clone(), date);
        }
    }
}

async fn check_overview(app: &TestApp, tenant: TenantId, http: &Client, zone: &str, days: i32) {
    let path = format!("/analytics/overview?period={days}&timezone={zone}");
    let (mut reported, today) = on_one_day(app, http, &path, zone).await;
    let query = "
        with mine as (select * from bot where tenant_id = $1 and deleted_at is null),
        talk as (
            select *, (started_at at time zone $2)::date > $3 - $4::integer as recent
            from conversation where bot_id in (select id from mine)
        ),
        said as (
            select * from message
            where bot_id in (select id from mine) and (created_at at time zone $2)::date > $3 - $4::integer
        ),
        times as (
            select (timings_ms ->> 'total')::double precision as ms, row_number() over (order by (timings_ms ->> 'total')::double precision) - 1 as rank,
                count(*) over () as n
            from said where answered is not null
        )
        select jsonb_build_object(
            'total_bots', (select count(*) from mine),
            'total_conversations', (select count(*) from talk where recent),
            'total_messages', (select count(*) from said where sender = 'user' or answered is not null),
            'active_conversations', (select count(*) from talk where status = 'active'),
            'period_days', $4::integer,
            'answered_messages', (select count(*) from said where answered),
            'unanswered_messages', (select count(*) from said where not answered),
            'tentative_messages', (select count(*) from said where answered and confidence = 'low'),
            'feedback', jsonb_build_object(
                'up', (select count(*) from said where feedback = 'up'),
                'down', (select count(*) from said where feedback = 'down')
            ),
            'answer_time_ms', jsonb_build_object(
                'median', (select ms from times where rank = floor(0.5 * (n - 1))),
                'p95', (select ms from times where rank = floor(0.95 * (n - 1)))
            ),
            'knowledge', jsonb_build_object(
                'sources', (select count(*) from source where bot_id in (select id from mine) and deleted_at is null),
                'chunks', (
                    select count(*) from chunk
                    join source on source.id = source_id and chunk.version = live_version and deleted_at is null
                    where source.bot_id in (select id from mine)
                )
            )
        )";
    let mut counted: Value = sqlx::query_scalar(query)
        .bind(tenant.uuid())
        .bind(zone)
        .bind(today)
        .bind(days)
        .fetch_one(app.ctx.db().platform())
        .await
        .unwrap();
    for field in ["answered_messages", "tentative_messages"] {
        assert!(days < 30 || counted[field].as_i64() > Some(0), "{field}: {counted}");
    }
    for percentile in ["median", "p95"] {
        let [reported, counted] =
            [&mut reported, &mut counted].map(|all| all["answer_time_ms"][percentile].take().as_f64());
        // Within 5 %, plus a tenth of a millisecond for the rounding.
        let is_near = match (reported, counted) {
            (Some(reported), Some(counted)) => (reported - counted).abs() <= counted * 0.0501 + 0.1,
            _ => reported == counted,
        };
        assert!(is_near, "{path} {percentile}: {reported:?} and {counted:?}");
    }
    let bots = reported.as_object_mut().unwrap().remove("bots").unwrap();
    assert_eq!(bots.as_array().unwrap().len() as i64, reported["total_bots"].as_i64().unwrap());
    // The order of fields is irrelevant.
    let sorted = |all: &Value| all.as_object().unwrap().clone().into_iter().collect::<BTreeMap<_, _>>();
    assert_eq!(sorted(&reported), sorted(&counted), "{path}");
}

async fn check_conversations(
    app: &TestApp,
    tenant: TenantId,
    http: &Client,
    zone: &str,
    days: i32,
    bot: Option<Uuid>,
) {
    let filter = bot.map_or(String::new(), |bot| format!("&bot_id={bot}"));
    let path = format!("/analytics/conversations?period={days}&timezone={zone}{filter}");
    let (reported, today) = on_one_day(app, http, &path, zone).await;
    let query = "
        select (started_at at time zone $2)::date, channel, status, count(*)
        from conversation
        join bot on bot.id = bot_id and deleted_at is null
        where conversation.tenant_id = $1 and (started_at at time zone $2)::date > $3 - $4::integer
            and ($5::uuid is null or bot_id = $5)
        group by 1, 2, 3";
    let counted: Vec<(chrono::NaiveDate, String, String, i64)> = sqlx::query_as(query)
        .bind(tenant.uuid())
        .bind(zone)
        .bind(today)
        .bind(days)
        .bind(bot)
        .fetch_all(app.ctx.db().platform())
        .await
        .unwrap();
    let first = today - chrono::Days::new(days as u64 - 1);
    let mut by_day: Map<String, Value> =
        first.iter_days().take(days as usize).map(|day| (day.to_string(), json!(0))).collect();
    let (mut by_channel, mut by_status, mut total) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (day, channel, status, n) in counted {
        let count = by_day.get_mut(&day.to_string()).unwrap();
        *count = json!(count.as_i64().unwrap() + n);
        *by_channel.entry(channel).or_insert(0) += n;
        *by_status.entry(status).or_insert(0) += n;
        total += n;
    }
    assert_eq!(
        (&reported["total_conversations"], &reported["period_days"]),
        (&json!(total), &json!(days)),
        "{path}"
    );
    let breakdown = &reported["breakdown"];
    assert_eq!(breakdown["by_channel"], json!(by_channel), "{path}");
    assert_eq!(breakdown["by_status"], json!(by_status), "{path}");
    // Every day, oldest first.
    let days: Vec<_> = breakdown["by_day"].as_object().unwrap().iter().collect();
    assert_eq!(days, by_day.iter().collect::<Vec<_>>(), "{path}");
}

/// Panics when a list's length differs from the tables, for any combination of filters.
pub(super) async fn check_lists(app: &TestApp, tenant: TenantId, http: &Client) {
    let query = "
        select bot_id, status, channel, count(*)
        from conversation
        join bot on bot.id = bot_id and deleted_at is null
        where conversation.tenant_id = $1
        group by 1, 2, 3";
    let counts: Counts =
        sqlx::query_as(query).bind(tenant.uuid()).fetch_all(app.ctx.db().platform()).await.unwrap();
    assert!(counts.len() > 10, "{}", counts.len());
    let with_none =
        |values: Vec<String>| [None].into_iter().chain(values.into_iter().map(Some)).collect::<Vec<_>>();
    let mut bots: Vec<String> = counts.iter().map(|(bot, ..)| bot.to_string()).collect();
    bots.sort_unstable();
    bots.dedup();
    let statuses = with_none(["active", "ended", "abandoned"].map(str::to_owned).into());
    let channels = ["webchat", "whatsapp", "telegram", "messenger", "slack", "email", "api"];
    let channels = with_none(channels.map(str::to_owned).into());
    for bot in with_none(bots) {
        for status in &statuses {
            for channel in &channels {
                let matches = |filter: &Option<String>, value: &str| {
                    filter.as_ref().is_none_or(|filter| filter == value)
                };
                let total: i64 = counts
                    .iter()
                    .filter(|(of_bot, of_status, of_channel, _)| {
                        matches(&bot, &of_bot.to_string())
                            && matches(status, of_status)
                            && matches(channel, of_channel)
                    })
                    .map(|(.., n)| n)
                    .sum();
                let filters = [("bot_id", &bot), ("status", status), ("channel", channel)];
                let filters =
                    filters.iter().filter_map(|(name, value)| Some(format!("&{name}={}", value.as_ref()?)));
                let path = format!("/conversations?per_page=100{}", filters.collect::<String>());
                let response = http.get(&path).await;
                let listed = response.data(200).as_array().unwrap().len() as i64;
                assert_eq!(
                    (&response.body["pagination"]["total"], listed),
                    (&json!(total), total.min(100)),
                    "{path}"
                );
            }
        }
    }
}
