//! Bots: what a tenant's customers talk to.
//!
//! Owns the table `bot`. Input is parsed once, into [`NewBot`] and [`Changes`]; the rest of the domain never meets a
//! raw name.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgTransaction};

use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::idempotency;
use crate::ids::{BotId, TenantId};
use crate::input::{
    Collect, changed_text, clearable_text, not_null, nothing_to_change, optional, optional_text, required,
    required_text,
};
use crate::jobs::{self, Kind, Subject, dispatch};
use crate::knowledge::reindex;
use crate::page::{Page, PageRequest};
use crate::purge::{self, Purge};
use crate::tenants;

mod store;
mod words;

pub use words::{Channel, Language, Personality, Role, WhenUnsure};

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
    /// What it does when it is not sure of an answer.
    pub when_unsure: WhenUnsure,
    /// Whether sentences of a language model that no passage supports are left out.
    pub strict: bool,
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
    when_unsure: WhenUnsure,
    strict: bool,
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
    /// A [`WhenUnsure`]; `tell` when absent.
    pub when_unsure: Option<String>,
    /// False when absent.
    pub strict: Option<bool>,
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
        let when_unsure = problems.take(optional(raw.when_unsure));
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
                when_unsure: when_unsure.flatten().unwrap_or(WhenUnsure::Tell),
                strict: raw.strict.unwrap_or(false),
            }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

/// What is to be changed of a bot, as it was asked for. A field that is `None` stays; of those that can
/// be absent, `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct RawChanges {
    /// 1 to 255 characters.
    pub name: Option<Option<String>>,
    /// Up to 2,000 characters.
    pub description: Option<Option<String>>,
    /// Up to 2,000 characters.
    pub welcome_message: Option<Option<String>>,
    /// Up to 20,000 characters.
    pub system_prompt: Option<Option<String>>,
    /// Whether it answers.
    pub is_active: Option<Option<bool>>,
    /// Whether it answers sessions that name no bot.
    pub is_default: Option<Option<bool>>,
    /// A [`Language`].
    pub language: Option<Option<String>>,
    /// A [`Personality`].
    pub personality: Option<Option<String>>,
    /// A [`Role`].
    pub bot_role: Option<Option<String>>,
    /// A [`WhenUnsure`].
    pub when_unsure: Option<Option<String>>,
    /// Whether unsupported sentences are left out.
    pub strict: Option<Option<bool>>,
}

/// What is to be changed of a bot, with everything checked.
#[derive(Clone, Debug)]
pub struct Changes {
    name: Option<String>,
    description: Option<Option<String>>,
    welcome_message: Option<Option<String>>,
    system_prompt: Option<Option<String>>,
    is_active: Option<bool>,
    is_default: Option<bool>,
    language: Option<Language>,
    personality: Option<Option<Personality>>,
    role: Option<Option<Role>>,
    when_unsure: Option<WhenUnsure>,
    strict: Option<bool>,
}

impl Changes {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, in the order of the fields, or because there is
    /// nothing to change.
    pub fn parse(raw: RawChanges) -> Result<Self> {
        let mut problems = Vec::new();
        let name = problems.take(changed_text("name", raw.name, NAME_LENGTH));
        let description = problems.take(clearable_text("description", raw.description, TEXT_LENGTH));
        let welcome_message =
            problems.take(clearable_text("welcome_message", raw.welcome_message, TEXT_LENGTH));
        let system_prompt = problems.take(clearable_text("system_prompt", raw.system_prompt, PROMPT_LENGTH));
        let is_active = problems.take(not_null("is_active", raw.is_active));
        let is_default = problems.take(not_null("is_default", raw.is_default));
        let language = problems.take(not_null("language", raw.language).and_then(optional));
        let personality = problems.take(raw.personality.map(optional).transpose());
        let role = problems.take(raw.bot_role.map(optional).transpose());
        let when_unsure = problems.take(not_null("when_unsure", raw.when_unsure).and_then(optional));
        let strict = problems.take(not_null("strict", raw.strict));
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let changes = Self {
            name: name.flatten(),
            description: description.flatten(),
            welcome_message: welcome_message.flatten(),
            system_prompt: system_prompt.flatten(),
            is_active: is_active.flatten(),
            is_default: is_default.flatten(),
            language: language.flatten(),
            personality: personality.flatten(),
            role: role.flatten(),
            when_unsure: when_unsure.flatten(),
            strict: strict.flatten(),
        };
        if changes.is_empty() { Err(nothing_to_change()) } else { Ok(changes) }
    }

    fn is_empty(&self) -> bool {
        matches!(
            self,
            Self {
                name: None,
                description: None,
                welcome_message: None,
                system_prompt: None,
                is_active: None,
                is_default: None,
                language: None,
                personality: None,
                role: None,
                when_unsure: None,
                strict: None,
            }
        )
    }
}

/// A bot in a list of all of them.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its id.
    pub id: BotId,
    /// Its name.
    pub name: String,
    /// Where it talks.
    pub channel_type: Channel,
    /// Whether it answers.
    pub is_active: bool,
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
    let mut tx = ctx.db().begin(tenant).await?;
    // Holds the tenant's row, so that of two first bots one is the default.
    tenants::count_bot(&mut tx, tenant).await?;
    let made = store::insert(&mut *tx, tenant, BotId::fresh(), bot).await?;
    tx.commit().await?;
    Ok(made)
}

