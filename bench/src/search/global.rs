//! One index over all bots of a partition, for comparison.

use std::collections::HashSet;
use std::time::Instant;

use parlance_core::ids::TenantId;
use pgvector::HalfVector;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{MeasuredBot, TOP_K};
use crate::report::Row;
use crate::samples::Samples;
use crate::server::UpFile;

/// Replaces the bots' indexes by a global one, searched with iterative scans.
pub(super) async fn measure(
    up: &UpFile,
    tenant: TenantId,
    measured: &[MeasuredBot],
    model: &str,
) -> anyhow::Result<Vec<Row>> {
    crate::progress("building one index over all bots");
    let mut db = <PgConnection as sqlx::Connection>::connect(&up.database_url).await?;
    sqlx::raw_sql("set maintenance_work_mem = '1GB'; set hnsw.ef_search = 200; set hnsw.iterative_scan = strict_order; set enable_sort = off; update bot_index set indexed_model = null").execute(&mut db).await?;
    let dropped: Vec<String> =
        sqlx::query_scalar("select indexname::text from pg_indexes where indexname ~ '^bot_graph_'")
            .fetch_all(&mut db)
            .await?;
    for index in dropped {
        sqlx::raw_sql(AssertSqlSafe(format!("drop index {index}"))).execute(&mut db).await?;
    }
    sqlx::raw_sql("create index chunk_vector_global on chunk_vector using hnsw ((embedding::halfvec(384)) halfvec_ip_ops) with (m = 16, ef_construction = 200)").execute(&mut db).await?;
    let mut rows = Vec::new();
    for bot in measured {
        let (mut took, mut found) = (Vec::new(), 0);
        for (question, truth) in bot.questions.iter().zip(&bot.truth) {
            let started = Instant::now();
            let nearest: Vec<Uuid> = sqlx::query_scalar(
                "select chunk_id from chunk_vector where tenant_id = $1 and bot_id = $2 and model = $3
                 order by embedding::halfvec(384) <#> $4::halfvec(384) limit 50",
            )
            .bind(tenant.uuid())
            .bind(bot.bot.id.uuid())
            .bind(model)
            .bind(HalfVector::from_f32_slice(&question.vector))
            .fetch_all(&mut db)
            .await?;
            took.push(started.elapsed().as_secs_f64() * 1_000.0);
            found += nearest.iter().take(TOP_K).filter(|id| truth.contains(id)).count();
        }
        let possible: usize = bot.truth.iter().map(HashSet::len).sum();
        let took: Samples = took.into_iter().collect();
        let name = format!("search, {} chunks, one index over all bots", bot.chunks);
        rows.push(Row::plain(format!("{name}: p95"), took.p95(), "ms", took.len()));
        rows.push(Row::plain(
            format!("{name}: recall@{TOP_K}"),
            found as f64 / possible as f64,
            "",
            took.len(),
        ));
    }
    Ok(rows)
}
