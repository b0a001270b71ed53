//! Chunks with their search data: words, inserted with the chunk, and vectors, added by embedding jobs.
//!
//! `chunk_text` and `chunk_vector` are partitioned by bot: every condition on a chunk also names its bot, or all
//! partitions are read. Single chunks are looked up in subqueries with a limit, not in joins: for a join, the planner
//! adds the cost of every partition for each chunk, and prefers to read all vectors of the bot.

use pgvector::HalfVector;
use sha2::{Digest, Sha256};
use sqlx::PgExecutor;

use crate::ids::{BotId, ChunkId, SourceId, TenantId};
use crate::knowledge::chunk::Chunk;
use crate::knowledge::ingest::Unembedded;
use crate::platform::meters::Embedded;

pub(in crate::knowledge) struct VersionKey {
    pub(in crate::knowledge) tenant: TenantId,
    pub(in crate::knowledge) bot: BotId,
    pub(in crate::knowledge) source: SourceId,
    pub(in crate::knowledge) version: i32,
}

/// Chunks as columns, to insert any number of them in one statement.
#[derive(Default)]
pub(in crate::knowledge) struct NewChunks {
    first: usize,
    ids: Vec<uuid::Uuid>,
    contents: Vec<String>,
    headings: Vec<Option<String>>,
    pages: Vec<Option<i32>>,
    starts: Vec<i32>,
    ends: Vec<i32>,
    tokens: Vec<i32>,
    hashes: Vec<Vec<u8>>,
}

impl NewChunks {
    /// Builds the columns of all chunks, in batches of at most `size`.
    pub(in crate::knowledge) fn batches(chunks: Vec<Chunk>, size: usize) -> Vec<Self> {
        let (mut chunks, mut first) = (chunks.into_iter(), 0);
        let batches = std::iter::from_fn(|| {
            let batch = Self::new(first, chunks.by_ref().take(size));
            first += batch.ids.len();
            (!batch.ids.is_empty()).then_some(batch)
        });
        batches.collect()
    }

    /// Builds the columns. `first` is the ordinal of the first chunk.
    fn new(first: usize, chunks: impl Iterator<Item = Chunk>) -> Self {
        // A text of at most 10 MiB has offsets far below two billion.
        let number = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
        let mut columns = Self { first, ..Self::default() };
        for chunk in chunks {
            let embedded = Chunk::embedded_text(chunk.heading.as_deref(), &chunk.content);
            columns.hashes.push(Sha256::digest(embedded).to_vec());
            columns.ids.push(ChunkId::fresh().uuid());
            columns.contents.push(chunk.content);
            columns.headings.push(chunk.heading);
            columns.pages.push(chunk.page);
            columns.starts.push(number(chunk.span.start));
            columns.ends.push(number(chunk.span.end));
            columns.tokens.push(number(chunk.tokens));
        }
        columns
    }
}

