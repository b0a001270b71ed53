//! Bots: make, list, look at, change, delete.

use parlance_core::bots::{
    self, Changes, Channel, Filter, Language, NewBot, Personality, RawBot, RawChanges, Role, WhenUnsure,
};
use parlance_core::ids::BotId;
use parlance_core::{Context, PageRequest, Result};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};

use crate::error::{Changing, Fails, Finding, Listing, Making, When, about};
use crate::extract::enums::Word;
use crate::extract::fields::{Field, Fields, Needed};
use crate::extract::json::JsonBody;
use crate::extract::page;
use crate::extract::tenant::Tenant;
use crate::extract::types::{Id, OrNull, PathId, Timestamp};
use crate::openapi::Tag;
use crate::response::envelope::{Created, Deleted, Found, Listed};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Bots")]
impl Api {
    /// List all bots
    ///
    /// Retrieve a paginated list of all bots for your tenant, newest first.
    #[oai(path = "/bots", method = "get", operation_id = "listBots")]
    async fn list_bots(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::first", validator(minimum(value = "1")))]
        page: Query<Field<i64>>,
        /// Items per page.
        #[oai(default = "page::usual", validator(minimum(value = "1"), maximum(value = "100")))]
        per_page: Query<Field<i64>>,
        /// Filter by channel type.
        channel_type: Query<Field<Word<Channel>>>,
        /// Filter by active status.
        is_active: Query<Field<bool>>,
    ) -> Result<Listed<Bot>, Fails<Listing>> {
        let (page, filter) = wanted(page.0, per_page.0, channel_type.0, is_active.0)?;
        Ok(Listed::of(bots::list(&ctx, tenant.id(), filter, page).await?))
    }

    /// Get specific bot
    ///
    /// Retrieve detailed information about a specific bot.
    #[oai(path = "/bots/:bot_id", method = "get", operation_id = "getBot")]
    async fn get_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the bot.
        bot_id: Path<PathId<BotId>>,
    ) -> Result<Found<Bot>, Fails<Finding>> {
        Ok(Found(bots::get(&ctx, tenant.id(), bot_id.0.known()?).await?.into()))
    }

    /// Create new bot
    ///
    /// Create a new chatbot for your tenant. The first one answers sessions that name no bot.
    #[oai(path = "/bots", method = "post", operation_id = "createBot")]
    async fn create_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        body: JsonBody<CreateBot>,
    ) -> Result<Created<CreatedBot>, Fails<Making>> {
        let bot = body.0.parse().when("creating a bot")?;
        Ok(Created(bots::create(&ctx, tenant.id(), &bot).await?.into()))
    }

    /// Update bot
    ///
    /// Update an existing bot's configuration. What the body does not have stays as it is; `null` clears
    /// an optional text. `is_default: true` takes the default from another bot.
    #[oai(path = "/bots/:bot_id", method = "put", operation_id = "updateBot")]
    async fn update_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the bot to update.
        bot_id: Path<PathId<BotId>>,
        body: JsonBody<UpdateBot>,
    ) -> Result<Found<UpdatedBot>, Fails<Changing>> {
        let bot = bot_id.0.known()?;
        let changes = body.0.parse().when("updating a bot");
        let changes = about(bots::get(&ctx, tenant.id(), bot), changes).await?;
        Ok(Found(UpdatedBot::of(bots::update(&ctx, tenant.id(), bot, &changes).await?)))
    }

    /// Delete bot
    ///
    /// Permanently delete a bot and all associated data. This action cannot be undone. All conversations,
    /// messages, and knowledge associated with this bot will be permanently deleted. When it was the
    /// default, the oldest that remains takes its place.
    #[oai(path = "/bots/:bot_id", method = "delete", operation_id = "deleteBot")]
    async fn delete_bot(
        &self,
        tenant: Tenant,
        ctx: Data<&Context>,
        /// Unique identifier of the bot to delete.
        bot_id: Path<PathId<BotId>>,
    ) -> Result<Deleted, Fails<Finding>> {
        let name = bots::delete(&ctx, tenant.id(), bot_id.0.known()?).await?;
        Ok(Deleted(format!("Bot '{name}' deleted successfully")))
    }
}

fn wanted(
    page: Field<i64>,
    per_page: Field<i64>,
    channel_type: Field<Word<Channel>>,
    is_active: Field<bool>,
) -> Result<(PageRequest, Filter)> {
    let mut fields = Fields::of_query();
    let page = page::requested(&mut fields, page, per_page);
    let filter = Filter {
        channel_type: fields.word("channel_type", channel_type),
        is_active: fields.take("is_active", is_active),
    };
    fields.check(page.map(|page| (page, filter)))
}

/// A bot.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
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
#[oai(example)]
pub(crate) struct CreatedBot {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) bot: Bot,
    /// What was done.
    pub(crate) message: String,
}

/// A bot to make.
#[derive(Debug, Default, Object)]
#[oai(example)]
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

/// A bot that has just been changed.
#[derive(Debug, Object, serde::Serialize)]
#[oai(example)]
pub(crate) struct UpdatedBot {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) bot: Bot,
    /// What was done.
    pub(crate) message: String,
}

/// What to change of a bot.
#[derive(Debug, Default, Object)]
#[oai(example)]
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

impl UpdatedBot {
    fn of(bot: bots::Bot) -> Self {
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
