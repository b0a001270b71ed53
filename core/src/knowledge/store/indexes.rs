//! Search configuration of bots, and per-bot indexes of large ones.

use sqlx::{AssertSqlSafe, PgConnection, PgExecutor};

use crate::ids::{BotId, TenantId};

/// A bot that needs a background job.
pub(in crate::knowledge) struct BotKey {
    pub(in crate::knowledge) tenant: TenantId,
    pub(in crate::knowledge) bot: BotId,
}

/// A bot's searched model, number of live chunks, and whether it has indexes.
pub(in crate::knowledge) struct Indexed {
    pub(in crate::knowledge) model: String,
    pub(in crate::knowledge) chunks: i64,
    pub(in crate::knowledge) has_indexes: bool,
}

/// Bots without a pending job that need their indexes changed: grown to `from` chunks, shrunk below `below`, whose word
/// counts date from less than half or more than twice as many chunks, or with indexes over rows that are not in a
/// partition.
pub(in crate::knowledge) async fn list_misfits(
    db: impl PgExecutor<'_>,
    from: i64,
    below: i64,
    limit: i64,
) -> sqlx::Result<Vec<BotKey>> {
    sqlx::query_as!(
        BotKey,
        r#"
        with sized as (
            select bot_id, sum(live_chunks) as chunks
            from source
            where deleted_at is null
            group by bot_id
        )
        select bot_index.tenant_id as "tenant: TenantId", bot_index.bot_id as "bot: BotId"
        from bot_index
        join bot on bot.id = bot_index.bot_id and deleted_at is null
        left join sized on sized.bot_id = bot_index.bot_id
        where case
                when coalesce(chunks, 0) < $2 then coalesce(counted_chunks::text, indexed_model) is not null
                when coalesce(counted_chunks::text, indexed_model) is not null and (
                    select 1 from chunk_text_unhashed where chunk_text_unhashed.bot_id = bot_index.bot_id limit 1
                ) is not null then true
                when chunks >= $1 then
                    counted_chunks is null or indexed_model <> model
                    or chunks > counted_chunks::bigint * 2 or chunks < counted_chunks / 2
                else false
            end
            and not exists (
                select 1 from job
                where job.tenant_id = bot_index.tenant_id and job.bot_id = bot_index.bot_id
                    and kind in ('index', 'reembed') and state in ('queued', 'dispatched', 'running')
            )
        limit $3
        "#,
        from,
        below,
        limit,
    )
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn find_indexed(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
) -> sqlx::Result<Option<Indexed>> {
    sqlx::query_as!(
        Indexed,
        r#"
        select model, coalesce(counted_chunks::text, indexed_model) is not null as "has_indexes!", (
            select coalesce(sum(live_chunks), 0)
            from source
            where source.tenant_id = $1 and source.bot_id = $2 and deleted_at is null
        ) as "chunks!"
        from bot_index
        where tenant_id = $1 and bot_id = $2
        "#,
        tenant.uuid(),
        bot.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub(in crate::knowledge) async fn find_model(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select model from bot_index where tenant_id = $1 and bot_id = $2",
        tenant.uuid(),
        bot.uuid(),
    )
    .fetch_optional(db)
    .await
}

/// Sets the indexes that searches use from the commit on; `None` for none.
pub(in crate::knowledge) async fn set_indexed(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    indexed_model: Option<&str>,
    counted_chunks: Option<i32>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update bot_index
        set indexed_model = $3, counted_chunks = $4
        where tenant_id = $1 and bot_id = $2
        "#,
        tenant.uuid(),
        bot.uuid(),
        indexed_model,
        counted_chunks,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Invalidates the word counts after the words changed.
pub(in crate::knowledge) async fn uncount_words(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update bot_index set counted_chunks = null where tenant_id = $1 and bot_id = $2",
        tenant.uuid(),
        bot.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Switches searches to the vectors of another model from the commit on.
pub(in crate::knowledge) async fn set_model(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    model: &str,
    indexed_model: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update bot_index set model = $3, indexed_model = $4 where tenant_id = $1 and bot_id = $2",
        tenant.uuid(),
        bot.uuid(),
        model,
        indexed_model,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Recounts the words that occur in more than 100 of the bot's chunks.
pub(in crate::knowledge) async fn count_words(db: &mut PgConnection, bot: BotId) -> sqlx::Result<()> {
    sqlx::query!("delete from word_frequency where bot_id = $1", bot.uuid()).execute(&mut *db).await?;
    sqlx::query!(
        r#"
        insert into word_frequency (bot_id, word, chunks)
        select $1, word, ndoc
        from ts_stat(format('select tsv from chunk_text where bot_id = %L', $1::uuid))
        where ndoc > 100
        "#,
        bot.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Dimension of a bot's vectors; `None` if it has none.
pub(in crate::knowledge) async fn find_dimensions(
    db: impl PgExecutor<'_>,
    bot: BotId,
    model: &str,
) -> sqlx::Result<Option<i32>> {
    let found = sqlx::query_scalar!(
        r#"
        select vector_dims(embedding) from chunk_vector where bot_id = $1 and model = $2 limit 1
        "#,
        bot.uuid(),
        model,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.flatten())
}

/// Whether an index is valid, that is completely built; `None` if absent.
pub(in crate::knowledge) async fn is_valid(
    db: impl PgExecutor<'_>,
    index: &str,
) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar!("select indisvalid from pg_index where indexrelid = to_regclass($1::text)", index)
        .fetch_optional(db)
        .await
}

/// Names of the indexes with one of the prefixes.
pub(in crate::knowledge) async fn list_indexes(
    db: impl PgExecutor<'_>,
    prefixes: &[String],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        select relname::text as "name!"
        from pg_class
        where relkind = 'i' and relnamespace = current_schema::regnamespace
            and exists (select 1 from unnest($1::text[]) as prefix where starts_with(relname::text, prefix))
        order by relname
        "#,
        prefixes,
    )
    .fetch_all(db)
    .await
}

/// Runs an index statement, outside any transaction as `concurrently` requires.
pub(in crate::knowledge) async fn run(db: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(db).await.map(drop)
}

pub(in crate::knowledge) async fn find_backend(db: impl PgExecutor<'_>) -> sqlx::Result<i32> {
    sqlx::query_scalar!(r#"select pg_backend_pid() as "pid!""#).fetch_one(db).await
}

/// Tries to take the index-build lock, which is held until the connection closes.
pub(in crate::knowledge) async fn become_builder(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtext('parlance.index')) as "is_builder!""#)
        .fetch_one(db)
        .await
}

pub(in crate::knowledge) async fn cancel_backend(db: impl PgExecutor<'_>, pid: i32) -> sqlx::Result<()> {
    sqlx::query_scalar!("select pg_cancel_backend($1)", pid).fetch_one(db).await?;
    Ok(())
}

/// Progress of a connection's index build, as (rows done, rows total).
pub(in crate::knowledge) async fn find_progress(
    db: impl PgExecutor<'_>,
    pid: i32,
) -> sqlx::Result<Option<(i64, i64)>> {
    sqlx::query!(
        r#"
        select tuples_done as "done!", tuples_total as "total!"
        from pg_stat_progress_create_index
        where pid = $1
        "#,
        pid,
    )
    .map(|row| (row.done, row.total))
    .fetch_optional(db)
    .await
}

/// Searched models other than `model`, with their number of bots.
pub(in crate::knowledge) async fn count_old_models(
    db: impl PgExecutor<'_>,
    model: &str,
) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query!(
        r#"
        select model as "model!", count(*) as "bots!"
        from bot_index
        join bot on bot.id = bot_index.bot_id and deleted_at is null
        where model <> $1
        group by model
        order by model
        "#,
        model,
    )
    .map(|row| (row.model, row.bots))
    .fetch_all(db)
    .await
}

/// Bots without a pending job that are searched by another model.
pub(in crate::knowledge) async fn list_old_models(
    db: impl PgExecutor<'_>,
    model: &str,
    limit: i64,
) -> sqlx::Result<Vec<BotKey>> {
    sqlx::query_as!(
        BotKey,
        r#"
        select bot_index.tenant_id as "tenant: TenantId", bot_index.bot_id as "bot: BotId"
        from bot_index
        join bot on bot.id = bot_index.bot_id and deleted_at is null
        where model <> $1 and not exists (
            select 1 from job
            where job.tenant_id = bot_index.tenant_id and job.bot_id = bot_index.bot_id
                and kind = 'reembed' and state in ('queued', 'dispatched', 'running')
        )
        limit $2
        "#,
        model,
        limit,
    )
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn delete_old_vectors(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        r#"
        delete from chunk_vector
        where tenant_id = $1 and bot_id = $2 and (chunk_id, model) in (
            select chunk_id, chunk_vector.model
            from chunk_vector
            join bot_index using (bot_id)
            where chunk_vector.tenant_id = $1 and bot_id = $2 and chunk_vector.model <> bot_index.model
            limit $3
        )
        "#,
        tenant.uuid(),
        bot.uuid(),
        limit,
    )
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}
