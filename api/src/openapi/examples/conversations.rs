//! Conversations.

use parlance_core::bots::Channel;
use parlance_core::conversations;
use poem_openapi::types::Example;

use super::{ANSWER, BOT, CHUNK, CONVERSATION, MESSAGES, QUESTION, SOURCE, given, moment};
use crate::extract::enums::Ended;
use crate::extract::types::{Id, OrNull};
use crate::routes::conversations::{
    AnswerTrace, BotResponse, Candidate, Conversation, Details, Exchange, Feedback, GiveFeedback, Message,
    OpenConversation, Said, SendMessage, Source as Cited, Support, Timings, UpdateConversation,
    UpdatedConversation, Usage, UserMessage,
};

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
                confidence: OrNull(Some(conversations::Confidence::High.into())),
                confidence_score: 0.912,
                support: vec![supported()],
                grounded: true,
                degraded: false,
                partial: false,
                model: "extractive".into(),
                usage: Usage { input_tokens: OrNull(None), output_tokens: OrNull(None) },
                timings_ms: Timings { embed: 4.2, search: 3.1, rerank: 0.0, first_token: 0.0, total: 9.8 },
            },
        }
    }
}

fn supported() -> Support {
    Support { start: 0, end: ANSWER.chars().count() as u64, citation: OrNull(Some(1)), score: 1.0 }
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
            confidence: OrNull((place == 1).then(|| conversations::Confidence::High.into())),
            partial: false,
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
        Self { status: given(Ended::Ended), ..Self::default() }
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

impl Example for AnswerTrace {
    fn example() -> Self {
        Self {
            message_id: Id::from(MESSAGES[1]),
            query: QUESTION.into(),
            candidates: vec![Candidate::example()],
            answered: true,
            confidence: OrNull(Some(conversations::Confidence::High.into())),
            confidence_score: OrNull(Some(0.912)),
            support: vec![supported()],
            grounded: OrNull(Some(true)),
            degraded: false,
            model: "extractive".into(),
            usage: Usage { input_tokens: OrNull(None), output_tokens: OrNull(None) },
            timings_ms: Timings { embed: 4.2, search: 3.1, rerank: 0.0, first_token: 0.0, total: 9.8 },
        }
    }
}

impl Example for Candidate {
    fn example() -> Self {
        Self {
            chunk_id: Id::from(CHUNK),
            source_id: Id::from(SOURCE),
            source_name: "product-faq.md".into(),
            chunk_index: 0,
            heading: OrNull(Some("Returns".into())),
            score: 0.5,
            vector_score: OrNull(Some(0.625)),
            vector_rank: OrNull(Some(1)),
            text_score: OrNull(Some(0.0625)),
            text_rank: OrNull(Some(1)),
            rerank_score: OrNull(None),
            passage: OrNull(Some(1)),
        }
    }
}
