//! Partitions of the search tables, and rows not yet moved into them (`migrations/0020_partitions.sql`).

use sqlx::PgExecutor;

use crate::ids::{BotId, ChunkId, TenantId};

/// Number of the partition of `chunk_vector_hashed` and `chunk_text_hashed` that holds a bot's rows.
pub(in crate::knowledge) async fn find_partition(db: impl PgExecutor<'_>, bot: BotId) -> sqlx::Result<i32> {
    // 16 partitions, as in the migration.
    sqlx::query_scalar!(
        r#"
        select remainder as "remainder!"
        from generate_series(0, 15) as remainder
        where satisfies_hash_partition('chunk_vector_hashed'::regclass, 16, remainder, $1::uuid)
        "#,
        bot.uuid(),
    )
    .fetch_one(db)
    .await
}

/// Whether the bot has rows in the unhashed partition. Checking words suffices: a chunk has vectors there only if it
/// has words there.
pub(in crate::knowledge) async fn has_unhashed(db: impl PgExecutor<'_>, bot: BotId) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select 1 as "one!" from chunk_text_unhashed where bot_id = $1 limit 1"#,
        bot.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// A moved batch.
pub(in crate::knowledge) struct MovedBatch {
    /// Id of its last chunk.
    pub(in crate::knowledge) last: ChunkId,
    /// Number of its chunks.
    pub(in crate::knowledge) chunks: i64,
}

/// Moves the words and vectors of at most `limit` chunks with ids greater than `after` into the bot's partition, in the
/// order of ids. `None`: there are none, or all are locked by deletion or restemming.
///
/// Locks the chunks first, as their deletion does. A deletion that waits for the lock cascades to the moved rows;
/// without the lock, it would miss them. The statement avoids joins, because the planner might read the whole table for
/// one.
pub(in crate::knowledge) async fn hash_batch(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    after: Option<ChunkId>,
    limit: i64,
) -> sqlx::Result<Option<MovedBatch>> {
    sqlx::query_as!(
        MovedBatch,
        r#"
        with locked as materialized (
            select chunk.id
            from chunk
            cross join lateral (
                select 1 from chunk_text_unhashed where chunk_id = chunk.id limit 1 for update skip locked
            ) as unhashed
            where chunk.tenant_id = $1 and chunk.bot_id = $2 and chunk.id > $3
            order by chunk.id
            limit $4
            for key share of chunk skip locked
        ),
        vector as (
            delete from chunk_vector_unhashed
            where chunk_id = any(array(select id from locked))
            returning chunk_id, model, tenant_id, bot_id, source_id, version, embedding
        ),
        words as (
            delete from chunk_text_unhashed
            where chunk_id = any(array(select id from locked))
            returning chunk_id, tenant_id, bot_id, source_id, version, tsv, text_search
        ),
        moved_vector as (
            insert into chunk_vector (chunk_id, model, tenant_id, bot_id, source_id, version, embedding)
            select * from vector
            on conflict do nothing
        ),
        moved_words as (
            insert into chunk_text (chunk_id, tenant_id, bot_id, source_id, version, tsv, text_search)
            select * from words
        )
        select id as "last!: ChunkId", count(*) over () as "chunks!"
        from locked
        order by id desc
        limit 1
        "#,
        tenant.uuid(),
        bot.uuid(),
        after.map_or(uuid::Uuid::nil(), ChunkId::uuid),
        limit,
    )
    .fetch_optional(db)
    .await
}
