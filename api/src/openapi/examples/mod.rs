//! The examples of the specification: those of the reference, with ids as they really look. A file a slice.

use chrono::{DateTime, Utc};

use crate::extract::fields::Field;
use crate::extract::types::Timestamp;

mod account;
mod analytics;
mod bots;
mod conversations;
mod jobs;
mod knowledge;

const TENANT: &str = "019bb5a1-0c00-7000-8000-000000000001";
const BOT: &str = "019bb5a1-0c00-7000-8000-000000000002";
const SOURCE: &str = "019bb5a1-0c00-7000-8000-000000000003";
const CHUNK: &str = "019bb5a1-0c00-7000-8000-000000000004";
const CONVERSATION: &str = "019bb5a1-0c00-7000-8000-000000000005";
const JOB: &str = "019bb5a1-0c00-7000-8000-000000000006";
const KEY: &str = "019bb5a1-0c00-7000-8000-000000000009";
const MESSAGES: [&str; 2] = ["019bb5a1-0c00-7000-8000-000000000007", "019bb5a1-0c00-7000-8000-000000000008"];

const QUESTION: &str = "What is your return policy?";
const ANSWER: &str = "We offer a 30-day return policy for all products. [1]";
const PASSAGE: &str = "Q: What is your return policy? A: We offer a 30-day return policy for all products.";

/// 2026-01-15T10:05:00Z, and so many seconds after it.
fn moment(seconds: i64) -> Timestamp {
    Timestamp(DateTime::<Utc>::from_timestamp(1_768_471_500 + seconds, 0).unwrap_or_default())
}

fn given<T: Into<U>, U, const NEEDED: bool>(value: T) -> Field<U, NEEDED> {
    Field::Given(value.into())
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::{Example, ToJSON};
    use serde::Serialize;

    /// What is written is what the specification shows: the same fields, values and order.
    fn written_as_shown<T: Example + ToJSON + Serialize>() {
        let example = T::example();
        let (written, shown) = (serde_json::to_string(&example).unwrap(), example.to_json().unwrap());
        assert_eq!(written, shown.to_string());
    }

    #[test]
    fn answers_are_written_as_the_specification_shows_them() {
        written_as_shown::<crate::routes::tenant::responses::Info>();
        written_as_shown::<crate::routes::tenant::responses::Usage>();
        written_as_shown::<crate::routes::api_keys::responses::ApiKey>();
        written_as_shown::<crate::routes::api_keys::responses::CreatedApiKey>();
        written_as_shown::<crate::routes::bots::responses::Bot>();
        written_as_shown::<crate::routes::bots::responses::CreatedBot>();
        written_as_shown::<crate::routes::bots::responses::UpdatedBot>();
        written_as_shown::<crate::routes::conversations::Exchange>();
        written_as_shown::<crate::routes::conversations::Details>();
        written_as_shown::<crate::routes::conversations::UpdatedConversation>();
        written_as_shown::<crate::routes::conversations::Feedback>();
        written_as_shown::<crate::routes::analytics::Overview>();
        written_as_shown::<crate::routes::analytics::Conversations>();
        written_as_shown::<crate::routes::analytics::KnowledgeGap>();
        written_as_shown::<crate::routes::knowledge::Upload>();
        written_as_shown::<crate::routes::knowledge::Source>();
        written_as_shown::<crate::routes::knowledge::CreatedSource>();
        written_as_shown::<crate::routes::knowledge::UpdatedSource>();
        written_as_shown::<crate::routes::knowledge::SourceDetails>();
        written_as_shown::<crate::routes::knowledge::SourceChunk>();
        written_as_shown::<crate::routes::knowledge::Scraped>();
        written_as_shown::<crate::routes::knowledge::Scraping>();
        written_as_shown::<crate::routes::knowledge::SitePage>();
        written_as_shown::<crate::routes::jobs::Job>();
        written_as_shown::<crate::routes::jobs::JobDetails>();
        written_as_shown::<crate::routes::jobs::JobEvent>();
    }
}
