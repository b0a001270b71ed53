//! Ingestion pipeline: file to text to chunks to vectors, one job per step.
//!
//! Each step has a function that reads the job's input and one that settles it: results, job completion and
//! follow-up jobs are one transaction, guarded by the job's lease. The worker does the work in between.

use pgvector::HalfVector;
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;

use parlance_extract::protocol::{Document, Request};

use super::chunk::{Chunk, Markup, Text};
use super::store;
use crate::bots::{self, Bot};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ids::{BotId, ChunkId, SourceId, TenantId};
use crate::jobs::{self, About, Claim, Job, Kind, State};
use crate::language::Language;
use crate::platform::fair_queue::Caller;
use crate::purge_job::{self, Purge};
use crate::tenants::quota::{self, Growth};

/// Chunks per embed job: about a second of work. Small enough for fairness and visible progress, large enough
/// for negligible job overhead.
pub const EMBED_BATCH: usize = 32;

/// Chunks per insert statement, to bound its size.
const INSERT_BATCH: usize = 1_000;

/// Job: extracts the text of a stored file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExtractFile {
    /// The source.
    pub source: SourceId,
    /// The version being built.
    pub version: i32,
}

impl Job for ExtractFile {
    const KIND: Kind = Kind::Upload;
}

/// Job: splits a version's text into chunks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChunkText {
    /// The source.
    pub source: SourceId,
    /// The version being built.
    pub version: i32,
}

impl Job for ChunkText {
    const KIND: Kind = Kind::Chunk;
}

/// Job: embeds the chunks of a version with ordinals `first` to `last` that have no vector of the model yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmbedBatch {
    /// The source.
    pub source: SourceId,
    /// The version being built.
    pub version: i32,
    /// First ordinal.
    pub first: i32,
    /// Last ordinal, inclusive.
    pub last: i32,
}

impl Job for EmbedBatch {
    const KIND: Kind = Kind::Embed;
}

/// A stored file to extract.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// Its key in the blob store.
    pub blob_key: String,
    /// Declared name and media type.
    pub declared: Request,
}

/// A chunk to embed.
#[derive(Clone, Debug)]
pub struct Unembedded {
    /// The chunk.
    pub id: ChunkId,
    /// Text to embed: headings and content.
    pub text: String,
    /// Its length in tokens.
    pub tokens: i64,
}

/// The stored file of a version.
///
/// # Errors
/// [`Error::Cancelled`] when the source was deleted or the version replaced.
pub async fn stored_file(ctx: &Context, tenant: TenantId, job: &ExtractFile) -> Result<StoredFile> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    let found = store::find_file(&mut *db, tenant, job.source, job.version).await?;
    let file = found.ok_or(Error::Cancelled)?;
    store::set_processing(&mut *db, tenant, job.source, job.version).await?;
    Ok(file)
}

/// Settles an [`ExtractFile`]: stores the text and enqueues chunking.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now; [`Error::Cancelled`] when the source was deleted or the
/// version replaced; [`Error::LimitReached`] when the plan has no room for the text.
pub async fn settle_extracted(
    ctx: &Context,
    claim: &Claim,
    job: &ExtractFile,
    document: &Document,
) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::succeed(&mut tx, claim).await?;
    if !store::is_wanted(&mut **tx, tenant, job.source, job.version).await? {
        return Err(Error::Cancelled);
    }
    hold_growth(&mut tx, tenant, job.source, document.text.len()).await?;
    store::set_content(&mut **tx, tenant, job.source, job.version, document).await?;
    let next = ChunkText { source: job.source, version: job.version };
    jobs::enqueue(ctx, &mut tx, following(claim), &next).await?;
    tx.commit().await?;
    jobs::announce(ctx, claim, State::Succeeded);
    jobs::dispatch::nudge(ctx, Kind::Chunk);
    Ok(())
}

