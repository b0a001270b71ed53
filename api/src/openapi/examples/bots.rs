//! Bots.

use parlance_core::bots::{Channel, Language, Personality, Role, WhenUnsure};
use poem_openapi::types::Example;

use super::{BOT, given, moment};
use crate::extract::fields::Field;
use crate::extract::types::{Id, OrNull};
use crate::routes::bots::requests::{CreateBot, UpdateBot};
use crate::routes::bots::responses::{Bot, CreatedBot, UpdatedBot};

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
            when_unsure: given(WhenUnsure::Tell),
            strict: Field::Given(false),
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
            when_unsure: WhenUnsure::Tell.into(),
            strict: false,
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
