//! Analytics, as the API shows them.

use std::borrow::Cow;

use parlance_core::analytics;
use parlance_core::bots::{self, Channel};
use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::{Map, Value};

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp, inline, value};

/// A tenant in numbers.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct AnalyticsOverview {
    /// Bots that exist now.
    pub(crate) total_bots: i64,
    /// ConversationAnalytics that began in the period.
    pub(crate) total_conversations: i64,
    /// Messages of the period; welcome messages do not count.
    pub(crate) total_messages: i64,
    /// ConversationAnalytics that go on now, whenever they began.
    pub(crate) active_conversations: i64,
    /// The period's length, in days.
    pub(crate) period_days: u32,
    /// Every bot, newest first.
    pub(crate) bots: Vec<OverviewBot>,
    /// Messages of the period that the knowledge answered.
    pub(crate) answered_messages: i64,
    /// Messages of the period that it did not.
    pub(crate) unanswered_messages: i64,
    /// Answers of the period that were tentative (confidence `low`); they are among `answered_messages` too.
    pub(crate) tentative_messages: i64,
    /// What customers think of the period's answers.
    pub(crate) feedback: FeedbackCounts,
    /// How long the period's answers took.
    pub(crate) answer_time_ms: AnswerTime,
    /// What the bots know now.
    pub(crate) knowledge: KnowledgeCounts,
}

/// A bot, in short.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct OverviewBot {
    /// Its id.
    pub(crate) id: Id,
    /// Its name.
    pub(crate) name: String,
    /// Where it talks.
    pub(crate) channel_type: Word<Channel>,
    /// Whether it answers.
    pub(crate) is_active: bool,
}

/// What customers think of answers.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct FeedbackCounts {
    /// They helped.
    pub(crate) up: i64,
    /// They did not.
    pub(crate) down: i64,
}

/// How long answers took, in milliseconds, to within 5 %; `null` without answers.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct AnswerTime {
    /// Half of them took no longer.
    pub(crate) median: OrNull<f64>,
    /// 95 of 100 took no longer.
    pub(crate) p95: OrNull<f64>,
}

/// What bots know.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct KnowledgeCounts {
    /// Knowledge sources.
    pub(crate) sources: i64,
    /// Chunks that can be found.
    pub(crate) chunks: i64,
}

/// The conversations of a period.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct ConversationAnalytics {
    /// How many began.
    pub(crate) total_conversations: i64,
    /// The period's length, in days.
    pub(crate) period_days: u32,
    /// The same, broken down.
    pub(crate) breakdown: Breakdown,
}

/// The conversations of a period, broken down.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Breakdown {
    /// By channel; only those that occur.
    pub(crate) by_channel: Counts,
    /// By where they stand now; only what occurs.
    pub(crate) by_status: Counts,
    /// By the day on which they began; every day of the period.
    pub(crate) by_day: Counts,
}

/// Numbers by name, in an order that means something.
#[derive(Clone, Debug)]
pub(crate) struct Counts(pub(crate) Vec<(String, i64)>);

value!([] Counts, Cow::Borrowed("counts"), inline(MetaSchema {
    additional_properties: Some(Box::new(<i64 as Type>::schema_ref())),
    ..MetaSchema::new("object")
}), |self| {
    let fields = self.0.iter().map(|(name, n)| (name.clone(), Value::from(*n)));
    Value::Object(fields.collect::<Map<_, _>>())
});

/// Near-duplicate questions that got an unknown or a tentative answer.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct KnowledgeGap {
    /// The bot that was asked.
    pub(crate) bot_id: Id,
    /// That bot's name.
    pub(crate) bot_name: String,
    /// How it was asked last.
    pub(crate) question: String,
    /// How often it was asked in the period.
    pub(crate) count: i64,
    /// How many of these got a tentative answer; the rest got an unknown one.
    pub(crate) tentative: i64,
    /// When it was first asked in the period.
    pub(crate) first_asked_at: Timestamp,
    /// When it was last asked.
    pub(crate) last_asked_at: Timestamp,
}

impl From<analytics::Overview> for AnalyticsOverview {
    fn from(overview: analytics::Overview) -> Self {
        let rounded = |ms: f64| (ms * 10.0).round() / 10.0;
        Self {
            total_bots: i64::try_from(overview.bots.len()).unwrap_or(i64::MAX),
            total_conversations: overview.conversations,
            total_messages: overview.messages,
            active_conversations: overview.active_conversations,
            period_days: overview.days,
            bots: overview.bots.into_iter().map(Into::into).collect(),
            answered_messages: overview.answered,
            unanswered_messages: overview.unanswered,
            tentative_messages: overview.tentative,
            feedback: FeedbackCounts { up: overview.up, down: overview.down },
            answer_time_ms: AnswerTime {
                median: OrNull(overview.answer_ms_median.map(rounded)),
                p95: OrNull(overview.answer_ms_p95.map(rounded)),
            },
            knowledge: KnowledgeCounts { sources: overview.sources, chunks: overview.chunks },
        }
    }
}

impl From<bots::Summary> for OverviewBot {
    fn from(bot: bots::Summary) -> Self {
        Self {
            id: bot.id.into(),
            name: bot.name,
            channel_type: bot.channel_type.into(),
            is_active: bot.is_active,
        }
    }
}

impl From<analytics::ConversationsReport> for ConversationAnalytics {
    fn from(report: analytics::ConversationsReport) -> Self {
        let by_channel = report.by_channel.into_iter().map(|(channel, n)| (channel.as_str().to_owned(), n));
        let by_status = report.by_status.into_iter().map(|(status, n)| (status.as_str().to_owned(), n));
        let by_day = report.by_day.into_iter().map(|(day, n)| (day.to_string(), n));
        Self {
            total_conversations: report.total,
            period_days: report.days,
            breakdown: Breakdown {
                by_channel: Counts(by_channel.collect()),
                by_status: Counts(by_status.collect()),
                by_day: Counts(by_day.collect()),
            },
        }
    }
}

impl From<analytics::Gap> for KnowledgeGap {
    fn from(gap: analytics::Gap) -> Self {
        Self {
            bot_id: gap.bot_id.into(),
            bot_name: gap.bot_name,
            question: gap.question,
            count: gap.count,
            tentative: gap.tentative,
            first_asked_at: gap.first_asked_at.into(),
            last_asked_at: gap.last_asked_at.into(),
        }
    }
}
