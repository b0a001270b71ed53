//! Fills the database with the measured bots and the small bots, and computes the correct results.

use std::collections::HashSet;

use parlance_core::Context;
use parlance_core::bots;
use pgvector::HalfVector;
use sqlx::PgPool;
use uuid::Uuid;

use super::synthetic::Generator;
use super::{MeasuredBot, SearchArgs, TOP_K, fast_connection};
use crate::client::Client;
use crate::server::UpFile;

/// Questions per bot.
const QUESTIONS: usize = 200;

/// Creates the measured bots with their chunks, and the small bots.
pub(super) async fn fill(
    args: &SearchArgs,
    up: &UpFile,
    ctx: &Context,
    client: &Client,
    tenant: Uuid,
    model: &str,
) -> anyhow::Result<Vec<MeasuredBot>> {
    let mut db = fast_connection(&up.database_url).await?;
    let (mut generator, mut measured) = (Generator::new(5), Vec::new());
    for &chunks in &args.chunks {
        crate::progress(&format!("generating {chunks} chunks"));
        let id: Uuid = client.bot().await?.parse()?;
        let questions = generator.fill(&mut db, model, (tenant, id), chunks, QUESTIONS).await?;
        let bot = bots::get(ctx, tenant.into(), id.into()).await?;
        measured.push(MeasuredBot { chunks, bot, questions, truth: Vec::new() });
    }
    crate::progress(&format!("generating {} small bots", args.small));
    for _ in 0..args.small {
        let id = Uuid::now_v7();
        sqlx::query("insert into bot (id, tenant_id, name, channel_type) values ($1, $2, 'Small', 'api')")
            .bind(id)
            .bind(tenant)
            .execute(&mut db)
            .await?;
        generator.fill(&mut db, model, (tenant, id), 10, 0).await?;
    }
    sqlx::raw_sql("vacuum analyze").execute(&mut db).await?;
    Ok(measured)
}

/// Finds the exact nearest neighbours of each question.
pub(super) async fn truth(db: &PgPool, bot: &MeasuredBot, model: &str) -> anyhow::Result<Vec<HashSet<Uuid>>> {
    let mut truth = Vec::new();
    for question in &bot.questions {
        // `0 +` keeps the planner off the indexes.
        let nearest: Vec<Uuid> = sqlx::query_scalar(
            "select chunk_id from chunk_vector where bot_id = $1 and model = $2
             order by 0 + (embedding <#> $3) limit $4",
        )
        .bind(bot.bot.id.uuid())
        .bind(model)
        .bind(HalfVector::from_f32_slice(&question.vector))
        .bind(i64::try_from(TOP_K)?)
        .fetch_all(db)
        .await?;
        truth.push(nearest.into_iter().collect());
    }
    Ok(truth)
}
