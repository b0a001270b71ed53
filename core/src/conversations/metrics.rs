//! Metrics of answers.

use super::{Answer, Confidence};
use crate::platform::meters::Meters;

/// Counts an answer by its outcome and records the duration of its parts.
pub(super) fn record(meters: &Meters, answer: &Answer) {
    let outcome = match answer {
        Answer { is_partial: true, .. } => "partial",
        Answer { confidence: Some(Confidence::Low), .. } => "tentative",
        Answer { answered: true, .. } => "answered",
        Answer { .. } => "unanswered",
    };
    let timings = &answer.timings;
    let parts = [
        ("embed", timings.embed),
        ("search", timings.search),
        ("rerank", timings.rerank),
        ("first_token", timings.first_token),
        ("total", timings.total),
    ]
    .map(|(part, milliseconds)| (part, milliseconds / 1_000.0));
    meters.answered(outcome, answer.degraded, &parts);
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::conversations::Timings;

    fn answer(confidence: Option<Confidence>) -> Answer {
        Answer {
            text: String::new(),
            sources: Vec::new(),
            passages: Vec::new(),
            answered: confidence.is_some(),
            confidence,
            confidence_score: 0.5,
            support: Vec::new(),
            grounded: true,
            degraded: false,
            is_partial: false,
            model: String::new(),
            input_tokens: None,
            output_tokens: None,
            timings: Timings::default(),
        }
    }

    #[test]
    fn answers_are_counted_by_their_outcome() {
        let meters = Meters::default();
        let mut registry = Registry::default();
        meters.register(&mut registry);
        record(&meters, &answer(Some(Confidence::High)));
        record(&meters, &answer(Some(Confidence::Low)));
        record(&meters, &answer(Some(Confidence::Low)));
        record(&meters, &answer(None));
        record(&meters, &Answer { is_partial: true, ..answer(Some(Confidence::Low)) });
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for (outcome, count) in [("answered", 1), ("tentative", 2), ("unanswered", 1), ("partial", 1)] {
            let line = format!("answers_total{{outcome=\"{outcome}\",degraded=\"false\"}} {count}");
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
