//! Bots: a tenant's chatbots and their settings.
//!
//! Owns the table `bot`.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};

use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::field::{Name, Text, nothing_to_change};
use crate::idempotency;
use crate::ids::{BotId, TenantId};
use crate::jobs::{self, Kind, Subject, dispatch};
use crate::knowledge::reindex;
use crate::page::{Page, PageRequest};
use crate::purge_job::{self, Purge};
use crate::tenants;

mod enums;
mod store;

pub use crate::language::Language;
pub use enums::{Channel, Personality, Role, WhenUnsure};

/// Description or welcome message of a bot.
pub type Description = Text<2_000>;

/// System prompt: the tenant's instructions to the language model.
pub type SystemPrompt = Text<20_000>;

/// A chatbot.
#[derive(Clone, Debug)]
pub struct Bot {
    /// The id.
    pub id: BotId,
    /// The name.
    pub name: String,
    /// The channel it serves.
    pub channel_type: Channel,
    /// The tenant's description of its purpose.
    pub description: Option<String>,
    /// First message of a conversation.
    pub welcome_message: Option<String>,
    /// The tenant's instructions to the language model.
    pub system_prompt: Option<String>,
    /// Whether it answers.
    pub is_active: bool,
    /// Whether it answers sessions without a named bot.
    pub is_default: bool,
    /// Default language.
    pub language: Language,
    /// Tone of its answers.
    pub personality: Option<Personality>,
    /// Category of its purpose.
    pub role: Option<Role>,
    /// Behaviour when it is not sure of an answer.
    pub when_unsure: WhenUnsure,
    /// Whether generated sentences without a supporting passage are dropped.
    pub strict: bool,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// A bot to create.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields of [`Bot`]")]
pub struct NewBot {
    pub name: Name,
    pub channel_type: Channel,
    pub description: Option<Description>,
    pub welcome_message: Option<Description>,
    pub system_prompt: Option<SystemPrompt>,
    pub is_active: bool,
    pub language: Language,
    pub personality: Option<Personality>,
    pub role: Option<Role>,
    pub when_unsure: WhenUnsure,
    pub strict: bool,
}

impl NewBot {
    /// A bot with the default settings.
    #[must_use]
    pub fn new(name: Name, channel_type: Channel) -> Self {
        Self {
            name,
            channel_type,
            description: None,
            welcome_message: None,
            system_prompt: None,
            is_active: true,
            language: Language::default(),
            personality: None,
            role: None,
            when_unsure: WhenUnsure::default(),
            strict: false,
        }
    }
}

/// Changes to a bot. `None` keeps a field; `Some(None)` clears an optional one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of [`Bot`]")]
pub struct Changes {
    pub name: Option<Name>,
    pub description: Option<Option<Description>>,
    pub welcome_message: Option<Option<Description>>,
    pub system_prompt: Option<Option<SystemPrompt>>,
    pub is_active: Option<bool>,
    pub is_default: Option<bool>,
    pub language: Option<Language>,
    pub personality: Option<Option<Personality>>,
    pub role: Option<Option<Role>>,
    pub when_unsure: Option<WhenUnsure>,
    pub strict: Option<bool>,
}

impl Changes {
    /// Returns the changes unless they are empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] when every field is `None`.
    pub fn not_empty(self) -> Result<Self> {
        if self == Self::default() { Err(nothing_to_change()) } else { Ok(self) }
    }
}

/// A bot in a list of all bots.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The id.
    pub id: BotId,
    /// The name.
    pub name: String,
    /// The channel it serves.
    pub channel_type: Channel,
    /// Whether it answers.
    pub is_active: bool,
}

/// Filter of a list of bots.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Bots of this channel only.
    pub channel_type: Option<Channel>,
    /// Active or inactive bots only.
    pub is_active: Option<bool>,
}

/// Creates a bot. A tenant's first bot is its default.
///
/// # Errors
/// [`Error::LimitReached`] when the plan's limit is reached.
pub async fn create(ctx: &Context, tenant: TenantId, bot: &NewBot) -> Result<Bot> {
    let mut tx = ctx.db().begin(tenant).await?;
    // Locks the tenant's row, so that only one of two concurrent first bots becomes the default.
    tenants::count_bot(&mut tx, tenant).await?;
    let created = store::insert(&mut **tx, tenant, BotId::fresh(), bot).await?;
    tx.commit().await?;
    Ok(created)
}

