//! Both rankings of a search.

use pgvector::HalfVector;
use sqlx::PgExecutor;

use crate::ids::{BotId, SourceId, TenantId};
use crate::knowledge::search::{Hit, Ranking};

pub(in crate::knowledge) struct Query<'a> {
    pub(in crate::knowledge) tenant: TenantId,
    pub(in crate::knowledge) bot: BotId,
    pub(in crate::knowledge) model: &'a str,
    /// Without it nothing is ranked by meaning.
    pub(in crate::knowledge) vector: Option<HalfVector>,
    /// Without it nothing is ranked by words.
    pub(in crate::knowledge) text: Option<&'a str>,
    pub(in crate::knowledge) text_search: &'a str,
    /// `None`: all of the bot's.
    pub(in crate::knowledge) sources: Option<&'a [SourceId]>,
    pub(in crate::knowledge) candidates: i32,
}

/// Both rankings in one statement; how each is made stands with its function in the migrations. What was found is
/// looked up at last, one by one: behind the walls a planner without statistics would otherwise look through all
/// chunks.
pub(in crate::knowledge) async fn search(
    db: impl PgExecutor<'_>,
    query: &Query<'_>,
) -> sqlx::Result<Vec<Hit>> {
    let sources: Option<Vec<_>> = query.sources.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    sqlx::query!(
        r#"
        with dense as (
            select chunk_id as id, row_number() over (order by distance, chunk_id) as place
            from nearest_chunks($2, $3, $4::halfvec, $8, $7)
        ),
        lexical as (
            select chunk_id as id, rank, row_number() over (order by rank desc, chunk_id) as place
            from best_worded_chunks($2, $6::text::regconfig, $5, $8, $7)
        ),
        found as materialized (
            select id, dense.place as dense_rank, lexical.rank as text_score, lexical.place as text_rank
            from dense
            full join lexical using (id)
        )
        select hit.id, source_id, source_name, url, ordinal, page, heading, content, start_at, end_at,
            cosine as "cosine?", dense_rank as "dense_rank?", text_score as "text_score?",
            text_rank as "text_rank?"
        from found
        cross join lateral (
            select chunk.id, chunk.source_id, source.name as source_name, chunk.ordinal,
                coalesce(site_page.url, source.url) as url,
                case when source.url is null then page end as page, heading, chunk.content,
                chunk.start_at, end_at, -(embedding <#> $4::halfvec) as cosine
            from chunk
            left join chunk_vector on chunk_id = chunk.id and model = $3
            join source on source.id = chunk.source_id
            left join source_page as site_page
                on site_page.source_id = chunk.source_id and site_page.version = chunk.version
                and site_page.ordinal = chunk.page
            where chunk.tenant_id = $1 and source.tenant_id = $1 and chunk.id = found.id
            limit 1
        ) as hit
        "#,
        query.tenant.uuid(),
        query.bot.uuid(),
        query.model,
        query.vector.as_ref() as _,
        query.text,
        query.text_search,
        query.candidates,
        sources.as_deref(),
    )
    .map(|row| Hit {
        chunk: row.id.into(),
        source: row.source_id.into(),
        source_name: row.source_name,
        url: row.url,
        ordinal: row.ordinal,
        page: row.page,
        heading: row.heading,
        content: row.content,
        start: row.start_at,
        end: row.end_at,
        ranking: Ranking {
            cosine: row.cosine.map(|cosine| cosine as f32),
            dense_rank: row.dense_rank,
            text_score: row.text_score,
            text_rank: row.text_rank,
            score: 0.0,
        },
    })
    .fetch_all(db)
    .await
}
