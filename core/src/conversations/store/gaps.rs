//! Questions that no knowledge answered.

use chrono::{DateTime, Utc};
use pgvector::HalfVector;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::conversations::{Gap, GapFilter};
use crate::ids::{BotId, MessageId, TenantId};
use crate::page::PageRequest;

/// A question that no knowledge answered.
pub(in crate::conversations) struct NewGap<'a> {
    pub(in crate::conversations) bot: BotId,
    /// The answer that is none.
    pub(in crate::conversations) message: MessageId,
    pub(in crate::conversations) question: &'a str,
    pub(in crate::conversations) vector: &'a [f32],
    pub(in crate::conversations) model: &'a str,
    /// The cosine from which two questions count as the same.
    pub(in crate::conversations) same: f64,
    /// Whether a tentative answer was given.
    pub(in crate::conversations) weak: bool,
}

/// Joins the first question of the bot that asked nearly the same, else is the first of its kind.
pub(in crate::conversations) async fn insert_gap(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    gap: &NewGap<'_>,
) -> sqlx::Result<()> {
    let vector = HalfVector::from_f32_slice(gap.vector);
    sqlx::query!(
        r#"
        with same as (
            select group_id from (
                select group_id, -(embedding <#> $6::halfvec) as cosine
                from knowledge_gap
                where tenant_id = $2 and bot_id = $3 and model = $7 and embedding is not null
                order by cosine desc
                limit 1
            ) as nearest
            where cosine >= $8
        )
        insert into knowledge_gap (id, tenant_id, bot_id, message_id, question, group_id, embedding, model, weak)
        select $1, $2, $3, $4, $5, coalesce((select group_id from same), $1),
            case when not exists (select 1 from same) then $6::halfvec end, $7, $9
        "#,
        Uuid::now_v7(),
        tenant.uuid(),
        gap.bot.uuid(),
        gap.message.uuid(),
        gap.question,
        vector as _,
        gap.model,
        gap.same,
        gap.weak,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A page of the groups of gaps, and how many groups there are.
pub(in crate::conversations) async fn list_gaps(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    since: DateTime<Utc>,
    filter: GapFilter,
    page: PageRequest,
) -> sqlx::Result<(Vec<Gap>, i64)> {
    let rows = sqlx::query!(
        r#"
        with grouped as materialized (
            select group_id, bot_id, bot.name as bot_name, count(*) as n,
                count(*) filter (where weak) as tentative,
                min(knowledge_gap.created_at) as first_asked_at,
                max(knowledge_gap.created_at) as last_asked_at,
                (array_agg(question order by knowledge_gap.created_at desc))[1] as question
            from knowledge_gap
            join bot on bot.tenant_id = $1 and bot.id = bot_id and deleted_at is null
            where knowledge_gap.tenant_id = $1 and knowledge_gap.created_at >= $2
                and ($3::uuid is null or bot_id = $3)
            group by group_id, bot_id, bot.name
            having $6::boolean is null or bool_and(weak) = $6
        )
        select total as "total!", bot_id as "bot_id?: BotId", bot_name as "bot_name?", n as "n?",
            tentative as "tentative?", first_asked_at as "first_asked_at?", last_asked_at as "last_asked_at?",
            question as "question?"
        from (select count(*) as total from grouped) as counted
        left join lateral (
            select * from grouped order by n desc, last_asked_at desc, group_id limit $4 offset $5
        ) as page on true
        order by n desc, last_asked_at desc, group_id
        "#,
        tenant.uuid(),
        since,
        filter.bot.map(BotId::uuid),
        page.limit(),
        page.offset(),
        filter.weak,
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let gaps = rows.into_iter().filter_map(|row| {
        Some(Gap {
            bot_id: row.bot_id?,
            bot_name: row.bot_name?,
            question: row.question?,
            count: row.n?,
            tentative: row.tentative?,
            first_asked_at: row.first_asked_at?,
            last_asked_at: row.last_asked_at?,
        })
    });
    Ok((gaps.collect(), total))
}