/// A page of a tenant's bots, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(ctx: &Context, tenant: TenantId, filter: Filter, page: PageRequest) -> Result<Page<Bot>> {
    let (bots, total) = store::list(&mut *ctx.db().of(tenant).await?, tenant, filter, page).await?;
    Ok(Page::new(page, bots, total))
}

/// How many bots a tenant has, those that are deleted and not removed yet included.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn count_any(ctx: &Context, tenant: TenantId) -> Result<i64> {
    Ok(store::count_any(&mut *ctx.db().of(tenant).await?, tenant).await?)
}

/// Every bot of a tenant, newest first, in short.
///
/// # Errors
/// When the statement fails.
pub async fn list_all(ctx: &Context, tenant: TenantId) -> Result<Vec<Summary>> {
    Ok(store::list_all(&mut *ctx.db().of(tenant).await?, tenant).await?)
}

/// A bot of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot.
pub async fn get(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<Bot> {
    get_on(&mut *ctx.db().of(tenant).await?, tenant, bot).await
}

/// A bot of a tenant, on a connection that the caller has already.
///
/// # Errors
/// As [`get`].
pub(crate) async fn get_on(db: &mut PgConnection, tenant: TenantId, bot: BotId) -> Result<Bot> {
    store::find(db, tenant, bot).await?.ok_or(Error::NotFound(Thing::Bot))
}

/// The bot that answers sessions that name none.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no bot.
pub(crate) async fn get_default_on(db: &mut PgConnection, tenant: TenantId) -> Result<Bot> {
    store::find_default(db, tenant).await?.ok_or(Error::NotFound(Thing::Bot))
}

/// Changes what is to be changed of a bot. One that becomes the default takes the other's place.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot; [`Error::Conflict`] when it is the default and
/// is to be one no more, for there must be one.
pub async fn update(ctx: &Context, tenant: TenantId, bot: BotId, changes: &Changes) -> Result<Bot> {
    let mut tx = ctx.db().begin(tenant).await?;
    if changes.is_default.is_some() {
        // Holds the tenant's row: of two that become the default at once, one does.
        tenants::hold(&mut tx, tenant).await?;
    }
    if changes.is_default == Some(true) {
        store::take_default(&mut tx, tenant, bot).await?;
    }
    let before = match changes.language {
        Some(_) => store::find(&mut *tx, tenant, bot).await?,
        None => None,
    };
    let changed = store::update(&mut *tx, tenant, bot, changes).await?.ok_or(Error::NotFound(Thing::Bot))?;
    if changed.is_default && changes.is_default == Some(false) {
        return Err(Error::Conflict {
            code: "default_bot",
            message: "The default bot stays the default until another one is made it".to_owned(),
        });
    }
    let reworded = before.is_some_and(|before| before.language != changed.language);
    if reworded {
        reindex::enqueue(ctx, &mut tx, tenant, bot).await?;
    }
    tx.commit().await?;
    if reworded {
        dispatch::nudge(ctx, Kind::Reindex);
    }
    Ok(changed)
}

/// Hides a bot and everything of it, at once; a job removes the rows. Gives what it was called. When
/// it was the default, the oldest that remains takes its place.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot.
pub async fn delete(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<String> {
    let mut tx = ctx.db().begin(tenant).await?;
    tenants::hold(&mut tx, tenant).await?;
    let name = store::hide(&mut *tx, tenant, bot).await?.ok_or(Error::NotFound(Thing::Bot))?;
    store::appoint_default(&mut *tx, tenant).await?;
    tenants::uncount_bot(&mut tx, tenant).await?;
    let live = jobs::hold(&mut tx, tenant, Subject::Bot(bot)).await?;
    jobs::cancel(&mut tx, tenant, &live).await?;
    purge::enqueue(ctx, &mut tx, tenant, Purge::Bot { bot }).await?;
    idempotency::forget(&mut tx, tenant, &["bots", "conversations", "knowledge"]).await?;
    tx.commit().await?;
    dispatch::nudge(ctx, Kind::Purge);
    Ok(name)
}

/// Removes the row of a bot that is hidden and has nothing left, in the caller's transaction.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn remove(tx: &mut PgTransaction<'_>, tenant: TenantId, bot: BotId) -> Result<()> {
    Ok(store::remove(&mut **tx, tenant, bot).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_tells_what_cannot_be_null_and_that_there_is_nothing_to_change() {
        let raw = RawChanges {
            name: Some(None),
            is_active: Some(None),
            language: Some(Some("xx".into())),
            description: Some(None),
            ..RawChanges::default()
        };
        let Err(Error::Invalid(problems)) = Changes::parse(raw) else { panic!() };
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["name", "is_active", "language"]);
        assert!(Changes::parse(RawChanges::default()).is_err());
        let clearing = RawChanges { description: Some(None), ..RawChanges::default() };
        assert_eq!(Changes::parse(clearing).unwrap().description, Some(None));
    }
}
