//! Search queries: the rankings and the passages.

use pgvector::HalfVector;
use sqlx::PgExecutor;

use crate::ids::{BotId, SourceId, TenantId};
use crate::knowledge::hit::{Hit, Ranking};

pub(in crate::knowledge) struct Query<'a> {
    pub(in crate::knowledge) tenant: TenantId,
    pub(in crate::knowledge) bot: BotId,
    pub(in crate::knowledge) model: &'a str,
    /// `None` disables the dense ranking.
    pub(in crate::knowledge) vector: Option<HalfVector>,
    /// Result of the lexical ranking.
    pub(in crate::knowledge) lexical: &'a LexicalRanking,
    /// `None` for all sources of the bot.
    pub(in crate::knowledge) sources: Option<&'a [SourceId]>,
    pub(in crate::knowledge) candidates: i32,
    /// Weight of the cosine in the fused score, from 0 to 1; the lexical score has the rest.
    pub(in crate::knowledge) dense_weight: f32,
    /// Maximum number of hits.
    pub(in crate::knowledge) limit: i64,
}

/// Lexical ranking: chunks that share words with the question, with their BM25 scores.
#[derive(Default)]
pub(in crate::knowledge) struct LexicalRanking {
    chunks: Vec<uuid::Uuid>,
    scores: Vec<f32>,
}

/// Computes the lexical ranking, in a separate query that need not wait for the question's vector.
pub(in crate::knowledge) async fn rank_by_words(
    db: impl PgExecutor<'_>,
    bot: BotId,
    text_search: &str,
    question: &str,
    sources: Option<&[SourceId]>,
    candidates: i32,
) -> sqlx::Result<LexicalRanking> {
    let sources: Option<Vec<_>> = sources.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let rows = sqlx::query!(
        r#"
        select chunk_id as "id!", rank as "rank!"
        from best_worded_chunks($1, $2::text::regconfig, $3, $4, $5)
        "#,
        bot.uuid(),
        text_search,
        question,
        sources.as_deref(),
        candidates,
    )
    .fetch_all(db)
    .await?;
    let (chunks, scores) = rows.into_iter().map(|row| (row.id, row.rank)).unzip();
    Ok(LexicalRanking { chunks, scores })
}

/// Computes the dense ranking, and fuses it with the lexical one. Both are SQL functions defined in the migrations.
///
/// The fused score is `w · min-max cosine + (1 − w) · BM25 / best BM25` over the candidates of either ranking; a
/// candidate without a vector of the model counts as the farthest. The rankings are joined before the lookup of
/// vectors: the join yields a `coalesce` of the ids, which is not leakproof for Postgres, so a condition on it uses no
/// index under row-level security. The best are joined last and one by one: under row-level security a planner without
/// statistics would otherwise read all chunks.
pub(in crate::knowledge) async fn search(
    db: impl PgExecutor<'_>,
    query: &Query<'_>,
) -> sqlx::Result<Vec<Hit>> {
    let sources: Option<Vec<_>> = query.sources.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    sqlx::query!(
        r#"
        with dense as (
            select chunk_id as id, -distance as cosine, row_number() over (order by distance, chunk_id) as place
            from nearest_chunks($2, $3, $4::halfvec, $7, $8)
        ),
        lexical as (
            select id, rank, row_number() over (order by rank desc, id) as place
            from unnest($5::uuid[], $6::real[]) as worded (id, rank)
        ),
        ranked as materialized (
            select id, dense.place as dense_rank, dense.cosine, lexical.rank as text_score,
                lexical.place as text_rank
            from dense
            full join lexical using (id)
        ),
        candidate as materialized (
            select id, dense_rank, text_score, text_rank,
                case when $4::halfvec is null then null else coalesce(cosine, (
                    select -(embedding <#> $4::halfvec)
                    from chunk_vector
                    where tenant_id = $1 and bot_id = $2 and chunk_id = id and model = $3
                    limit 1
                )) end as cosine
            from ranked
        ),
        bounds as (
            select min(cosine) as low, max(cosine) as high, max(text_score) as best from candidate
        ),
        found as materialized (
            select id, dense_rank, text_score, text_rank, cosine,
                $9::real * coalesce((cosine - low) / nullif(high - low, 0), case when cosine = high then 1 end, 0)
                    + (1 - $9::real) * coalesce(text_score / nullif(best, 0), 0) as score
            from candidate
            cross join bounds
            order by score desc, cosine desc nulls last, id
            limit $10
        )
        select hit.id, source_id, source_name, url, ordinal, page, heading, content, start_at, end_at,
            cosine as "cosine?", dense_rank as "dense_rank?", text_score as "text_score?",
            text_rank as "text_rank?", score as "score!"
        from found
        cross join lateral (
            select chunk.id, chunk.source_id, source.name as source_name, chunk.ordinal,
                coalesce(site_page.url, source.url) as url,
                case when source.url is null then page end as page, heading, chunk.content,
                chunk.start_at, end_at
            from chunk
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
        &query.lexical.chunks,
        &query.lexical.scores,
        sources.as_deref(),
        query.candidates,
        query.dense_weight,
        query.limit,
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
            score: row.score as f32,
            ..Ranking::default()
        },
    })
    .fetch_all(db)
    .await
}
