//! Response bodies of the bot routes.

use parlance_core::bots::{self, Channel, Language, Personality, Role, WhenUnsure};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};

/// A bot.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Bot {
    /// Unique identifier of the bot.
    pub(crate) id: Id,
    /// Name of the bot.
    pub(crate) name: String,
    /// Channel type.
    pub(crate) channel_type: Word<Channel>,
    /// Description of the bot's purpose.
    pub(crate) description: OrNull<String>,
    /// Initial message of each conversation.
    pub(crate) welcome_message: OrNull<String>,
    /// System prompt: your instructions to the language model.
    pub(crate) system_prompt: OrNull<String>,
    /// Whether the bot is active; an inactive bot takes no messages.
    pub(crate) is_active: bool,
    /// Whether this is the default bot, which answers sessions without a `bot_id`.
    pub(crate) is_default: bool,
    /// Primary language.
    pub(crate) language: Word<Language>,
    /// Personality of the bot.
    pub(crate) personality: OrNull<Word<Personality>>,
    /// Role of the bot.
    pub(crate) bot_role: OrNull<Word<Role>>,
    /// Behavior when the bot is unsure whether its knowledge answers a question: `tell` gives a tentative answer with
    /// the closest passage, `refuse` says that it does not know.
    pub(crate) when_unsure: Word<WhenUnsure>,
    /// Whether a language model's sentences without a supporting passage are removed from answers. Built-in answers
    /// have no such sentences.
    pub(crate) strict: bool,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
    /// Time of the last change.
    pub(crate) updated_at: Timestamp,
}

/// A created bot.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct CreatedBot {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) bot: Bot,
    /// Human-readable confirmation.
    pub(crate) message: String,
}

/// An updated bot.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UpdatedBot {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) bot: Bot,
    /// Human-readable confirmation.
    pub(crate) message: String,
}

impl UpdatedBot {
    pub(super) fn of(bot: bots::Bot) -> Self {
        Self { bot: bot.into(), message: "Bot updated successfully".to_owned() }
    }
}

impl From<bots::Bot> for Bot {
    fn from(bot: bots::Bot) -> Self {
        Self {
            id: bot.id.into(),
            name: bot.name,
            channel_type: bot.channel_type.into(),
            description: OrNull(bot.description),
            welcome_message: OrNull(bot.welcome_message),
            system_prompt: OrNull(bot.system_prompt),
            is_active: bot.is_active,
            is_default: bot.is_default,
            language: bot.language.into(),
            personality: OrNull::of(bot.personality),
            bot_role: OrNull::of(bot.role),
            when_unsure: bot.when_unsure.into(),
            strict: bot.strict,
            created_at: bot.created_at.into(),
            updated_at: bot.updated_at.into(),
        }
    }
}

impl From<bots::Bot> for CreatedBot {
    fn from(bot: bots::Bot) -> Self {
        Self { bot: bot.into(), message: "Bot created successfully".to_owned() }
    }
}
