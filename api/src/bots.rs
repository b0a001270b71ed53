//! Bots: make, list, look at.

use parlance_core::bots::{self, Channel, Filter, Language, NewBot, Personality, RawBot, Role};
use parlance_core::ids::BotId;
use parlance_core::{Context, PageRequest, Result};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};

use crate::auth::Tenant;
use crate::body::JsonBody;
use crate::docs::Tag;
use crate::envelope::{Created, Found, Listed};
use crate::error::{Fails, Finding, Listing, Making, When};
use crate::fields::{Field, Fields, Needed};
use crate::page;
use crate::values::{Id, OrNull, PathId, Timestamp, Word};

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
}

fn wanted(
    page: Field<i64>,
    per_page: Field<i64>,
    channel_type: Field<Word<Channel>>,
    is_active: Field<bool>,
) -> Result<(PageRequest, Filter)> {
    let mut fields = Fields::of_query();
    let page = page::requested(&mut fields, page, per_page);
    let channel_type: Result<Option<Channel>> =
        fields.take("channel_type", channel_type).map(|word| String::from(word).parse()).transpose();
    let is_active = fields.take("is_active", is_active);
    fields.check(both(page, channel_type).map(|(page, channel_type)| (page, Filter { channel_type, is_active })))
}

/// A bot.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct Bot {
    /// Its id.
    id: Id,
    /// Its name.
    name: String,
    /// Where it talks.
    channel_type: Word<Channel>,
    /// The bot's purpose.
    description: OrNull<String>,
    /// What it says first.
    welcome_message: OrNull<String>,
    /// Your instructions to the language model.
    system_prompt: OrNull<String>,
    /// Whether it answers.
    is_active: bool,
    /// Whether it answers sessions that name no bot.
    is_default: bool,
    /// Its primary language.
    language: Word<Language>,
    /// How it speaks.
    personality: OrNull<Word<Personality>>,
    /// What it does.
    bot_role: OrNull<Word<Role>>,
    /// When it was made.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
}

/// A bot that has just been made.
#[derive(Debug, Object)]
#[oai(example)]
struct CreatedBot {
    #[oai(flatten)]
    bot: Bot,
    /// What was done.
    message: String,
}

/// A bot to make.
#[derive(Debug, Default, Object)]
#[oai(example)]
struct CreateBot {
    /// Name of the bot.
    #[oai(validator(min_length = 1, max_length = 255))]
    name: Needed<String>,
    /// Channel type.
    channel_type: Needed<Word<Channel>>,
    /// Description of the bot's purpose.
    #[oai(validator(max_length = 2000))]
    description: Field<String>,
    /// Initial message shown to users.
    #[oai(validator(max_length = 2000))]
    welcome_message: Field<String>,
    /// AI system prompt for bot behavior.
    #[oai(validator(max_length = 20000))]
    system_prompt: Field<String>,
    /// Whether the bot is active (default: true).
    is_active: Field<bool>,
    /// Primary language (default: en).
    language: Field<Word<Language>>,
    /// Bot personality.
    personality: Field<Word<Personality>>,
    /// Bot role.
    bot_role: Field<Word<Role>>,
}

impl CreateBot {
    fn parse(self) -> Result<NewBot> {
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
        };
        fields.check(NewBot::parse(raw))
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
