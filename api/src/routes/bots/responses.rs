//! Response bodies of the bot routes.

use parlance_core::bots::{self, Channel, Language, Personality, Role, WhenUnsure};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};

/// A bot.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Bot {
    /// Its id.
    pub(crate) id: Id,
    /// Its name.
    pub(crate) name: String,
    /// Where it talks.
    pub(crate) channel_type: Word<Channel>,
    /// The bot's purpose.
    pub(crate) description: OrNull<String>,
    /// What it says first.
    pub(crate) welcome_message: OrNull<String>,
    /// Your instructions to the language model.
    pub(crate) system_prompt: OrNull<String>,
    /// Whether it answers.
    pub(crate) is_active: bool,
    /// Whether it answers sessions that name no bot.
    pub(crate) is_default: bool,
    /// Its primary language.
    pub(crate) language: Word<Language>,
    /// How it speaks.
    pub(crate) personality: OrNull<Word<Personality>>,
    /// What it does.
    pub(crate) bot_role: OrNull<Word<Role>>,
    /// What the bot does when it is not sure that its knowledge answers a question: `tell` gives a tentative answer with
    /// the nearest passage, `refuse` says that it does not know.
    pub(crate) when_unsure: Word<WhenUnsure>,
    /// Whether sentences of a language model that no passage supports are left out of answers. Built-in answers have no
    /// such sentences.
    pub(crate) strict: bool,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it last changed.
    pub(crate) updated_at: Timestamp,
}

/// A bot that has just been made.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct CreatedBot {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) bot: Bot,
    /// What was done.
    pub(crate) message: String,
}

/// A bot that has just been changed.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct UpdatedBot {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) bot: Bot,
    /// What was done.
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
