//! Response bodies of the analytics routes.

use std::borrow::Cow;

use parlance_core::analytics;
use parlance_core::bots::{self, Channel};
use parlance_core::conversations;
use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::{Map, Value};

use crate::extract::enums::Word;
use crate::response::types::{Id, OrNull, Timestamp, inline, value};

/// Key figures of a tenant.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct AnalyticsOverview {
    /// Current number of bots.
    pub(crate) total_bots: i64,
    /// Conversations started in the period.
    pub(crate) total_conversations: i64,
    /// Messages of the period, without welcome messages.
    pub(crate) total_messages: i64,
    /// Currently active conversations, whenever they started.
    pub(crate) active_conversations: i64,
    /// Length of the period, in days.
    pub(crate) period_days: u32,
    /// All bots, newest first.
    pub(crate) bots: Vec<OverviewBot>,
    /// Messages of the period that were answered from the knowledge.
    pub(crate) answered_messages: i64,
    /// Messages of the period with an unknown answer.
    pub(crate) unanswered_messages: i64,
    /// Tentative answers of the period (confidence `low`); `answered_messages` includes them.
    pub(crate) tentative_messages: i64,
    /// Customer feedback on the answers of the period.
    pub(crate) feedback: FeedbackCounts,
    /// Response times of the answers of the period.
    pub(crate) answer_time_ms: AnswerTime,
    /// Current knowledge of the bots.
    pub(crate) knowledge: KnowledgeCounts,
}

/// Summary of a bot.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct OverviewBot {
    /// Unique identifier of the bot.
    pub(crate) id: Id,
    /// Name of the bot.
    pub(crate) name: String,
    /// Channel type.
    pub(crate) channel_type: Word<Channel>,
    /// Whether the bot is active.
    pub(crate) is_active: bool,
}

/// Customer feedback on answers.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct FeedbackCounts {
    /// Positive ratings.
    pub(crate) up: i64,
    /// Negative ratings.
    pub(crate) down: i64,
}

/// Response times in milliseconds, accurate to 5 %; `null` without answers.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct AnswerTime {
    /// Median.
    pub(crate) median: OrNull<f64>,
    /// 95th percentile.
    pub(crate) p95: OrNull<f64>,
}

/// Size of the knowledge.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct KnowledgeCounts {
    /// Number of knowledge sources.
    pub(crate) sources: i64,
    /// Number of searchable chunks.
    pub(crate) chunks: i64,
}

/// Conversations of a period.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct ConversationAnalytics {
    /// Conversations started in the period.
    pub(crate) total_conversations: i64,
    /// Length of the period, in days.
    pub(crate) period_days: u32,
    /// Breakdown of these conversations.
    pub(crate) breakdown: Breakdown,
}

/// Breakdown of the conversations of a period.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Breakdown {
    /// By channel; channels without conversations are omitted.
    pub(crate) by_channel: Counts,
    /// By current status; statuses without conversations are omitted.
    pub(crate) by_status: Counts,
    /// By start day; every day of the period is included.
    pub(crate) by_day: Counts,
}

/// Counts by name, in a meaningful order.
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
    /// The bot.
    pub(crate) bot_id: Id,
    /// Name of the bot.
    pub(crate) bot_name: String,
    /// Most recent wording of the question.
    pub(crate) question: String,
    /// Number of times it was asked in the period.
    pub(crate) count: i64,
    /// Number of tentative answers; the others are unknown answers.
    pub(crate) tentative: i64,
    /// Time of the first occurrence in the period.
    pub(crate) first_asked_at: Timestamp,
    /// Time of the last occurrence.
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

impl From<conversations::Gap> for KnowledgeGap {
    fn from(gap: conversations::Gap) -> Self {
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
