//! Concurrent writes during the searches.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::synthetic::Generator;

/// Chunks per write, and the pause between writes: about fifty chunks per second, and as many removed.
const BATCH: usize = 32;
const PAUSE: Duration = Duration::from_millis(640);

/// Writes chunks to a bot and removes them, until cancelled. Returns the chunks per second.
pub(super) async fn run(
    url: String,
    bot: Option<Uuid>,
    model: String,
    stop: CancellationToken,
) -> anyhow::Result<f64> {
    let mut db = <PgConnection as sqlx::Connection>::connect(&url).await?;
    let bot = bot.context("no bots to measure")?;
    let tenant: Uuid =
        sqlx::query_scalar("select tenant_id from bot where id = $1").bind(bot).fetch_one(&mut db).await?;
    let (mut generator, mut written, started) = (Generator::new(6), 0, Instant::now());
    while stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
        let before = Uuid::now_v7();
        generator.fill(&mut db, &model, (tenant, bot), BATCH, 0).await?;
        sqlx::query("delete from source where bot_id = $1 and id > $2")
            .bind(bot)
            .bind(before)
            .execute(&mut db)
            .await?;
        written += BATCH;
    }
    Ok(written as f64 / started.elapsed().as_secs_f64())
}