/// A page of a tenant's bots, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(ctx: &Context, tenant: TenantId, filter: Filter, page: PageRequest) -> Result<Page<Bot>> {
    let (bots, total) = store::list(ctx.db().reading(tenant), tenant, filter, page).await?;
    Ok(Page::new(page, bots, total))
}

/// Number of a tenant's bots, including those deleted but not yet removed.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn count_any(ctx: &Context, tenant: TenantId) -> Result<i64> {
    Ok(store::count_any(ctx.db().reading(tenant), tenant).await?)
}

/// Summaries of all of a tenant's bots, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list_all(ctx: &Context, tenant: TenantId) -> Result<Vec<Summary>> {
    Ok(store::list_all(ctx.db().reading(tenant), tenant).await?)
}

/// A bot of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot.
pub async fn get(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<Bot> {
    get_on(ctx.db().reading(tenant), tenant, bot).await
}

/// A bot of a tenant, on the caller's connection.
///
/// # Errors
/// As [`get`].
pub(crate) async fn get_on(db: impl PgExecutor<'_>, tenant: TenantId, bot: BotId) -> Result<Bot> {
    store::find(db, tenant, bot).await?.ok_or(Error::NotFound(Thing::Bot))
}

/// The default bot, for sessions without a named bot.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no bot.
pub(crate) async fn get_default_on(db: impl PgExecutor<'_>, tenant: TenantId) -> Result<Bot> {
    store::find_default(db, tenant).await?.ok_or(Error::NotFound(Thing::Bot))
}

/// Changes a bot. A bot that becomes the default replaces the previous default.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot; [`Error::Conflict`] on `is_default: false` for the
/// default bot, since a tenant with bots has exactly one default.
pub async fn update(ctx: &Context, tenant: TenantId, bot: BotId, changes: &Changes) -> Result<Bot> {
    let mut tx = ctx.db().begin(tenant).await?;
    if changes.is_default.is_some() {
        // Locks the tenant's row, so that one of two concurrent new defaults wins.
        tenants::hold(&mut tx, tenant).await?;
    }
    if changes.is_default == Some(true) {
        store::take_default(&mut tx, tenant, bot).await?;
    }
    let before = match changes.language {
        Some(_) => store::find(&mut **tx, tenant, bot).await?,
        None => None,
    };
    let changed = store::update(&mut **tx, tenant, bot, changes).await?.ok_or(Error::NotFound(Thing::Bot))?;
    if changed.is_default && changes.is_default == Some(false) {
        return Err(Error::Conflict {
            code: "default_bot",
            message: "The default bot stays the default until another one is made it".to_owned(),
        });
    }
    let language_changed = before.is_some_and(|before| before.language != changed.language);
    if language_changed {
        reindex::enqueue(ctx, &mut tx, tenant, bot).await?;
    }
    tx.commit().await?;
    if language_changed {
        dispatch::nudge(ctx, Kind::Reindex);
    }
    Ok(changed)
}

/// Hides a bot with all its data immediately; a purge job removes the rows. Returns the bot's name. The oldest
/// remaining bot replaces a deleted default.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot.
pub async fn delete(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<String> {
    let mut tx = ctx.db().begin(tenant).await?;
    tenants::hold(&mut tx, tenant).await?;
    let name = store::hide(&mut **tx, tenant, bot).await?.ok_or(Error::NotFound(Thing::Bot))?;
    store::appoint_default(&mut **tx, tenant).await?;
    tenants::uncount_bot(&mut tx, tenant).await?;
    // Does not wait for locked jobs, like the deletion of a source.
    let live = jobs::hold_free(&mut tx, tenant, Subject::Bot(bot)).await?;
    jobs::cancel(&mut tx, tenant, &live).await?;
    purge_job::enqueue(ctx, &mut tx, tenant, Purge::Bot { bot }).await?;
    idempotency::forget(&mut tx, tenant, &["bots", "conversations", "knowledge"]).await?;
    tx.commit().await?;
    dispatch::nudge(ctx, Kind::Purge);
    Ok(name)
}

/// Deletes the row of a hidden bot once its data is purged, in the caller's transaction.
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
    fn empty_changes_are_rejected() {
        assert!(Changes::default().not_empty().is_err());
        assert!(Changes { description: Some(None), ..Changes::default() }.not_empty().is_ok());
    }
}