/// The text of a version.
///
/// # Errors
/// [`Error::Cancelled`] when the source was deleted or the version replaced.
pub async fn version_text(ctx: &Context, tenant: TenantId, job: &ChunkText) -> Result<Text> {
    let db = ctx.db().reading(tenant);
    let found = store::find_text(db, tenant, job.source, job.version).await?;
    let found = found.ok_or(Error::Cancelled)?;
    let pages = if found.is_site {
        store::list_page_starts(db, tenant, job.source, job.version).await?
    } else {
        store::numbered(&found.page_starts)
    };
    Ok(Text { text: found.text, markup: found.markup.unwrap_or(Markup::Plain), pages, apart: found.is_site })
}

/// Settles a [`ChunkText`]: stores the chunks, reuses vectors the tenant already has for the same text, and
/// enqueues embed jobs for the rest.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now; [`Error::Cancelled`] when the source was deleted or the
/// version replaced; [`Error::Rejected`] when there are no chunks; [`Error::LimitReached`] when they have more tokens than
/// the plan may still embed this month.
pub async fn settle_chunked(ctx: &Context, claim: &Claim, job: &ChunkText, chunks: Vec<Chunk>) -> Result<()> {
    if chunks.is_empty() {
        return Err(Error::rejected("empty", "The document has no text in it."));
    }
    let tenant = claim.about.tenant;
    let bot = bot(ctx, claim).await?;
    let bytes = chunks.iter().map(|chunk| chunk.content.len()).sum();
    let caller = Caller::background(tenant);
    let rows = ctx.cpu().scan(caller, bytes, move || store::NewChunks::batches(chunks, INSERT_BATCH)).await?;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::succeed(&mut tx, claim).await?;
    if !store::is_wanted(&mut **tx, tenant, job.source, job.version).await? {
        return Err(Error::Cancelled);
    }
    let version = store::VersionKey { tenant, bot: bot.id, source: job.source, version: job.version };
    let (model, text_search) = (ctx.embedder().id(), bot.language.text_search());
    for rows in rows {
        store::insert_chunks(&mut **tx, &version, model, text_search, &rows).await?;
    }
    embed_missing(ctx, &mut tx, claim, &version).await?;
    tx.commit().await?;
    jobs::announce(ctx, claim, State::Succeeded);
    jobs::dispatch::nudge(ctx, Kind::Embed);
    jobs::dispatch::nudge(ctx, Kind::Purge);
    Ok(())
}

/// The chunks of a batch without a vector, in order.
///
/// # Errors
/// [`Error::Cancelled`] when the source was deleted or the version replaced; [`Error::LimitReached`] when they have more
/// tokens than the plan may still embed this month.
pub async fn unembedded(ctx: &Context, claim: &Claim, job: &EmbedBatch) -> Result<Vec<Unembedded>> {
    let (tenant, bot) = (claim.about.tenant, owner(claim)?);
    let db = ctx.db().reading(tenant);
    if !store::is_wanted(db, tenant, job.source, job.version).await? {
        return Err(Error::Cancelled);
    }
    let version = store::VersionKey { tenant, bot, source: job.source, version: job.version };
    let model = ctx.embedder().id();
    let chunks = store::list_unembedded(db, &version, model, job.first, job.last).await?;
    let tokens = chunks.iter().map(|chunk| chunk.tokens).sum();
    quota::check_embedding(&mut *ctx.db().for_tenant(tenant).await?, tenant, tokens).await?;
    Ok(chunks)
}

