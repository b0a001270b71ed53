//! Analytics: per-tenant usage and quality figures from rollups.
//!
//! Owns the tables `rollup` and `rollup_delta`, which triggers write. Queries sum rollups and never count
//! messages. [`mod@period`] and [`mod@measure`] are pure.

use chrono::NaiveDate;
use sqlx::{PgConnection, PgTransaction};

use crate::bots::{self, Channel, Summary};
use crate::context::Context;
use crate::conversation_status::ConversationStatus as Status;
use crate::error::Result;
use crate::ids::{BotId, TenantId};

mod days;
pub mod measure;
pub mod period;
mod store;

pub use period::Period;

use measure::{AnswerTimes, Measure};

/// Maximum number of deltas per fold.
const FOLD_BATCH: i64 = 10_000;

/// A tenant's key figures.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The period's length, in days.
    pub days: u32,
    /// Every bot, newest first.
    pub bots: Vec<Summary>,
    /// Conversations started in the period.
    pub conversations: i64,
    /// Messages written in the period, except welcome messages.
    pub messages: i64,
    /// Currently active conversations, whenever they started.
    pub active_conversations: i64,
    /// Answers found in the knowledge.
    pub answered: i64,
    /// Replies without an answer from the knowledge.
    pub unanswered: i64,
    /// Tentative answers; a subset of the answered.
    pub tentative: i64,
    /// Answers with positive feedback.
    pub up: i64,
    /// Answers with negative feedback.
    pub down: i64,
    /// Median answer time in milliseconds; `None` without answers.
    pub answer_ms_median: Option<f64>,
    /// 95th percentile of the answer time in milliseconds; `None` without answers.
    pub answer_ms_p95: Option<f64>,
    /// Current number of knowledge sources.
    pub sources: i64,
    /// Current number of chunks in live versions.
    pub chunks: i64,
}

/// Conversation counts of a period.
#[derive(Clone, Debug)]
pub struct ConversationsReport {
    /// The period's length, in days.
    pub days: u32,
    /// Conversations started in the period.
    pub total: i64,
    /// By channel, non-zero only.
    pub by_channel: Vec<(Channel, i64)>,
    /// By current status, non-zero only.
    pub by_status: Vec<(Status, i64)>,
    /// By start day: every day of the period, oldest first.
    pub by_day: Vec<(NaiveDate, i64)>,
}

/// Number of conversations by bot, status and channel.
#[derive(Clone, Copy, Debug)]
pub struct ConversationCount {
    /// The bot.
    pub bot: BotId,
    /// Their status.
    pub status: Status,
    /// Their channel.
    pub channel: Channel,
    /// Their number.
    pub n: i64,
}

/// Computes a tenant's overview.
///
/// # Errors
/// When a statement fails.
pub async fn overview(ctx: &Context, tenant: TenantId, period: &Period) -> Result<Overview> {
    let bots = bots::list_all(ctx, tenant).await?;
    let mut db = ctx.db().for_tenant(tenant).await?;
    let in_period = store::sum(&mut *db, tenant, period).await?;
    let current = store::sum_current(&mut *db, tenant).await?;
    let mut overview = Overview {
        days: period.days(),
        bots,
        conversations: 0,
        messages: 0,
        active_conversations: 0,
        answered: 0,
        unanswered: 0,
        tentative: 0,
        up: 0,
        down: 0,
        answer_ms_median: None,
        answer_ms_p95: None,
        sources: 0,
        chunks: 0,
    };
    let mut times = AnswerTimes::default();
    for (measure, n) in in_period {
        match measure {
            Measure::Conversation { .. } => overview.conversations += n,
            Measure::Message => overview.messages += n,
            Measure::Answered => overview.answered += n,
            Measure::Unanswered => overview.unanswered += n,
            Measure::Tentative => overview.tentative += n,
            Measure::Up => overview.up += n,
            Measure::Down => overview.down += n,
            Measure::AnswerTime(bucket) => times.add(bucket, n),
            Measure::Source | Measure::Chunk => {}
        }
    }
    for (measure, n) in current {
        match measure {
            Measure::Conversation { status: Status::Active, .. } => overview.active_conversations += n,
            Measure::Source => overview.sources += n,
            Measure::Chunk => overview.chunks += n,
            _ => {}
        }
    }
    overview.answer_ms_median = times.quantile(0.5);
    overview.answer_ms_p95 = times.quantile(0.95);
    Ok(overview)
}

/// Counts the conversations of a period, of one bot or all.
///
/// # Errors
/// When the statement fails.
pub async fn conversations(
    ctx: &Context,
    tenant: TenantId,
    period: &Period,
    bot: Option<BotId>,
) -> Result<ConversationsReport> {
    let counts = store::sum_by_day(&mut *ctx.db().for_tenant(tenant).await?, tenant, period, bot).await?;
    let mut by_day: Vec<(NaiveDate, i64)> = period.dates().map(|date| (date, 0)).collect();
    let mut by_channel = Channel::ALL.iter().map(|channel| (*channel, 0)).collect::<Vec<_>>();
    let mut by_status = Status::ALL.iter().map(|status| (*status, 0)).collect::<Vec<_>>();
    let mut total = 0;
    for (day, measure, n) in counts {
        let Measure::Conversation { channel, status } = measure else { continue };
        total += n;
        if let Some((_, count)) = by_day.get_mut(day) {
            *count += n;
        }
        add(&mut by_channel, channel, n);
        add(&mut by_status, status, n);
    }
    by_channel.retain(|(_, n)| *n > 0);
    by_status.retain(|(_, n)| *n > 0);
    Ok(ConversationsReport { days: period.days(), total, by_channel, by_status, by_day })
}

fn add<T: PartialEq>(counts: &mut [(T, i64)], key: T, n: i64) {
    if let Some((_, count)) = counts.iter_mut().find(|(existing, _)| *existing == key) {
        *count += n;
    }
}

/// Non-zero conversation counts of a tenant by bot, status and channel.
pub(crate) async fn count_conversations(
    db: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<ConversationCount>> {
    let counts = store::count_by_bot(db, tenant).await?;
    let counts = counts.into_iter().filter_map(|(bot, measure, n)| match measure {
        Measure::Conversation { channel, status } => Some(ConversationCount { bot, status, channel, n }),
        _ => None,
    });
    Ok(counts.filter(|count| count.n > 0).collect())
}

/// Folds one batch of deltas into rollups and returns their number. Safe to call from any number of
/// processes: an advisory lock admits one at a time.
///
/// # Errors
/// When a statement fails.
pub async fn fold(ctx: &Context) -> Result<u64> {
    let mut tx = ctx.db().platform().begin().await?;
    if !store::lock_fold(&mut *tx).await? {
        return Ok(0);
    }
    let folded = store::fold(&mut *tx, FOLD_BATCH).await?;
    tx.commit().await?;
    Ok(folded)
}

/// Deletes a bot's figures, in the caller's transaction.
///
/// # Errors
/// When a statement fails.
pub(crate) async fn forget(tx: &mut PgTransaction<'_>, tenant: TenantId, bot: BotId) -> Result<()> {
    store::forget_deltas(&mut **tx, tenant, bot).await?;
    Ok(store::forget(&mut **tx, tenant, bot).await?)
}
