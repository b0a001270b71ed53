//! SQL of the tables `rollup` and `rollup_delta`. Private to the slice.
//!
//! Every query adds the deltas not yet folded. Deltas of a deleted bot are hidden like the bot.

use sqlx::PgExecutor;

use super::Period;
use super::days::DayRollups;
use super::measure::Measure;
use crate::ids::{BotId, TenantId};

/// Measure families reported for a period.
const FAMILIES: [&str; 7] =
    ["conversation", "message", "answered", "unanswered", "tentative", "feedback", "answer_time"];

/// Drops unknown measures: a newer version may have written them.
fn known<T>(rows: Vec<(T, String, i64)>) -> impl Iterator<Item = (T, Measure, i64)> {
    rows.into_iter().filter_map(|(key, measure, n)| Some((key, measure.parse().ok()?, n)))
}

/// Sums a period from the coarsest rollups that cover it.
pub(super) async fn sum(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    period: &Period,
) -> sqlx::Result<Vec<(Measure, i64)>> {
    let spans = period.spans();
    let grains: Vec<&str> = spans.iter().map(|span| span.grain.as_str()).collect();
    let from: Vec<_> = spans.iter().map(|span| span.from).collect();
    let until: Vec<_> = spans.iter().map(|span| span.until).collect();
    // `offset 0` is an optimisation fence: without it the planner reads all rollups at once.
    let rows = sqlx::query!(
        r#"
        select measure as "measure!", sum(n)::bigint as "n!"
        from (
            select bot_id, measure, n
            from unnest($3::text[], $4::timestamptz[], $5::timestamptz[]) as span (grain, from_at, until_at)
            cross join lateral (
                select bot_id, measure, n from rollup
                where tenant_id = $1 and rollup.grain = span.grain and family = any($6)
                    and bucket >= span.from_at and bucket < span.until_at
                offset 0
            ) as within
            union all
            select bot_id, measure, n from rollup_delta where tenant_id = $1 and bucket >= $2
        ) as counted
        where bot_id in (select id from bot where tenant_id = $1 and deleted_at is null)
        group by measure
        "#,
        tenant.uuid(),
        period.start(),
        &grains as _,
        &from,
        &until,
        &FAMILIES.map(str::to_owned),
    )
    .map(|row| ((), row.measure, row.n))
    .fetch_all(db)
    .await?;
    Ok(known(rows).map(|((), measure, n)| (measure, n)).collect())
}

/// Current totals.
pub(super) async fn sum_current(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
) -> sqlx::Result<Vec<(Measure, i64)>> {
    Ok(count_by_bot(db, tenant).await?.into_iter().map(|(_, measure, n)| (measure, n)).collect())
}

/// Current totals by bot.
pub(super) async fn count_by_bot(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
) -> sqlx::Result<Vec<(BotId, Measure, i64)>> {
    let rows = sqlx::query!(
        r#"
        select bot_id as "bot_id!: BotId", measure as "measure!", sum(n)::bigint as "n!"
        from (
            select bot_id, measure, n from rollup
            where tenant_id = $1 and grain = 'all' and family in ('conversation', 'source', 'chunk')
            union all
            select bot_id, measure, n from rollup_delta where tenant_id = $1
        ) as counted
        where bot_id in (select id from bot where tenant_id = $1 and deleted_at is null)
            and (measure like 'conversation.%' or measure in ('source', 'chunk'))
        group by bot_id, measure
        "#,
        tenant.uuid(),
    )
    .map(|row| (row.bot_id, row.measure, row.n))
    .fetch_all(db)
    .await?;
    Ok(known(rows).collect())
}