/// Settles an [`EmbedBatch`]: stores the vectors and, if they were the last missing ones, makes the version
/// live.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now; [`Error::LimitReached`] when other jobs used up the tokens
/// that the plan may embed this month.
pub async fn settle_embedded(
    ctx: &Context,
    claim: &Claim,
    job: &EmbedBatch,
    vectors: &[(ChunkId, Vec<f32>)],
) -> Result<()> {
    let (tenant, bot) = (claim.about.tenant, owner(claim)?);
    let version = store::VersionKey { tenant, bot, source: job.source, version: job.version };
    let ids: Vec<ChunkId> = vectors.iter().map(|(id, _)| *id).collect();
    let halves: Vec<HalfVector> =
        vectors.iter().map(|(_, vector)| HalfVector::from_f32_slice(vector)).collect();
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::succeed(&mut tx, claim).await?;
    let embedded = store::insert_vectors(&mut **tx, tenant, ctx.embedder().id(), &ids, &halves).await?;
    // Serialises concurrent settles of the last two batches: the second waits here and then sees the first's
    // end.
    store::lock_source(&mut **tx, tenant, job.source).await?;
    if !jobs::has_sibling(&mut tx, claim).await? {
        embed_missing(ctx, &mut tx, claim, &version).await?;
    }
    quota::count_embedded(&mut tx, tenant, embedded.tokens).await?;
    tx.commit().await?;
    ctx.meters().embedded(embedded);
    jobs::announce(ctx, claim, State::Succeeded);
    jobs::dispatch::nudge(ctx, Kind::Embed);
    jobs::dispatch::nudge(ctx, Kind::Purge);
    Ok(())
}

/// Enqueues embed jobs for the chunks without a vector of this process's model, or makes the version live if
/// there are none. After the last batch vectors are missing only if workers with another model made some.
async fn embed_missing(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    claim: &Claim,
    key: &store::VersionKey,
) -> Result<()> {
    let missing = store::list_missing(&mut **tx, key, ctx.embedder().id()).await?;
    // All or none: a version that cannot be completed is not embedded in part.
    quota::check_embedding(tx, key.tenant, missing.iter().map(|chunk| chunk.tokens).sum()).await?;
    for batch in missing.chunks(EMBED_BATCH) {
        if let [first, .., last] | [first @ last] = batch {
            let (first, last) = (first.ordinal, last.ordinal);
            let next = EmbedBatch { source: key.source, version: key.version, first, last };
            jobs::enqueue(ctx, tx, following(claim), &next).await?;
        }
    }
    if missing.is_empty() {
        go_live(ctx, tx, key.tenant, key.source, key.version).await?;
    }
    Ok(())
}

/// Makes the version live and enqueues removal of earlier ones.
async fn go_live(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    source: SourceId,
    version: i32,
) -> Result<()> {
    store::make_live(&mut **tx, tenant, source, version).await?;
    if version > 1 {
        purge_job::enqueue(ctx, tx, tenant, Purge::Versions { source }).await?;
    }
    Ok(())
}

/// Admits a text to a source. The caller stores it in the same transaction.
///
/// # Errors
/// [`Error::LimitReached`] when the plan has no room for it.
pub(super) async fn hold_growth(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    source: SourceId,
    bytes: usize,
) -> Result<()> {
    // The trigger that counts the text locks the source, which comes before the tenant.
    store::hold_source(&mut **tx, tenant, source).await?;
    quota::hold_growth(tx, tenant, Growth::of_bytes(bytes)).await
}

pub(super) fn following(claim: &Claim) -> About {
    About { parent: Some(claim.id), ..claim.about }
}

/// The language of the bot of a job.
///
/// # Errors
/// [`Error::Cancelled`] when the bot was deleted.
pub async fn language(ctx: &Context, claim: &Claim) -> Result<Language> {
    Ok(bot(ctx, claim).await?.language)
}

async fn bot(ctx: &Context, claim: &Claim) -> Result<Bot> {
    match bots::get(ctx, claim.about.tenant, owner(claim)?).await {
        Err(Error::NotFound(_)) => Err(Error::Cancelled),
        bot => bot,
    }
}

fn owner(claim: &Claim) -> Result<BotId> {
    claim.about.bot.ok_or_else(|| Error::internal("a source's job has no bot", claim.id.to_string()))
}
