//! Management of conversations: open, list, read, update, erase and rate.

use chrono::{DateTime, Utc};

use super::incoming::{ConversationChanges, Feedback, Opening};
use super::send::{locate, not_found, open as open_in};
use super::{Conversation, Filter, Gap, GapFilter, Message, SessionId, store};
use crate::analytics;
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::idempotency;
use crate::ids::{BotId, ConversationId, MessageId, TenantId};
use crate::page::{Page, PageRequest, Walks};

/// Maximum number of conversations marked abandoned per sweep.
const SWEEP_LIMIT: i64 = 1_000;

/// Lists a tenant's conversations, newest first.
///
/// # Errors
/// [`Error::Invalid`] for a page that begins after too many rows, unless the pages before it were just read.
pub async fn list(
    ctx: &Context,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
) -> Result<Page<Conversation>> {
    let db = ctx.db().reading(tenant);
    // The rollups hold the combinations of bot, status and channel, with their counts.
    let mut kinds = analytics::count_conversations(db, tenant).await?;
    kinds.retain(|kind| {
        filter.bot.is_none_or(|bot| bot == kind.bot)
            && filter.status.is_none_or(|status| status == kind.status)
            && filter.channel.is_none_or(|channel| channel == kind.channel)
    });
    let total = kinds.iter().map(|kind| kind.n).sum();
    if page.offset() >= total {
        return Ok(Page::new(page, Vec::new(), total));
    }
    let (walks, list) = (ctx.state::<Walks<(TenantId, Filter), ConversationId>>(), (tenant, filter));
    let start = walks.start(&list, page)?;
    let conversations = store::list(db, tenant, &kinds, page.limit(), start).await?;
    walks.learn(&list, page, conversations.len(), conversations.last().map(|last| last.id));
    Ok(Page::new(page, conversations, total))
}

/// Returns a conversation without its messages.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn get_session(ctx: &Context, tenant: TenantId, session: &SessionId) -> Result<Conversation> {
    store::find(ctx.db().reading(tenant), tenant, session).await?.ok_or_else(not_found)
}

/// Returns a conversation with its messages, oldest first.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn get(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
) -> Result<(Conversation, Vec<Message>)> {
    let db = ctx.db().reading(tenant);
    let found = store::find(db, tenant, session).await?.ok_or_else(not_found)?;
    let messages = store::list_messages(db, tenant, found.id).await?;
    Ok((found, messages))
}

/// Opens a conversation before its first message and stores the bot's welcome message, if any. Generates a
/// session id when none is given.
///
/// # Errors
/// [`Error::NotFound`] when the bot does not exist, [`Error::Forbidden`] when the bot is inactive, [`Error::Conflict`]
/// when the session exists already, [`Error::LimitReached`].
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
    let destination = match locate(ctx, tenant, &session, opening.bot).await {
        Err(Error::Conflict { .. }) => return Err(taken()),
        destination => destination?,
    };
    if destination.conversation.is_some() {
        return Err(taken());
    }
    let mut tx = ctx.db().begin(tenant).await?;
    open_in(&mut tx, tenant, &session, &destination.bot, opening).await?.ok_or_else(taken)?;
    tx.commit().await?;
    get(ctx, tenant, &session).await
}

/// Updates a conversation. An ended conversation stays ended.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn update(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    changes: &ConversationChanges,
) -> Result<Conversation> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    if !store::update(&mut *db, tenant, session, changes).await? {
        return Err(not_found());
    }
    store::find(&mut *db, tenant, session).await?.ok_or_else(not_found)
}

/// Deletes a conversation with its messages.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such session.
pub async fn erase(ctx: &Context, tenant: TenantId, session: &SessionId) -> Result<()> {
    let mut tx = ctx.db().begin(tenant).await?;
    if !store::erase(&mut **tx, tenant, session).await? {
        return Err(not_found());
    }
    idempotency::forget(&mut tx, tenant, &["conversations"]).await?;
    tx.commit().await?;
    Ok(())
}

/// Checks that a conversation has an answer.
///
/// # Errors
/// [`Error::NotFound`] when the session does not exist, or has no such answer.
pub async fn check_answer(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: MessageId,
) -> Result<()> {
    let db = ctx.db().reading(tenant);
    let conversation = store::find(db, tenant, session).await?.ok_or_else(not_found)?.id;
    let there = store::has_answer(db, tenant, conversation, message).await?;
    if there { Ok(()) } else { Err(Error::NotFound(Thing::Message)) }
}

/// Stores a customer's feedback on an answer, replacing earlier feedback.
///
/// # Errors
/// [`Error::NotFound`] when the session does not exist, or has no such answer.
pub async fn give_feedback(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: MessageId,
    feedback: &Feedback,
) -> Result<()> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    let conversation = store::find(&mut *db, tenant, session).await?.ok_or_else(not_found)?.id;
    let kept = store::set_feedback(&mut *db, tenant, conversation, message, feedback).await?;
    if kept { Ok(()) } else { Err(Error::NotFound(Thing::Message)) }
}

/// Marks idle conversations of all tenants as abandoned; returns how many.
///
/// # Errors
/// When the query fails.
pub async fn abandon_idle(ctx: &Context) -> Result<u64> {
    let idle = ctx.config().conversations.abandoned_after;
    Ok(store::abandon_idle(ctx.db().platform(), idle, SWEEP_LIMIT).await?)
}

/// Deletes up to `most` rows of a deleted bot's conversations; returns how many.
///
/// # Errors
/// When a query fails.
pub(crate) async fn purge(ctx: &Context, tenant: TenantId, bot: BotId, limit: i64) -> Result<u64> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    let messages = store::purge_messages(&mut *db, tenant, bot, limit).await?;
    if messages > 0 { Ok(messages) } else { Ok(store::purge(&mut *db, tenant, bot, limit).await?) }
}

/// Lists questions without an answer since a time, grouped by similarity, most frequent first.
///
/// # Errors
/// When the query fails.
pub async fn list_gaps(
    ctx: &Context,
    tenant: TenantId,
    since: DateTime<Utc>,
    filter: GapFilter,
    page: PageRequest,
) -> Result<Page<Gap>> {
    let (gaps, total) = store::list_gaps(ctx.db().reading(tenant), tenant, since, filter, page).await?;
    Ok(Page::new(page, gaps, total))
}
