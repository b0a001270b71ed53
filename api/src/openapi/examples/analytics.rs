//! Analytics.

use parlance_core::bots::Channel;
use poem_openapi::types::Example;

use super::{BOT, moment};
use crate::extract::types::{Id, OrNull};
use crate::routes::analytics::{
    AnswerTime, Breakdown, Conversations, Counts, FeedbackCounts, KnowledgeCounts, KnowledgeGap, Overview,
    OverviewBot,
};

impl Example for Overview {
    fn example() -> Self {
        Self {
            total_bots: 1,
            total_conversations: 1250,
            total_messages: 8500,
            active_conversations: 45,
            period_days: 7,
            bots: vec![OverviewBot {
                id: Id::from(BOT),
                name: "Customer Support Bot".into(),
                channel_type: Channel::Webchat.into(),
                is_active: true,
            }],
            answered_messages: 4010,
            unanswered_messages: 240,
            tentative_messages: 310,
            feedback: FeedbackCounts { up: 310, down: 22 },
            answer_time_ms: AnswerTime { median: OrNull(Some(31.5)), p95: OrNull(Some(58.1)) },
            knowledge: KnowledgeCounts { sources: 12, chunks: 860 },
        }
    }
}

impl Example for Conversations {
    fn example() -> Self {
        let counts = |counts: &[(&str, i64)]| {
            Counts(counts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect())
        };
        Self {
            total_conversations: 131,
            period_days: 3,
            breakdown: Breakdown {
                by_channel: counts(&[("webchat", 100), ("whatsapp", 31)]),
                by_status: counts(&[("active", 5), ("ended", 125), ("abandoned", 1)]),
                by_day: counts(&[("2026-01-13", 42), ("2026-01-14", 38), ("2026-01-15", 51)]),
            },
        }
    }
}

impl Example for KnowledgeGap {
    fn example() -> Self {
        Self {
            bot_id: Id::from(BOT),
            bot_name: "Customer Support Bot".into(),
            question: "Do you ship to Iceland?".into(),
            count: 7,
            tentative: 2,
            first_asked_at: moment(-86_400),
            last_asked_at: moment(0),
        }
    }
}
