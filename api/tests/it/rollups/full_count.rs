//! Compares the rollups with a full count of the tables.

use parlance_testing::TestApp;
use parlance_testing::sqlx;
use parlance_testing::sqlx::AssertSqlSafe;

/// One row per counted thing. Independent of the functions that the triggers use.
const EVERYTHING: &str = "
    select tenant_id, bot_id, started_at as at, 'conversation.' || channel || '.' || status as measure, false as ever
    from conversation
    union all
    select tenant_id, bot_id, created_at, 'message', false from message
    where sender = 'user' or answered is not null
    union all
    select tenant_id, bot_id, created_at, 'answered', false from message where answered
    union all
    select tenant_id, bot_id, created_at, 'unanswered', false from message where not answered
    union all
    select tenant_id, bot_id, created_at, 'tentative', false from message where answered and confidence = 'low'
    union all
    select tenant_id, bot_id, created_at, 'answer_time', false from message where answered is not null
    union all
    select tenant_id, bot_id, created_at, 'feedback.' || feedback, false from message where feedback is not null
    union all
    select tenant_id, bot_id, created_at, 'source', true from source where deleted_at is null
    union all
    select source.tenant_id, source.bot_id, source.created_at, 'chunk', true
    from source
    join chunk on chunk.source_id = source.id and chunk.version = source.live_version
    where deleted_at is null";

/// Grains with their length in seconds, aligned to the start of 2000; `None` is the grain without an end.
const GRAINS: [(&str, Option<u32>); 7] = [
    ("quarter", Some(15 * 60)),
    ("hour", Some(60 * 60)),
    ("six", Some(6 * 60 * 60)),
    ("day", Some(DAY)),
    ("octad", Some(8 * DAY)),
    ("era", Some(64 * DAY)),
    ("all", None),
];

const DAY: u32 = 24 * 60 * 60;

/// Panics when a grain of the rollups, including unfolded deltas, differs from the full count.
pub(super) async fn check(app: &TestApp, when: &str) {
    let grains: Vec<String> = sqlx::query_scalar("select distinct grain from rollup")
        .fetch_all(app.ctx.db().platform())
        .await
        .unwrap();
    for grain in grains {
        let known = GRAINS.into_iter().find(|(known, _)| *known == grain);
        let (_, seconds) = known.unwrap_or_else(|| unreachable!("unknown grain {grain}"));
        let ever = seconds.is_none();
        let bucket = |at: &str| match seconds {
            Some(seconds) => format!(
                "to_timestamp(floor((extract(epoch from {at}) - 946684800) / {seconds}) * {seconds} + 946684800)"
            ),
            None => "'-infinity'::timestamptz".to_owned(),
        };
        let full = format!(
            "select tenant_id, bot_id, {} as bucket, measure, count(*) as n from ({EVERYTHING}) as everything \
             where {ever} or not ever group by 1, 2, 3, 4",
            bucket("at")
        );
        // Answer times are counted in histogram buckets; only their total is compared here.
        let rolled = format!(
            "select tenant_id, bot_id, bucket, regexp_replace(measure, '^answer_time[.].*', 'answer_time') as measure, \
                 sum(n)::bigint as n \
             from ( \
                 select tenant_id, bot_id, bucket, measure, n from rollup where grain = '{grain}' \
                 union all \
                 select tenant_id, bot_id, {}, measure, n from rollup_delta \
                 where {ever} or measure not in ('source', 'chunk') \
             ) as counted \
             group by 1, 2, 3, 4 having sum(n) <> 0",
            bucket("bucket")
        );
        let differences = format!(
            "select 'not in the tables: ' || row_to_json(more)::text from (({rolled}) except ({full})) as more \
             union all \
             select 'not in the rollups: ' || row_to_json(less)::text from (({full}) except ({rolled})) as less \
             limit 20"
        );
        let db = app.ctx.db().platform();
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(differences)).fetch_all(db).await.unwrap();
        assert!(found.is_empty(), "{when}, {grain}:\n{}", found.join("\n"));
        let rows: i64 =
            sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from ({full}) as counted")))
                .fetch_one(db)
                .await
                .unwrap();
        assert!(rows > 0, "{when}, {grain}: nothing is counted");
    }
}

/// Panics when a measure is stored under a wrong family.
pub(super) async fn check_families(app: &TestApp) {
    let query = "select count(*) from rollup where family <> split_part(measure, '.', 1)";
    let misplaced: i64 = sqlx::query_scalar(query).fetch_one(app.ctx.db().platform()).await.unwrap();
    assert_eq!(misplaced, 0);
}

/// Panics when a purged bot is still counted.
pub(super) async fn check_deleted_bots(app: &TestApp) {
    let query = "select count(*) from (select bot_id, n from rollup union all select bot_id, n from rollup_delta) as all_of_it \
                 where n <> 0 and not exists (select 1 from bot where bot.id = bot_id)";
    let left: i64 = sqlx::query_scalar(query).fetch_one(app.ctx.db().platform()).await.unwrap();
    assert_eq!(left, 0);
}