/// Conversation counts by day of the period, numbered from 0.
pub(super) async fn sum_by_day(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    period: &Period,
    bot: Option<BotId>,
) -> sqlx::Result<Vec<(usize, Measure, i64)>> {
    let DayRollups { midnights, edges } = DayRollups::of(period);
    let grains: Vec<&str> = edges.iter().map(|edge| edge.grain.as_str()).collect();
    let buckets: Vec<_> = edges.iter().map(|edge| edge.bucket).collect();
    let plus: Vec<_> = edges.iter().map(|edge| edge.plus).collect();
    let minus: Vec<_> = edges.iter().map(|edge| edge.minus).collect();
    let rows = sqlx::query!(
        r#"
        select day as "day!", measure as "measure!", sum(n)::bigint as "n!"
        from (
            select width_bucket(bucket, $2::timestamptz[]) - 1 as day, bot_id, measure, n from rollup
            where tenant_id = $1 and grain = 'day' and family = 'conversation'
                and bucket >= $3 and bucket < $4
            union all
            select moved.day, bot_id, measure, moved.n
            from unnest($5::text[], $6::timestamptz[], $7::integer[], $8::integer[])
                as edge (grain, bucket, plus, minus)
            cross join lateral (
                select bot_id, measure, n from rollup
                where tenant_id = $1 and rollup.grain = edge.grain and family = 'conversation'
                    and rollup.bucket = edge.bucket
                offset 0
            ) as counted
            cross join lateral (values (edge.plus, n), (edge.minus, -n)) as moved (day, n)
            where moved.day is not null
            union all
            select width_bucket(bucket, $9::timestamptz[]) - 1, bot_id, measure, n from rollup_delta
            where tenant_id = $1 and bucket >= $10 and bucket < $11
        ) as counted
        where measure like 'conversation.%' and ($12::uuid is null or bot_id = $12)
            and bot_id in (select id from bot where tenant_id = $1 and deleted_at is null)
        group by 1, 2
        "#,
        tenant.uuid(),
        &midnights,
        midnights.first(),
        midnights.last(),
        &grains as _,
        &buckets,
        &plus as _,
        &minus as _,
        period.starts(),
        period.start(),
        period.end(),
        bot.map(BotId::uuid),
    )
    .map(|row| (usize::try_from(row.day).unwrap_or(usize::MAX), row.measure, row.n))
    .fetch_all(db)
    .await?;
    Ok(known(rows).collect())
}

/// Tries to take the fold lock until the transaction ends. False if another process holds it.
pub(super) async fn lock_fold(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('parlance.rollup', 0)) as "locked!""#
    )
    .fetch_one(db)
    .await
}

/// Moves the oldest deltas of all tenants into the rollups of each grain. A single statement, so that readers
/// see each delta exactly once.
pub(super) async fn fold(db: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<u64> {
    sqlx::query_scalar!(
        r#"
        with taken as (
            delete from rollup_delta
            where id in (select id from rollup_delta order by id limit $1)
            returning tenant_id, bot_id, bucket, measure, n
        ),
        folded as (
            insert into rollup (tenant_id, grain, family, bucket, bot_id, measure, n)
            select tenant_id, grain, split_part(measure, '.', 1), at, bot_id, measure, sum(n)
            from taken
            cross join lateral (
                values
                    ('all', '-infinity'::timestamptz),
                    ('quarter', bucket),
                    ('hour', date_bin('1 hour', bucket, timestamptz '2000-01-01 00:00:00+00')),
                    ('six', date_bin('6 hours', bucket, timestamptz '2000-01-01 00:00:00+00')),
                    ('day', date_bin('1 day', bucket, timestamptz '2000-01-01 00:00:00+00')),
                    ('octad', date_bin('8 days', bucket, timestamptz '2000-01-01 00:00:00+00')),
                    ('era', date_bin('64 days', bucket, timestamptz '2000-01-01 00:00:00+00'))
            ) as grains (grain, at)
            where grain = 'all' or measure not in ('source', 'chunk')
            group by 1, 2, 3, 4, 5, 6
            on conflict (tenant_id, grain, family, bucket, bot_id, measure) do update
            set n = rollup.n + excluded.n
        )
        select count(*) as "count!" from taken
        "#,
        limit,
    )
    .fetch_one(db)
    .await
    .map(|count| u64::try_from(count).unwrap_or(0))
}

pub(super) async fn forget_deltas(db: impl PgExecutor<'_>, tenant: TenantId, bot: BotId) -> sqlx::Result<()> {
    sqlx::query!("delete from rollup_delta where tenant_id = $1 and bot_id = $2", tenant.uuid(), bot.uuid())
        .execute(db)
        .await?;
    Ok(())
}

pub(super) async fn forget(db: impl PgExecutor<'_>, tenant: TenantId, bot: BotId) -> sqlx::Result<()> {
    sqlx::query!("delete from rollup where tenant_id = $1 and bot_id = $2", tenant.uuid(), bot.uuid())
        .execute(db)
        .await?;
    Ok(())
}
