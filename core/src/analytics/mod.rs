//! Analytics: what a tenant's bots did, counted.
//!
//! Owns the tables `rollup` and `rollup_delta`, which triggers write. Nothing here counts messages when it
//! is asked: it sums rollups. [`mod@period`] and [`mod@measure`] are pure.

use chrono::NaiveDate;
use sqlx::{PgConnection, PgTransaction};

use crate::bots::{self, Channel, Summary};
use crate::context::Context;
use crate::enums::ConversationStatus as Status;
use crate::error::Result;
use crate::ids::{BotId, TenantId};

pub mod measure;
pub mod period;
mod store;

pub use period::Period;

use measure::{AnswerTimes, Measure};

/// Deltas that one fold takes at most.
const FOLD: i64 = 10_000;

/// A tenant in numbers.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The period's length, in days.
    pub days: u32,
    /// Every bot, newest first.
    pub bots: Vec<Summary>,
    /// Conversations that began in the period.
    pub conversations: i64,
    /// Messages that were written in the period; welcome messages excepted.
    pub messages: i64,
    /// Conversations that go on now, whenever they began.
    pub active_conversations: i64,
    /// Answers that knowledge had.
    pub answered: i64,
    /// Answers that said that it had none.
    pub unanswered: i64,
    /// Answered messages whose answer was tentative.
    pub tentative: i64,
    /// Answers that helped, as customers say.
    pub up: i64,
    /// Answers that did not.
    pub down: i64,
    /// How long half of the answers took at most, in milliseconds; `None` without answers.
    pub answer_ms_median: Option<f64>,
    /// The same of 95 % of the answers.
    pub answer_ms_p95: Option<f64>,
    /// Knowledge sources now.
    pub sources: i64,
    /// Chunks that can be found now.
    pub chunks: i64,
}

/// The conversations of a period.
#[derive(Clone, Debug)]
pub struct ConversationsReport {
    /// The period's length, in days.
    pub days: u32,
    /// How many began.
    pub total: i64,
    /// By channel; only those that occur.
    pub by_channel: Vec<(Channel, i64)>,
    /// By where they stand now; only what occurs.
    pub by_status: Vec<(Status, i64)>,
    /// By the day on which they began; every day of the period, oldest first.
    pub by_day: Vec<(NaiveDate, i64)>,
}

/// How many conversations of a kind there are.
#[derive(Clone, Copy, Debug)]
pub struct ConversationCount {
    /// The bot.
    pub bot: BotId,
    /// Where they stand.
    pub status: Status,
    /// Where they take place.
    pub channel: Channel,
    /// How many.
    pub n: i64,
}

/// A tenant in numbers.
///
/// # Errors
/// When a statement fails.
pub async fn overview(ctx: &Context, tenant: TenantId, period: &Period) -> Result<Overview> {
    let bots = bots::list_all(ctx, tenant).await?;
    let mut db = ctx.db().of(tenant).await?;
    let in_period = store::sum(&mut *db, tenant, period).await?;
    let ever = store::sum_ever(&mut *db, tenant).await?;
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
    for (measure, n) in ever {
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

/// The conversations of a period, all or those with a bot.
///
/// # Errors
/// When the statement fails.
pub async fn conversations(
    ctx: &Context,
    tenant: TenantId,
    period: &Period,
    bot: Option<BotId>,
) -> Result<ConversationsReport> {
    let counted = store::sum_by_day(&mut *ctx.db().of(tenant).await?, tenant, period, bot).await?;
    let mut by_day: Vec<(NaiveDate, i64)> = period.dates().map(|date| (date, 0)).collect();
    let mut by_channel = Channel::ALL.iter().map(|channel| (*channel, 0)).collect::<Vec<_>>();
    let mut by_status = Status::ALL.iter().map(|status| (*status, 0)).collect::<Vec<_>>();
    let mut total = 0;
    for (day, measure, n) in counted {
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

fn add<T: PartialEq>(counts: &mut [(T, i64)], what: T, n: i64) {
    if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == what) {
        *count += n;
    }
}

/// Conversation counts of a tenant by bot, status and channel; without the counts that are 0.
pub(crate) async fn count_conversations(
    db: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<ConversationCount>> {
    let counts = store::count_by_bot(db, tenant).await?;
    let kinds = counts.into_iter().filter_map(|(bot, measure, n)| match measure {
        Measure::Conversation { channel, status } => Some(ConversationCount { bot, status, channel, n }),
        _ => None,
    });
    Ok(kinds.filter(|kind| kind.n > 0).collect())
}

/// Folds deltas into rollups; gives how many. Any number of processes may do it: one does.
///
/// # Errors
/// When a statement fails.
pub async fn fold(ctx: &Context) -> Result<u64> {
    let mut tx = ctx.db().platform().begin().await?;
    if !store::lock_fold(&mut *tx).await? {
        return Ok(0);
    }
    let folded = store::fold(&mut *tx, FOLD).await?;
    tx.commit().await?;
    Ok(folded)
}

/// Forgets a bot's numbers, in the caller's transaction.
///
/// # Errors
/// When a statement fails.
pub(crate) async fn forget(tx: &mut PgTransaction<'_>, tenant: TenantId, bot: BotId) -> Result<()> {
    store::forget_deltas(&mut **tx, tenant, bot).await?;
    Ok(store::forget(&mut **tx, tenant, bot).await?)
}