/// Inserts chunks with their words, and reuses vectors the tenant already has for the same text and model.
///
/// Each distinct text is looked up once: a text of one repeated line has a thousand equal chunks, and a lookup reads
/// all of them until one has a vector.
pub(in crate::knowledge) async fn insert_chunks(
    db: impl PgExecutor<'_>,
    key: &VersionKey,
    model: &str,
    text_search: &str,
    chunks: &NewChunks,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        with fresh as (
            select *
            from unnest(
                $6::uuid[], $7::text[], $8::text[], $9::integer[], $10::integer[], $11::integer[], $12::bytea[],
                $14::integer[]
            ) with ordinality
                as fresh (id, content, heading, start_at, end_at, token_count, hash, page, place)
        ),
        made as materialized (
            select texts.hash, vectors.embedding
            from (select distinct hash from fresh) as texts
            cross join lateral (
                select embedding
                from chunk
                join chunk_vector
                    on chunk_id = chunk.id and chunk_vector.bot_id = chunk.bot_id and model = $5
                where chunk.tenant_id = $1 and chunk.hash = texts.hash
                limit 1
            ) as vectors
        ),
        known as materialized (
            select fresh.id, made.embedding from fresh join made using (hash)
        ),
        counted as (
            update source_version
            set chunk_count = $15 + (select count(*) from fresh),
                reused_chunks = coalesce(reused_chunks, 0) + (select count(*) from known)
            where tenant_id = $1 and source_id = $3 and version = $4
        ),
        searched as (
            insert into bot_index (bot_id, tenant_id, model) values ($2, $1, $5) on conflict do nothing
        ),
        worded as (
            insert into chunk_text (chunk_id, tenant_id, bot_id, source_id, version, tsv, text_search)
            select id, $1, $2, $3, $4,
                strip(to_tsvector($13::text::regconfig, concat_ws(' ', heading, content))),
                $13
            from fresh
        ),
        reused as (
            insert into chunk_vector (chunk_id, model, tenant_id, bot_id, source_id, version, embedding)
            select id, $5, $1, $2, $3, $4, embedding from known
        )
        insert into chunk (
            id, tenant_id, bot_id, source_id, version, ordinal, content, heading, page, start_at, end_at,
            token_count, hash
        )
        select id, $1, $2, $3, $4, $15 + place - 1, content, heading, page, start_at, end_at, token_count, hash
        from fresh
        "#,
        key.tenant.uuid(),
        key.bot.uuid(),
        key.source.uuid(),
        key.version,
        model,
        &chunks.ids,
        &chunks.contents,
        &chunks.headings as &[Option<String>],
        &chunks.starts,
        &chunks.ends,
        &chunks.tokens,
        &chunks.hashes,
        text_search,
        &chunks.pages as &[Option<i32>],
        i64::try_from(chunks.first).unwrap_or(i64::MAX),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A chunk without a vector.
pub(in crate::knowledge) struct MissingChunk {
    pub(in crate::knowledge) ordinal: i32,
    pub(in crate::knowledge) tokens: i64,
}

/// The chunks of a version without a vector of the model, in order.
pub(in crate::knowledge) async fn list_missing(
    db: impl PgExecutor<'_>,
    key: &VersionKey,
    model: &str,
) -> sqlx::Result<Vec<MissingChunk>> {
    sqlx::query_as!(
        MissingChunk,
        r#"
        select ordinal, token_count::bigint as "tokens!" from chunk
        where tenant_id = $1 and source_id = $2 and version = $3
            and (
                select 1 from chunk_vector
                where bot_id = $5 and chunk_id = chunk.id and model = $4
                limit 1
            ) is null
        order by ordinal
        "#,
        key.tenant.uuid(),
        key.source.uuid(),
        key.version,
        model,
        key.bot.uuid(),
    )
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn list_unembedded(
    db: impl PgExecutor<'_>,
    key: &VersionKey,
    model: &str,
    first: i32,
    last: i32,
) -> sqlx::Result<Vec<Unembedded>> {
    sqlx::query!(
        r#"
        select id, heading, content, token_count
        from chunk
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal between $4 and $5
            and (
                select 1 from chunk_vector
                where bot_id = $7 and chunk_id = chunk.id and model = $6
                limit 1
            ) is null
        order by ordinal
        "#,
        key.tenant.uuid(),
        key.source.uuid(),
        key.version,
        first,
        last,
        model,
        key.bot.uuid(),
    )
    .map(|row| Unembedded {
        id: row.id.into(),
        text: Chunk::embedded_text(row.heading.as_deref(), &row.content),
        tokens: i64::from(row.token_count),
    })
    .fetch_all(db)
    .await
}

/// A batch of a bot's live chunks without a vector of the model, after a chunk id.
pub(in crate::knowledge) async fn list_unembedded_of_bot(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    model: &str,
    after: Option<ChunkId>,
    limit: i64,
) -> sqlx::Result<Vec<Unembedded>> {
    sqlx::query!(
        r#"
        select chunk.id, heading, content, token_count
        from chunk
        join source on source.id = source_id and live_version = chunk.version and deleted_at is null
        where chunk.tenant_id = $1 and chunk.bot_id = $2 and chunk.id > $4
            and (
                select 1 from chunk_vector
                where bot_id = $2 and chunk_id = chunk.id and model = $3
                limit 1
            ) is null
        order by chunk.id
        limit $5
        "#,
        tenant.uuid(),
        bot.uuid(),
        model,
        after.map_or(uuid::Uuid::nil(), ChunkId::uuid),
        limit,
    )
    .map(|row| Unembedded {
        id: row.id.into(),
        text: Chunk::embedded_text(row.heading.as_deref(), &row.content),
        tokens: i64::from(row.token_count),
    })
    .fetch_all(db)
    .await
}

pub(in crate::knowledge) async fn count_unembedded_of_bot(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    model: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) as "count!"
        from chunk
        join source on source.id = source_id and live_version = chunk.version and deleted_at is null
        where chunk.tenant_id = $1 and chunk.bot_id = $2
            and not exists (
                select 1 from chunk_vector where bot_id = $2 and chunk_id = chunk.id and model = $3
            )
        "#,
        tenant.uuid(),
        bot.uuid(),
        model,
    )
    .fetch_one(db)
    .await
}

/// Inserts vectors, skipping chunks deleted meanwhile. Returns the number of inserted vectors and their tokens.
pub(in crate::knowledge) async fn insert_vectors(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    model: &str,
    ids: &[ChunkId],
    vectors: &[HalfVector],
) -> sqlx::Result<Embedded> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query_as!(
        Embedded,
        r#"
        with kept as (
            insert into chunk_vector (chunk_id, model, tenant_id, bot_id, source_id, version, embedding)
            select id, $4, tenant_id, bot_id, source_id, version, fresh.embedding
            from unnest($2::uuid[], $3::halfvec[]) as fresh (id, embedding)
            join chunk using (id)
            -- A conflict is noticed within a partition only, and the stored vector may be in another: the one of rows
            -- that are not moved yet.
            where chunk.tenant_id = $1 and (
                select 1 from chunk_vector as stored
                where stored.bot_id = chunk.bot_id and stored.chunk_id = chunk.id and stored.model = $4
                limit 1
            ) is null
            on conflict do nothing
            returning chunk_id
        )
        select count(*) as "chunks!", coalesce(sum(token_count), 0) as "tokens!"
        from kept
        join chunk on chunk.id = chunk_id
        where chunk.tenant_id = $1
        "#,
        tenant.uuid(),
        &ids,
        vectors as _,
        model,
    )
    .fetch_one(db)
    .await
}

/// Restems at most `limit` chunks whose words are in another language. Returns their number.
pub(in crate::knowledge) async fn reindex(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    text_search: &str,
    limit: i64,
) -> sqlx::Result<u64> {
    let reindexed = sqlx::query!(
        r#"
        update chunk_text
        set text_search = $3,
            tsv = strip(to_tsvector($3::text::regconfig, concat_ws(' ', heading, content)))
        from chunk
        where chunk_text.tenant_id = $1 and chunk_text.bot_id = $2 and chunk.tenant_id = $1
            and chunk.id = chunk_id and chunk_id in (
            select chunk_id from chunk_text
            where tenant_id = $1 and bot_id = $2 and text_search <> $3
            limit $4
        )
        "#,
        tenant.uuid(),
        bot.uuid(),
        text_search,
        limit,
    )
    .execute(db)
    .await?;
    Ok(reindexed.rows_affected())
}
