//! The examples of the specification: those of the reference, with ids as they really look.

use chrono::{DateTime, Utc};
use parlance_core::bots::{Channel, Language, Personality, Role};
use parlance_core::tenants::Plan;
use parlance_core::{conversations, knowledge};
use poem_openapi::types::Example;

use crate::bots::{Bot, CreateBot, CreatedBot};
use crate::conversations::{
    BotResponse, Conversation, Details, Exchange, Message, SendMessage, Source as Cited, Timings, Usage,
    UserMessage,
};
use crate::fields::Field;
use crate::knowledge::{Chunk, Progress, Source, SourceDetails, SourceWithContent, Upload};
use crate::tenant::Info;
use crate::values::{Id, OrNull, Timestamp};

const TENANT: &str = "019bb5a1-0c00-7000-8000-000000000001";
const BOT: &str = "019bb5a1-0c00-7000-8000-000000000002";
const SOURCE: &str = "019bb5a1-0c00-7000-8000-000000000003";
const CHUNK: &str = "019bb5a1-0c00-7000-8000-000000000004";
const CONVERSATION: &str = "019bb5a1-0c00-7000-8000-000000000005";
const JOB: &str = "019bb5a1-0c00-7000-8000-000000000006";
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

impl Example for Info {
    fn example() -> Self {
        Self {
            id: Id::from(TENANT),
            name: "Your Company".into(),
            plan: Plan::Professional.into(),
            is_active: true,
            created_at: moment(0),
            updated_at: moment(0),
        }
    }
}

impl Example for CreateBot {
    fn example() -> Self {
        Self {
            name: given("Sales Assistant Bot"),
            channel_type: given(Channel::Webchat),
            description: given("Helps with sales inquiries and product information"),
            welcome_message: given("Hello! I'm here to help you with any sales questions."),
            system_prompt: given(
                "You are a knowledgeable sales assistant. Help customers with product information and guide \
                 them through the sales process.",
            ),
            is_active: Field::Given(true),
            language: given(Language::English),
            personality: given(Personality::Friendly),
            bot_role: given(Role::Sales),
        }
    }
}

impl Example for Bot {
    fn example() -> Self {
        Self {
            id: Id::from(BOT),
            name: "Sales Assistant Bot".into(),
            channel_type: Channel::Webchat.into(),
            description: OrNull(Some("Helps with sales inquiries and product information".into())),
            welcome_message: OrNull(Some("Hello! I'm here to help you with any sales questions.".into())),
            system_prompt: OrNull(Some("You are a knowledgeable sales assistant.".into())),
            is_active: true,
            is_default: false,
            language: Language::English.into(),
            personality: OrNull(Some(Personality::Friendly.into())),
            bot_role: OrNull(Some(Role::Sales.into())),
            created_at: moment(0),
            updated_at: moment(0),
        }
    }
}

impl Example for CreatedBot {
    fn example() -> Self {
        Self { bot: Bot::example(), message: "Bot created successfully".into() }
    }
}

impl Example for SendMessage {
    /// The message alone: with a bot's id that exists nowhere the example would fail when tried.
    fn example() -> Self {
        Self { message: given(QUESTION), ..Self::default() }
    }
}

impl Example for Exchange {
    fn example() -> Self {
        Self {
            user_message: UserMessage {
                id: Id::from(MESSAGES[0]),
                message: QUESTION.into(),
                created_at: moment(0),
            },
            bot_response: BotResponse {
                id: Id::from(MESSAGES[1]),
                message: ANSWER.into(),
                created_at: moment(1),
                sources: vec![Cited {
                    index: 1,
                    source_id: Id::from(SOURCE),
                    source_name: "product-faq.md".into(),
                    chunk_id: Id::from(CHUNK),
                    chunk_index: 0,
                    page: OrNull(None),
                    heading: OrNull(Some("Returns".into())),
                    start: 31,
                    end: 81,
                    score: 0.8321,
                    snippet: "We offer a 30-day return policy for all products.".into(),
                    url: OrNull(None),
                }],
                answered: true,
                degraded: false,
                model: "extractive".into(),
                usage: Usage { input_tokens: OrNull(None), output_tokens: OrNull(None) },
                timings_ms: Timings { embed: 4.2, search: 3.1, first_token: 0.0, total: 9.8 },
            },
        }
    }
}

impl Example for Conversation {
    fn example() -> Self {
        Self {
            id: Id::from(CONVERSATION),
            session_id: "session-123".into(),
            bot_id: Id::from(BOT),
            bot_name: "Customer Support Bot".into(),
            user_identifier: OrNull(Some("user@example.com".into())),
            user_name: OrNull(Some("John Doe".into())),
            user_email: OrNull(Some("user@example.com".into())),
            channel: Channel::Webchat.into(),
            status: conversations::Status::Active.into(),
            started_at: moment(0),
            ended_at: OrNull(None),
            created_at: moment(0),
        }
    }
}

impl Example for Details {
    fn example() -> Self {
        let message = |place: usize, sender: conversations::Sender, text: &str| Message {
            id: Id::from(MESSAGES[place]),
            sender: sender.into(),
            message: text.into(),
            message_type: "text".into(),
            created_at: moment(i64::from(place == 1)),
        };
        Self {
            session: Conversation::example(),
            messages: vec![
                message(0, conversations::Sender::User, QUESTION),
                message(1, conversations::Sender::Bot, ANSWER),
            ],
        }
    }
}

impl Example for Upload {
    fn example() -> Self {
        Self {
            id: Id::from(SOURCE),
            name: "product-faq.md".into(),
            source_type: knowledge::SourceType::File.into(),
            status: knowledge::Status::Processing.into(),
            file_size: 10_240,
            message: "File uploaded and processing started".into(),
            job_id: OrNull(Some(Id::from(JOB))),
            duplicate: false,
        }
    }
}

impl Example for Source {
    fn example() -> Self {
        Self {
            id: Id::from(SOURCE),
            bot_id: Id::from(BOT),
            bot_name: "Customer Support Bot".into(),
            name: "product-faq.md".into(),
            source_type: knowledge::SourceType::File.into(),
            content_preview: OrNull(Some(PASSAGE.into())),
            file_path: OrNull(Some(format!("/uploads/{SOURCE}/product-faq.md"))),
            url: OrNull(None),
            status: knowledge::Status::Ready.into(),
            progress: Progress { done: 1, total: OrNull(Some(1)), unit: "chunks".into(), percent: 100 },
            error: OrNull(None),
            job_id: OrNull(Some(Id::from(JOB))),
            size_bytes: OrNull(Some(10_240)),
            chunk_count: OrNull(Some(1)),
            version: 1,
            created_at: moment(0),
            updated_at: moment(1),
        }
    }
}

impl Example for SourceDetails {
    fn example() -> Self {
        Self {
            source: SourceWithContent { source: Source::example(), content: OrNull(Some(PASSAGE.into())) },
            chunks: vec![Chunk {
                id: Id::from(CHUNK),
                content: PASSAGE.into(),
                chunk_index: 0,
                created_at: moment(1),
            }],
        }
    }
}
