//! Request bodies of the bot routes.

use parlance_core::Result;
use parlance_core::bots::{
    Changes, Channel, Description, Language, NewBot, Personality, Role, SystemPrompt, WhenUnsure,
};
use parlance_core::field::Name;
use poem_openapi::Object;

use crate::extract::fields::{Field, Fields, Required};

/// A bot to create.
#[derive(Debug, Default, Object)]
pub(crate) struct CreateBot {
    /// Name of the bot.
    pub(crate) name: Required<Name>,
    /// Channel type.
    pub(crate) channel_type: Required<Channel>,
    /// Description of the bot's purpose.
    pub(crate) description: Field<Option<Description>>,
    /// Initial message shown to users.
    pub(crate) welcome_message: Field<Option<Description>>,
    /// AI system prompt for bot behavior.
    pub(crate) system_prompt: Field<Option<SystemPrompt>>,
    /// Whether the bot is active (default: true).
    pub(crate) is_active: Field<Option<bool>>,
    /// Primary language (default: en).
    pub(crate) language: Field<Option<Language>>,
    /// Bot personality.
    pub(crate) personality: Field<Option<Personality>>,
    /// Bot role.
    pub(crate) bot_role: Field<Option<Role>>,
    /// Behavior when the bot is unsure whether its knowledge answers a question (default: tell): `tell` gives a
    /// tentative answer, `refuse` states that the bot does not know.
    pub(crate) when_unsure: Field<Option<WhenUnsure>>,
    /// Whether generated sentences without a supporting passage are removed from answers (default: false).
    pub(crate) strict: Field<Option<bool>>,
}

impl CreateBot {
    pub(crate) fn parse(self) -> Result<NewBot> {
        let mut fields = Fields::of_body();
        let name = fields.required("name", self.name);
        let channel_type = fields.required("channel_type", self.channel_type);
        let description = fields.optional("description", self.description);
        let welcome_message = fields.optional("welcome_message", self.welcome_message);
        let system_prompt = fields.optional("system_prompt", self.system_prompt);
        let is_active = fields.optional("is_active", self.is_active);
        let language = fields.optional("language", self.language);
        let personality = fields.optional("personality", self.personality);
        let role = fields.optional("bot_role", self.bot_role);
        let when_unsure = fields.optional("when_unsure", self.when_unsure);
        let strict = fields.optional("strict", self.strict);
        fields.finish(|| {
            Some(NewBot {
                name: name?,
                channel_type: channel_type?,
                description: description?,
                welcome_message: welcome_message?,
                system_prompt: system_prompt?,
                is_active: is_active?.unwrap_or(true),
                language: language?.unwrap_or_default(),
                personality: personality?,
                role: role?,
                when_unsure: when_unsure?.unwrap_or_default(),
                strict: strict?.unwrap_or(false),
            })
        })
    }
}

/// Changes to a bot.
#[derive(Debug, Default, Object)]
pub(crate) struct UpdateBot {
    /// New name for the bot.
    pub(crate) name: Field<Name>,
    /// New description.
    pub(crate) description: Field<Option<Description>>,
    /// New welcome message.
    pub(crate) welcome_message: Field<Option<Description>>,
    /// New system prompt.
    pub(crate) system_prompt: Field<Option<SystemPrompt>>,
    /// New active status.
    pub(crate) is_active: Field<bool>,
    /// Whether it answers sessions that name no bot; `true` takes that from another bot.
    pub(crate) is_default: Field<bool>,
    /// New primary language.
    pub(crate) language: Field<Language>,
    /// New bot personality.
    pub(crate) personality: Field<Option<Personality>>,
    /// New bot role.
    pub(crate) bot_role: Field<Option<Role>>,
    /// Behavior when the bot is unsure whether its knowledge answers a question.
    pub(crate) when_unsure: Field<WhenUnsure>,
    /// Whether generated sentences without a supporting passage are removed from answers.
    pub(crate) strict: Field<bool>,
}

impl UpdateBot {
    pub(crate) fn parse(self) -> Result<Changes> {
        let mut fields = Fields::of_body();
        let name = fields.not_null("name", self.name);
        let description = fields.change("description", self.description);
        let welcome_message = fields.change("welcome_message", self.welcome_message);
        let system_prompt = fields.change("system_prompt", self.system_prompt);
        let is_active = fields.not_null("is_active", self.is_active);
        let is_default = fields.not_null("is_default", self.is_default);
        let language = fields.not_null("language", self.language);
        let personality = fields.change("personality", self.personality);
        let role = fields.change("bot_role", self.bot_role);
        let when_unsure = fields.not_null("when_unsure", self.when_unsure);
        let strict = fields.not_null("strict", self.strict);
        let changes = fields.finish(|| {
            Some(Changes {
                name: name?,
                description: description?,
                welcome_message: welcome_message?,
                system_prompt: system_prompt?,
                is_active: is_active?,
                is_default: is_default?,
                language: language?,
                personality: personality?,
                role: role?,
                when_unsure: when_unsure?,
                strict: strict?,
            })
        });
        changes.and_then(Changes::not_empty)
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON;
    use serde_json::{Value, json};

    use super::*;
    use crate::extract::fields::wrong_fields;

    fn update(body: Value) -> Result<Changes> {
        UpdateBot::parse_from_json(Some(body)).ok().unwrap().parse()
    }

    #[test]
    fn a_change_lists_what_cannot_be_null() {
        let body =
            json!({"language": "xx", "is_active": null, "name": null, "description": null, "strict": 1});
        assert_eq!(wrong_fields(update(body)), ["name", "is_active", "language", "strict"]);
    }

    #[test]
    fn a_change_must_change_something() {
        assert_eq!(wrong_fields(update(json!({}))), ["body"]);
        assert_eq!(wrong_fields(update(json!({"name": " "}))), ["name"]);
        assert_eq!(update(json!({"description": null})).unwrap().description, Some(None));
        assert_eq!(update(json!({"description": " "})).unwrap().description, Some(None));
        assert_eq!(update(json!({"name": " A "})).unwrap().name.as_deref(), Some("A"));
    }

    #[test]
    fn a_new_bot_has_defaults() {
        let body = json!({"name": "A", "channel_type": "webchat", "description": " ", "language": null});
        let bot = CreateBot::parse_from_json(Some(body)).ok().unwrap().parse().unwrap();
        let expected = NewBot::new("A".parse().unwrap(), Channel::Webchat);
        assert_eq!(format!("{bot:?}"), format!("{expected:?}"));
    }
}
