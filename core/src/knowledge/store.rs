//! SQL of the tables `source`, `source_version` and `chunk`. Private to the slice.

use pgvector::HalfVector;
use sqlx::PgExecutor;

use super::chunk::Chunk;
use super::ingest::Unembedded;
use super::search::{Candidate, Hit};
use super::{ChunkRow, Source, SourceType, Status};
use crate::ids::{BotId, ChunkId, JobId, SourceId, TenantId};
use crate::jobs::{Failure, State};

pub(super) struct NewSource<'a> {
    pub(super) id: SourceId,
    pub(super) tenant: TenantId,
    pub(super) bot: BotId,
    pub(super) name: &'a str,
    pub(super) source_type: SourceType,
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<&'a str>,
    pub(super) blob_key: Option<&'a str>,
    pub(super) size_bytes: Option<i64>,
    pub(super) content_hash: &'a [u8],
}

/// False when the bot has the same content already.
pub(super) async fn insert_source(db: impl PgExecutor<'_>, source: &NewSource<'_>) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        r#"
        insert into source (
            id, tenant_id, bot_id, name, source_type, file_name, media_type, blob_key, size_bytes,
            content_hash
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (bot_id, content_hash)
            where deleted_at is null and status not in ('failed', 'cancelled')
            do nothing
        "#,
        source.id.uuid(),
        source.tenant.uuid(),
        source.bot.uuid(),
        source.name,
        source.source_type as SourceType,
        source.file_name,
        source.media_type,
        source.blob_key,
        source.size_bytes,
        source.content_hash,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) async fn insert_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into source_version (source_id, version, tenant_id) values ($1, $2, $3)",
        source.uuid(),
        version,
        tenant.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn set_job(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    job: JobId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update source set job_id = $3 where tenant_id = $1 and id = $2",
        tenant.uuid(),
        source.uuid(),
        job.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn find_by_content(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    content_hash: &[u8],
) -> sqlx::Result<Option<SourceId>> {
    sqlx::query_scalar!(
        r#"
        select id as "id: SourceId"
        from source
        where tenant_id = $1 and bot_id = $2 and content_hash = $3 and deleted_at is null
            and status not in ('failed', 'cancelled')
        "#,
        tenant.uuid(),
        bot.uuid(),
        content_hash,
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn find_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    preview_length: i32,
) -> sqlx::Result<Option<Source>> {
    sqlx::query_as!(
        Source,
        r#"
        select source.id as "id: SourceId", source.bot_id as "bot_id: BotId", bot.name as bot_name,
            source.name, source_type as "source_type: SourceType", status as "status: Status",
            source.version, file_name, url, size_bytes, job_id as "job_id: JobId", error_code,
            error_message, source.created_at, source.updated_at,
            left(source_version.content, $3) as content_preview, chunk_count,
            (
                select count(*) from chunk
                where chunk.source_id = source.id and chunk.version = source.version
                    and embedding is not null
            ) as "embedded_count!"
        from source
        join bot on bot.id = source.bot_id and bot.deleted_at is null
        join source_version
            on source_version.source_id = source.id and source_version.version = source.version
        where source.tenant_id = $1 and source.id = $2 and source.deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        preview_length,
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn find_content(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Option<String>> {
    let content = sqlx::query_scalar!(
        r#"
        select content
        from source_version
        join source on source.id = source_version.source_id
            and source_version.version = coalesce(live_version, source.version)
        where source.tenant_id = $1 and source.id = $2 and deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(content.flatten())
}

pub(super) async fn list_chunks(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<Vec<ChunkRow>> {
    sqlx::query_as!(
        ChunkRow,
        r#"
        select chunk.id as "id: ChunkId", content, ordinal, chunk.created_at
        from chunk
        join source on source.id = chunk.source_id
            and chunk.version = coalesce(live_version, source.version)
        where source.tenant_id = $1 and source.id = $2 and deleted_at is null
        order by ordinal
        "#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_all(db)
    .await
}

pub(super) async fn find_file(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Option<String>> {
    let key = sqlx::query_scalar!(
        r#"
        select blob_key
        from source
        where tenant_id = $1 and id = $2 and version = $3 and deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .fetch_optional(db)
    .await?;
    Ok(key.flatten())
}

pub(super) async fn set_processing(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set status = 'processing', updated_at = now()
        where tenant_id = $1 and id = $2 and version = $3 and status = 'queued'
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn set_content(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
    content: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update source_version set content = $4 where tenant_id = $1 and source_id = $2 and version = $3",
        tenant.uuid(),
        source.uuid(),
        version,
        content,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The text and the file's name.
pub(super) async fn find_text(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<Option<(String, Option<String>)>> {
    sqlx::query!(
        r#"
        select content as "content!", file_name
        from source
        join source_version using (version)
        where source.tenant_id = $1 and source.id = $2 and version = $3
            and source_version.source_id = source.id and deleted_at is null and content is not null
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .map(|row| (row.content, row.file_name))
    .fetch_optional(db)
    .await
}

pub(super) async fn is_wanted(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"
        select 1 as "one!"
        from source
        where tenant_id = $1 and id = $2 and version = $3 and deleted_at is null
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

pub(super) struct VersionKey {
    pub(super) tenant: TenantId,
    pub(super) bot: BotId,
    pub(super) source: SourceId,
    pub(super) version: i32,
}

/// Chunks as columns, for one statement whatever their number.
#[derive(Default)]
pub(super) struct NewChunks {
    ids: Vec<uuid::Uuid>,
    contents: Vec<String>,
    headings: Vec<Option<String>>,
    starts: Vec<i32>,
    ends: Vec<i32>,
    tokens: Vec<i32>,
    hashes: Vec<Vec<u8>>,
}

impl NewChunks {
    pub(super) fn new(chunks: &[Chunk], hash: impl Fn(&Chunk) -> Vec<u8>) -> Self {
        // A text of at most 10 MiB has offsets far below two billion.
        let number = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
        let mut columns = Self::default();
        for chunk in chunks {
            columns.ids.push(ChunkId::fresh().uuid());
            columns.contents.push(chunk.content.clone());
            columns.headings.push(chunk.heading.clone());
            columns.starts.push(number(chunk.span.start));
            columns.ends.push(number(chunk.span.end));
            columns.tokens.push(number(chunk.tokens));
            columns.hashes.push(hash(chunk));
        }
        columns
    }
}

/// Keeps the vectors of texts that this tenant embedded before with this model.
pub(super) async fn insert_chunks(
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
            from unnest($6::uuid[], $7::text[], $8::text[], $9::integer[], $10::integer[], $11::integer[], $12::bytea[])
                with ordinality
                as fresh (id, content, heading, start_at, end_at, token_count, hash, place)
        ),
        counted as (
            update source_version
            set chunk_count = (select count(*) from fresh)
            where tenant_id = $1 and source_id = $3 and version = $4
        )
        insert into chunk (
            id, tenant_id, bot_id, source_id, version, ordinal, content, heading, start_at, end_at,
            token_count, hash, model, embedding, tsv
        )
        select fresh.id, $1, $2, $3, $4, place - 1, content, heading, start_at, end_at, token_count,
            hash, $5,
            (
                select embedding from chunk
                where chunk.tenant_id = $1 and chunk.hash = fresh.hash and chunk.model = $5
                    and embedding is not null
                limit 1
            ),
            setweight(to_tsvector($13::text::regconfig, coalesce(heading, '')), 'B')
                || setweight(to_tsvector($13::text::regconfig, content), 'A')
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
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn list_unembedded_ordinals(
    db: impl PgExecutor<'_>,
    key: &VersionKey,
) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        r#"
        select ordinal from chunk
        where tenant_id = $1 and source_id = $2 and version = $3 and embedding is null
        order by ordinal
        "#,
        key.tenant.uuid(),
        key.source.uuid(),
        key.version,
    )
    .fetch_all(db)
    .await
}

pub(super) async fn list_unembedded(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
    first: i32,
    last: i32,
) -> sqlx::Result<Vec<Unembedded>> {
    sqlx::query!(
        r#"
        select id, heading, content
        from chunk
        where tenant_id = $1 and source_id = $2 and version = $3 and ordinal between $4 and $5
            and embedding is null
        order by ordinal
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
        first,
        last,
    )
    .map(|row| Unembedded {
        id: row.id.into(),
        text: Chunk::embedded_text(row.heading.as_deref(), &row.content),
    })
    .fetch_all(db)
    .await
}

pub(super) async fn set_embeddings(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    ids: &[ChunkId],
    vectors: &[HalfVector],
) -> sqlx::Result<()> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        r#"
        update chunk
        set embedding = fresh.embedding
        from unnest($2::uuid[], $3::halfvec[]) as fresh (id, embedding)
        where chunk.tenant_id = $1 and chunk.id = fresh.id
        "#,
        tenant.uuid(),
        &ids,
        vectors as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn lock_source(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select 1 as "one!" from source where tenant_id = $1 and id = $2 for update"#,
        tenant.uuid(),
        source.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(())
}

/// The version is searched from the commit on, unless a newer one was begun.
pub(super) async fn make_live(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update source
        set live_version = $3, status = 'ready', error_code = null, error_message = null,
            updated_at = now()
        where tenant_id = $1 and id = $2 and version = $3
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn end_version(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
    state: State,
    failure: &Failure,
) -> sqlx::Result<()> {
    let status = if state == State::Cancelled { Status::Cancelled } else { Status::Failed };
    sqlx::query!(
        r#"
        update source
        set status = $4, error_code = $5, error_message = $6, updated_at = now()
        where tenant_id = $1 and id = $2 and version = $3 and status in ('queued', 'processing')
        "#,
        tenant.uuid(),
        source.uuid(),
        version,
        status as Status,
        failure.code,
        failure.message,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) struct Query<'a> {
    pub(super) tenant: TenantId,
    pub(super) bot: BotId,
    pub(super) model: &'a str,
    pub(super) vector: HalfVector,
    pub(super) text: &'a str,
    pub(super) text_search: &'a str,
    pub(super) candidates: i64,
}

/// Both rankings in one statement. The vectors are compared exactly: within one bot that is fast and
/// misses nothing. The question's words are joined by "or", for a question rarely holds only words of
/// its answer.
pub(super) async fn search(db: impl PgExecutor<'_>, query: &Query<'_>) -> sqlx::Result<Vec<Candidate>> {
    sqlx::query!(
        r#"
        with live as (
            select chunk.id, embedding, tsv
            from chunk
            join source on source.id = chunk.source_id and source.live_version = chunk.version
            where chunk.tenant_id = $1 and chunk.bot_id = $2 and model = $3 and deleted_at is null
        ),
        dense as (
            select id, row_number() over (order by distance, id) as place
            from (
                select id, embedding <#> $4::halfvec as distance from live
                order by distance
                limit $7
            ) as nearest
        ),
        question as (
            select replace(plainto_tsquery($6::text::regconfig, $5)::text, '&', '|')::tsquery as words
        ),
        lexical as (
            select id, row_number() over (order by rank desc, id) as place
            from (
                select id, ts_rank_cd(tsv, words, 1) as rank from live, question
                where tsv @@ words
                order by rank desc
                limit $7
            ) as best
        )
        select chunk.id, chunk.source_id, source.name as source_name, source.url, ordinal, page, heading,
            content, start_at, end_at,
            -(embedding <#> $4::halfvec) as "cosine!",
            dense.place as "dense_rank?", lexical.place as "text_rank?"
        from dense
        full join lexical using (id)
        join chunk using (id)
        join source on source.id = chunk.source_id
        where chunk.tenant_id = $1
        "#,
        query.tenant.uuid(),
        query.bot.uuid(),
        query.model,
        &query.vector as _,
        query.text,
        query.text_search,
        query.candidates,
    )
    .map(|row| Candidate {
        hit: Hit {
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
            cosine: row.cosine as f32,
            score: 0.0,
        },
        dense_rank: row.dense_rank,
        text_rank: row.text_rank,
    })
    .fetch_all(db)
    .await
}
