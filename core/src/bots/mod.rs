//! Bots: what a tenant's customers talk to.
//!
//! Owns the table `bot`. Input is parsed once, into [`NewBot`]; the rest of the domain never meets a
//! raw name.

use chrono::{DateTime, Utc};

use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{BotId, TenantId};
use crate::input::{Collect, optional, optional_text, required, required_text};
use crate::page::{Page, PageRequest};
use crate::tenants;

mod store;
mod words;

pub use words::{Channel, Language, Personality, Role};

/// A chatbot.
#[derive(Clone, Debug)]
pub struct Bot {
    /// Its id.
    pub id: BotId,
    /// Its name.
    pub name: String,
    /// Where it talks.
    pub channel_type: Channel,
    /// What it is for, in the tenant's words.
    pub description: Option<String>,
    /// What it says first.
    pub welcome_message: Option<String>,
    /// The tenant's instructions to a language model.
    pub system_prompt: Option<String>,
    /// Whether it answers.
    pub is_active: bool,
    /// Whether it answers sessions that name no bot.
    pub is_default: bool,
    /// What it speaks.
    pub language: Language,
    /// How it speaks.
    pub personality: Option<Personality>,
    /// What it is for.
    pub role: Option<Role>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A bot to be made, with everything checked.
#[derive(Clone, Debug)]
pub struct NewBot {
    name: String,
    channel_type: Channel,
    description: Option<String>,
    welcome_message: Option<String>,
    system_prompt: Option<String>,
    is_active: bool,
    language: Language,
    personality: Option<Personality>,
    role: Option<Role>,
}

/// A bot to be made, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct RawBot {
    /// 1 to 255 characters.
    pub name: Option<String>,
    /// A [`Channel`].
    pub channel_type: Option<String>,
    /// Up to 2,000 characters.
    pub description: Option<String>,
    /// Up to 2,000 characters.
    pub welcome_message: Option<String>,
    /// Up to 20,000 characters.
    pub system_prompt: Option<String>,
    /// True when absent.
    pub is_active: Option<bool>,
    /// A [`Language`]; English when absent.
    pub language: Option<String>,
    /// A [`Personality`].
    pub personality: Option<String>,
    /// A [`Role`].
    pub bot_role: Option<String>,
}

const NAME_LENGTH: usize = 255;
const TEXT_LENGTH: usize = 2_000;
const PROMPT_LENGTH: usize = 20_000;

impl NewBot {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, in the order of the fields.
    pub fn parse(raw: RawBot) -> Result<Self> {
        let mut problems = Vec::new();
        let name = problems.take(required_text("name", raw.name, NAME_LENGTH));
        let channel_type = problems.take(required("channel_type", raw.channel_type));
        let description = problems.take(optional_text("description", raw.description, TEXT_LENGTH));
        let welcome_message =
            problems.take(optional_text("welcome_message", raw.welcome_message, TEXT_LENGTH));
        let system_prompt = problems.take(optional_text("system_prompt", raw.system_prompt, PROMPT_LENGTH));
        let language = problems.take(optional(raw.language));
        let personality = problems.take(optional(raw.personality));
        let role = problems.take(optional(raw.bot_role));
        match (name, channel_type) {
            (Some(name), Some(channel_type)) if problems.is_empty() => Ok(Self {
                name,
                channel_type,
                description: description.flatten(),
                welcome_message: welcome_message.flatten(),
                system_prompt: system_prompt.flatten(),
                is_active: raw.is_active.unwrap_or(true),
                language: language.flatten().unwrap_or(Language::English),
                personality: personality.flatten(),
                role: role.flatten(),
            }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

/// Which bots of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Those of a channel.
    pub channel_type: Option<Channel>,
    /// Those that answer, or those that do not.
    pub is_active: Option<bool>,
}

/// Makes a bot. A tenant's first is its default.
///
/// # Errors
/// [`Error::LimitReached`] when the plan has no room.
pub async fn create(ctx: &Context, tenant: TenantId, bot: &NewBot) -> Result<Bot> {
    let mut tx = ctx.db().begin().await?;
    // Holds the tenant's row, so that of two first bots one is the default.
    tenants::count_bot(&mut tx, tenant).await?;
    let made = store::insert(&mut *tx, tenant, BotId::fresh(), bot).await?;
    tx.commit().await?;
    Ok(made)
}

/// A page of a tenant's bots, newest first.
///
/// # Errors
/// When a statement fails.
pub async fn list(ctx: &Context, tenant: TenantId, filter: Filter, page: PageRequest) -> Result<Page<Bot>> {
    let bots = store::list(ctx.db(), tenant, filter, page).await?;
    let total = store::count(ctx.db(), tenant, filter).await?;
    Ok(Page::new(page, bots, total))
}

/// A bot of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot.
pub async fn get(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<Bot> {
    store::find(ctx.db(), tenant, bot).await?.ok_or(Error::NotFound(Thing::Bot))
}

/// The bot that answers sessions that name none.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no bot.
pub async fn get_default(ctx: &Context, tenant: TenantId) -> Result<Bot> {
    store::find_default(ctx.db(), tenant).await?.ok_or(Error::NotFound(Thing::Bot))
}
