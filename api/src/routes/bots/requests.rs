//! Request bodies of the bot routes.

use parlance_core::Result;
use parlance_core::bots::{
    Changes, Channel, Language, NewBot, Personality, RawBot, RawChanges, Role, WhenUnsure,
};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::fields::{Field, Fields, Needed};

/// A bot to make.
#[derive(Debug, Default, Object)]
pub(crate) struct CreateBot {
    /// Name of the bot.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) name: Needed<String>,
    /// Channel type.
    pub(crate) channel_type: Needed<Word<Channel>>,
    /// Description of the bot's purpose.
    #[oai(nullable, validator(max_length = 2000))]
    pub(crate) description: Field<String>,
    /// Initial message shown to users.
    #[oai(nullable, validator(max_length = 2000))]
    pub(crate) welcome_message: Field<String>,
    /// AI system prompt for bot behavior.
    #[oai(nullable, validator(max_length = 20000))]
    pub(crate) system_prompt: Field<String>,
    /// Whether the bot is active (default: true).
    #[oai(nullable)]
    pub(crate) is_active: Field<bool>,
    /// Primary language (default: en).
    #[oai(nullable)]
    pub(crate) language: Field<Word<Language>>,
    /// Bot personality.
    #[oai(nullable)]
    pub(crate) personality: Field<Word<Personality>>,
    /// Bot role.
    #[oai(nullable)]
    pub(crate) bot_role: Field<Word<Role>>,
    /// What the bot does when it is not sure that its knowledge answers a question (default: tell): `tell` gives a
    /// tentative answer, `refuse` says that it does not know.
    #[oai(nullable)]
    pub(crate) when_unsure: Field<Word<WhenUnsure>>,
    /// Whether sentences of a language model that no passage supports are left out of answers (default: false).
    #[oai(nullable)]
    pub(crate) strict: Field<bool>,
}

impl CreateBot {
    pub(crate) fn parse(self) -> Result<NewBot> {
        let mut fields = Fields::of_body();
        let raw = RawBot {
            name: fields.take("name", self.name),
            channel_type: fields.take("channel_type", self.channel_type).map(String::from),
            description: fields.take("description", self.description),
            welcome_message: fields.take("welcome_message", self.welcome_message),
            system_prompt: fields.take("system_prompt", self.system_prompt),
            is_active: fields.take("is_active", self.is_active),
            language: fields.take("language", self.language).map(String::from),
            personality: fields.take("personality", self.personality).map(String::from),
            bot_role: fields.take("bot_role", self.bot_role).map(String::from),
            when_unsure: fields.take("when_unsure", self.when_unsure).map(String::from),
            strict: fields.take("strict", self.strict),
        };
        fields.check(NewBot::parse(raw))
    }
}

/// What to change of a bot.
#[derive(Debug, Default, Object)]
pub(crate) struct UpdateBot {
    /// New name for the bot.
    #[oai(validator(min_length = 1, max_length = 255))]
    pub(crate) name: Field<String>,
    /// New description.
    #[oai(nullable, validator(max_length = 2000))]
    pub(crate) description: Field<String>,
    /// New welcome message.
    #[oai(nullable, validator(max_length = 2000))]
    pub(crate) welcome_message: Field<String>,
    /// New system prompt.
    #[oai(nullable, validator(max_length = 20000))]
    pub(crate) system_prompt: Field<String>,
    /// New active status.
    pub(crate) is_active: Field<bool>,
    /// Whether it answers sessions that name no bot; `true` takes that from another bot.
    pub(crate) is_default: Field<bool>,
    /// New primary language.
    pub(crate) language: Field<Word<Language>>,
    /// New bot personality.
    #[oai(nullable)]
    pub(crate) personality: Field<Word<Personality>>,
    /// New bot role.
    #[oai(nullable)]
    pub(crate) bot_role: Field<Word<Role>>,
    /// What the bot does when it is not sure that its knowledge answers a question.
    pub(crate) when_unsure: Field<Word<WhenUnsure>>,
    /// Whether sentences of a language model that no passage supports are left out of answers.
    pub(crate) strict: Field<bool>,
}

impl UpdateBot {
    pub(crate) fn parse(self) -> Result<Changes> {
        let mut fields = Fields::of_body();
        let raw = RawChanges {
            name: fields.change("name", self.name),
            description: fields.change("description", self.description),
            welcome_message: fields.change("welcome_message", self.welcome_message),
            system_prompt: fields.change("system_prompt", self.system_prompt),
            is_active: fields.change("is_active", self.is_active),
            is_default: fields.change("is_default", self.is_default),
            language: fields.change("language", self.language).map(|word| word.map(String::from)),
            personality: fields.change("personality", self.personality).map(|word| word.map(String::from)),
            bot_role: fields.change("bot_role", self.bot_role).map(|word| word.map(String::from)),
            when_unsure: fields.change("when_unsure", self.when_unsure).map(|word| word.map(String::from)),
            strict: fields.change("strict", self.strict),
        };
        fields.check(Changes::parse(raw))
    }
}
