//! Knowledge gaps: questions that no knowledge answered.

use chrono::{DateTime, Utc};

use crate::ids::BotId;

/// A group of similar questions that no knowledge answered.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The bot.
    pub bot_id: BotId,
    /// That bot's name.
    pub bot_name: String,
    /// The latest wording.
    pub question: String,
    /// Number of occurrences.
    pub count: i64,
    /// Times answered tentatively.
    pub tentative: i64,
    /// First time in the period.
    pub first_asked_at: DateTime<Utc>,
    /// Last time.
    pub last_asked_at: DateTime<Utc>,
}

/// Filter of a list of gaps.
#[derive(Clone, Copy, Debug, Default)]
pub struct GapFilter {
    /// Gaps of this bot.
    pub bot: Option<BotId>,
    /// `true`: every answer was tentative; `false`: at least one was unknown.
    pub weak: Option<bool>,
}
