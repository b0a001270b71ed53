//! Everything about conversations but talking: open, list, look at, change, erase, judge.

use chrono::{DateTime, Utc};

use super::incoming::{ConversationChanges, Feedback, Opening};
use super::send::{locate, open as open_in, unknown};
use super::{Conversation, Filter, Gap, GapFilter, Message, SessionId, store};
use crate::analytics;
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::idempotency;
use crate::ids::{BotId, MessageId, TenantId};
use crate::page::{Page, PageRequest};

/// Conversations that one sweep takes for abandoned at most.
const SWEEP: i64 = 1_000;

/// A page of a tenant's conversations, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(
    ctx: &Context,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
) -> Result<Page<Conversation>> {
    let mut db = ctx.db().of(tenant).await?;
    // The rollups know which kinds there are, and how many of each.
    let mut kinds = analytics::count_conversations(&mut db, tenant).await?;
    kinds.retain(|kind| {
        filter.bot.is_none_or(|bot| bot == kind.bot)
            && filter.status.is_none_or(|status| status == kind.status)
            && filter.channel.is_none_or(|channel| channel == kind.channel)
    });
    let total = kinds.iter().map(|kind| kind.n).sum();
    let conversations = store::list(&mut *db, tenant, &kinds, page).await?;
    Ok(Page::new(page, conversations, total))
}

/// A conversation, without its messages.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn get_session(ctx: &Context, tenant: TenantId, session: &SessionId) -> Result<Conversation> {
    store::find(&mut *ctx.db().of(tenant).await?, tenant, session).await?.ok_or_else(unknown)
}

/// A conversation with its messages, oldest first.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn get(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
) -> Result<(Conversation, Vec<Message>)> {
    let mut db = ctx.db().of(tenant).await?;
    let found = store::find(&mut *db, tenant, session).await?.ok_or_else(unknown)?;
    let messages = store::list_messages(&mut *db, tenant, found.id).await?;
    Ok((found, messages))
}

/// Opens a conversation before anything is said; the bot's welcome is its first message. A session that
/// has no name gets one.
///
/// # Errors
/// [`Error::NotFound`] without a bot to open it on, [`Error::Forbidden`] when that bot is inactive,
/// [`Error::Conflict`] when the session is there already, [`Error::LimitReached`].
pub async fn open(
    ctx: &Context,
    tenant: TenantId,
    session: Option<SessionId>,
    opening: &Opening,
) -> Result<(Conversation, Vec<Message>)> {
    let taken = || Error::Conflict {
        code: "conversation_exists",
        message: "A conversation with this session_id exists already".to_owned(),
    };
    let session = session.unwrap_or_else(SessionId::fresh);
    let place = match locate(ctx, tenant, &session, opening.bot).await {
        Err(Error::Conflict { .. }) => return Err(taken()),
        place => place?,
    };
    if place.conversation.is_some() {
        return Err(taken());
    }
    let mut tx = ctx.db().begin(tenant).await?;
    open_in(&mut tx, tenant, &session, &place.bot, opening).await?.ok_or_else(taken)?;
    tx.commit().await?;
    get(ctx, tenant, &session).await
}

/// Changes what is to be changed of a conversation. One that has ended stays so.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn update(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    changes: &ConversationChanges,
) -> Result<Conversation> {
    let mut db = ctx.db().of(tenant).await?;
    if !store::update(&mut *db, tenant, session, changes).await? {
        return Err(unknown());
    }
    store::find(&mut *db, tenant, session).await?.ok_or_else(unknown)
}

/// Erases a conversation with its messages.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn erase(ctx: &Context, tenant: TenantId, session: &SessionId) -> Result<()> {
    let mut tx = ctx.db().begin(tenant).await?;
    if !store::erase(&mut *tx, tenant, session).await? {
        return Err(unknown());
    }
    idempotency::forget(&mut tx, tenant, &["conversations"]).await?;
    tx.commit().await?;
    Ok(())
}

/// That a conversation has an answer.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session, or it has no such answer.
pub async fn check_answer(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: MessageId,
) -> Result<()> {
    let mut db = ctx.db().of(tenant).await?;
    let conversation = store::find(&mut *db, tenant, session).await?.ok_or_else(unknown)?.id;
    let there = store::has_answer(&mut *db, tenant, conversation, message).await?;
    if there { Ok(()) } else { Err(Error::NotFound(Thing::Message)) }
}

/// Keeps what a customer thinks of an answer, in the place of what was thought before.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session, or it has no such answer.
pub async fn give_feedback(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: MessageId,
    feedback: &Feedback,
) -> Result<()> {
    let mut db = ctx.db().of(tenant).await?;
    let conversation = store::find(&mut *db, tenant, session).await?.ok_or_else(unknown)?.id;
    let kept = store::set_feedback(&mut *db, tenant, conversation, message, feedback).await?;
    if kept { Ok(()) } else { Err(Error::NotFound(Thing::Message)) }
}

/// Takes for abandoned what nobody wrote to for long; gives how many, over all tenants.
///
/// # Errors
/// When the statement fails.
pub async fn abandon_idle(ctx: &Context) -> Result<u64> {
    let idle = ctx.config().conversations.abandoned_after;
    Ok(store::abandon_idle(ctx.db().platform(), idle, SWEEP).await?)
}

/// Removes some of a deleted bot's conversations; gives how many rows.
///
/// # Errors
/// When a statement fails.
pub(crate) async fn purge(ctx: &Context, tenant: TenantId, bot: BotId, most: i64) -> Result<u64> {
    let mut db = ctx.db().of(tenant).await?;
    let messages = store::purge_messages(&mut *db, tenant, bot, most).await?;
    if messages > 0 { Ok(messages) } else { Ok(store::purge(&mut *db, tenant, bot, most).await?) }
}

/// A page of the questions since a moment that no knowledge answered, those that ask nearly the same as
/// one, most frequent first.
///
/// # Errors
/// When the statement fails.
pub async fn list_gaps(
    ctx: &Context,
    tenant: TenantId,
    since: DateTime<Utc>,
    filter: GapFilter,
    page: PageRequest,
) -> Result<Page<Gap>> {
    let (gaps, total) =
        store::list_gaps(&mut *ctx.db().of(tenant).await?, tenant, since, filter, page).await?;
    Ok(Page::new(page, gaps, total))
}
