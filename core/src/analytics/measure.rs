//! Pure: rollup measure names and latency quantiles from bucket counts.

use std::str::FromStr;

use crate::bots::Channel;
use crate::conversation_status::ConversationStatus as Status;

/// Growth factor of the answer-time buckets: `(1 + α) / (1 - α)` with α = 0.05, for a relative error of at
/// most 5 % (`DDSketch`: Masson, Rim and Lee, VLDB 2019). Must match the number in the migration.
const GAMMA: f64 = 1.05 / 0.95;

/// A counted quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Conversations by channel and status.
    Conversation {
        /// Channel of the conversations.
        channel: Channel,
        /// Status of the conversations.
        status: Status,
    },
    /// Messages, except welcome messages.
    Message,
    /// Answers found in the knowledge.
    Answered,
    /// Replies without an answer from the knowledge.
    Unanswered,
    /// Tentative answers; a subset of the answered.
    Tentative,
    /// Positive feedback.
    Up,
    /// Negative feedback.
    Down,
    /// Answers by answer-time bucket.
    AnswerTime(i32),
    /// Knowledge sources.
    Source,
    /// Chunks of live versions.
    Chunk,
}

impl FromStr for Measure {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let (kind, rest) = name.split_once('.').unwrap_or((name, ""));
        Ok(match (kind, rest) {
            ("conversation", rest) => {
                let (channel, status) = rest.split_once('.').ok_or(())?;
                Measure::Conversation {
                    channel: channel.parse().map_err(drop)?,
                    status: status.parse().map_err(drop)?,
                }
            }
            ("message", "") => Measure::Message,
            ("answered", "") => Measure::Answered,
            ("unanswered", "") => Measure::Unanswered,
            ("tentative", "") => Measure::Tentative,
            ("feedback", "up") => Measure::Up,
            ("feedback", "down") => Measure::Down,
            ("answer_time", bucket) => Measure::AnswerTime(bucket.parse().map_err(drop)?),
            ("source", "") => Measure::Source,
            ("chunk", "") => Measure::Chunk,
            _ => return Err(()),
        })
    }
}

/// Histogram of answer times: bucket `i` holds `γ^(i-1) < t ≤ γ^i` milliseconds.
#[derive(Clone, Debug, Default)]
pub struct AnswerTimes(std::collections::BTreeMap<i32, i64>);

impl AnswerTimes {
    /// Adds `n` to a bucket.
    pub fn add(&mut self, bucket: i32, n: i64) {
        *self.0.entry(bucket).or_default() += n;
    }

    /// Quantile in milliseconds: the point of its bucket with equal relative error at both ends. `None`
    /// without answers.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: i64 = self.0.values().filter(|n| **n > 0).sum();
        let rank = (share * (total - 1).max(0) as f64).floor() as i64;
        let mut cumulative = 0;
        let (bucket, _) = self.0.iter().find(|(_, n)| {
            cumulative += (**n).max(0);
            cumulative > rank
        })?;
        Some(2.0 * GAMMA.powi(*bucket) / (GAMMA + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_parse_and_unknown_ones_do_not() {
        let kind = Measure::Conversation { channel: Channel::Slack, status: Status::Ended };
        for (name, measure) in [
            ("conversation.slack.ended", Ok(kind)),
            ("message", Ok(Measure::Message)),
            ("feedback.down", Ok(Measure::Down)),
            ("answer_time.-3", Ok(Measure::AnswerTime(-3))),
            ("conversation.fax.ended", Err(())),
            ("conversation", Err(())),
            ("message.x", Err(())),
            ("other", Err(())),
        ] {
            assert_eq!(name.parse(), measure, "{name}");
        }
    }

    #[test]
    fn a_quantile_is_at_most_five_percent_off() {
        let mut times = AnswerTimes::default();
        assert_eq!(times.quantile(0.5), None);
        for ms in 1..=1000 {
            times.add((f64::from(ms).ln() / GAMMA.ln()).ceil() as i32, 1);
        }
        for (share, exact) in [(0.0, 1.0), (0.5, 500.0), (0.95, 950.0), (1.0, 1000.0)] {
            let quantile = times.quantile(share).unwrap();
            assert!((quantile / exact - 1.0).abs() <= 0.0501, "{share}: {quantile}");
        }
    }
}
