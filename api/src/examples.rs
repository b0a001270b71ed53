//! The examples of the specification: those of the reference, with ids as they really look.

use chrono::{DateTime, Utc};
use parlance_core::bots::{Channel, Language, Personality, Role};
use parlance_core::tenants::Plan;
use parlance_core::tenants::keys::Scope;
use parlance_core::{conversations, knowledge};
use poem_openapi::types::Example;

use crate::analytics::{
    AnswerTime, Breakdown, Conversations, Counts, FeedbackCounts, KnowledgeCounts, KnowledgeGap, Overview,
    OverviewBot,
};
use crate::bots::{Bot, CreateBot, CreatedBot, UpdateBot, UpdatedBot};
use crate::conversations::{
    BotResponse, Conversation, Details, Exchange, Feedback, GiveFeedback, Message, OpenConversation, Said,
    SendMessage, Source as Cited, Timings, UpdateConversation, UpdatedConversation, Usage, UserMessage,
};
use crate::fields::Field;
use crate::keys::{ApiKey, CreateApiKey, CreatedApiKey, RotateApiKey};
use crate::knowledge::{
    Chunk, CreateSource, CreatedSource, Progress, Source, SourceChunk, SourceDetails, SourceWithContent,
    UpdateSource, UpdatedSource, Upload,
};
use crate::tenant::{self, Info};
use crate::values::{Id, Moment, OrNull, Timestamp};
use crate::words::{Ended, TextType};

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
                sources: vec![cited()],
                answered: true,
                degraded: false,
                model: "extractive".into(),
                usage: Usage { input_tokens: OrNull(None), output_tokens: OrNull(None) },
                timings_ms: Timings { embed: 4.2, search: 3.1, first_token: 0.0, total: 9.8 },
            },
        }
    }
}

fn cited() -> Cited {
    Cited {
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
            answered: OrNull((place == 1).then_some(true)),
            sources: if place == 1 { vec![cited()] } else { Vec::new() },
            rating: OrNull(None),
            comment: OrNull(None),
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

impl Example for tenant::Usage {
    fn example() -> Self {
        Self {
            usage: tenant::Used { bot_count: 5, conversation_count: 1250, message_count: 8500 },
            limits: tenant::Limits {
                max_bots: OrNull(Some(10)),
                max_conversations_per_month: OrNull(Some(5000)),
                max_messages_per_month: OrNull(Some(50_000)),
            },
            utilization: tenant::Utilization {
                bots: "5/10".into(),
                conversations: "1250/5000".into(),
                messages: "8500/50000".into(),
            },
        }
    }
}

impl Example for ApiKey {
    fn example() -> Self {
        Self {
            id: Id::from(KEY),
            name: "Web site".into(),
            prefix: "tk_4fQ9sL2x".into(),
            scopes: vec![Scope::Chat.into()],
            expires_at: OrNull(None),
            last_used_at: OrNull(None),
            created_at: moment(0),
        }
    }
}

impl Example for CreatedApiKey {
    fn example() -> Self {
        Self {
            api_key: ApiKey::example(),
            key: "tk_…".into(),
            message: "API key created successfully".into(),
        }
    }
}

impl Example for CreateApiKey {
    fn example() -> Self {
        Self {
            name: given("Web site"),
            scopes: Field::Given(vec![Scope::Chat.into()]),
            expires_at: Field::Given(Moment::from("2036-01-15T10:05:00Z")),
        }
    }
}

impl Example for RotateApiKey {
    fn example() -> Self {
        Self { grace_period_seconds: Field::Given(3600) }
    }
}

impl Example for UpdateBot {
    fn example() -> Self {
        Self {
            name: given("Updated Customer Support Bot"),
            welcome_message: given("Hello! I'm your updated customer support assistant."),
            is_active: Field::Given(true),
            ..Self::default()
        }
    }
}

impl Example for UpdatedBot {
    fn example() -> Self {
        let bot = Bot { name: "Updated Customer Support Bot".into(), ..Bot::example() };
        Self { bot, message: "Bot updated successfully".into() }
    }
}

impl Example for OpenConversation {
    fn example() -> Self {
        let opening = Said {
            user_identifier: given("user@example.com"),
            user_name: given("John Doe"),
            ..Said::default()
        };
        Self { opening, ..Self::default() }
    }
}

impl Example for UpdateConversation {
    fn example() -> Self {
        Self { status: given(Ended), ..Self::default() }
    }
}

impl Example for UpdatedConversation {
    fn example() -> Self {
        let conversation = Conversation {
            status: conversations::Status::Ended.into(),
            ended_at: OrNull(Some(moment(60))),
            ..Conversation::example()
        };
        Self { conversation, message: "Conversation updated successfully".into() }
    }
}

impl Example for GiveFeedback {
    fn example() -> Self {
        Self { rating: given(conversations::Rating::Up), comment: given("Just what I needed.") }
    }
}

impl Example for Feedback {
    fn example() -> Self {
        Self {
            message_id: Id::from(MESSAGES[1]),
            rating: OrNull(Some(conversations::Rating::Up.into())),
            comment: OrNull(Some("Just what I needed.".into())),
        }
    }
}

impl Example for CreateSource {
    fn example() -> Self {
        Self {
            bot_id: given(BOT),
            name: given("Company Policies"),
            source_type: given(TextType),
            content: given(
                "Our company policies include: 1. Remote work is allowed up to 3 days per week. 2. All employees \
                 get 25 vacation days per year. 3. Health insurance is provided for all full-time employees.",
            ),
        }
    }
}

impl Example for CreatedSource {
    fn example() -> Self {
        let source = Source {
            name: "Company Policies".into(),
            source_type: knowledge::SourceType::Text.into(),
            content_preview: OrNull(None),
            file_path: OrNull(None),
            status: knowledge::Status::Queued.into(),
            progress: Progress { done: 0, total: OrNull(None), unit: "chunks".into(), percent: 0 },
            size_bytes: OrNull(Some(190)),
            chunk_count: OrNull(None),
            ..Source::example()
        };
        Self { source, message: "Knowledge source created successfully".into(), duplicate: false }
    }
}

impl Example for UpdateSource {
    fn example() -> Self {
        Self { name: given("Company Policies 2026"), ..Self::default() }
    }
}

impl Example for UpdatedSource {
    fn example() -> Self {
        let source = Source { name: "Company Policies 2026".into(), ..Source::example() };
        Self { source, message: "Knowledge source updated successfully".into() }
    }
}

impl Example for SourceChunk {
    fn example() -> Self {
        Self {
            chunk: Chunk {
                id: Id::from(CHUNK),
                content: PASSAGE.into(),
                chunk_index: 0,
                created_at: moment(1),
            },
            heading: OrNull(Some("Returns".into())),
            page: OrNull(None),
            start: 0,
            end: 83,
            token_count: 22,
        }
    }
}

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
            first_asked_at: moment(-86_400),
            last_asked_at: moment(0),
        }
    }
}
