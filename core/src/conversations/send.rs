//! Sending a message: the question is stored, answered, and the answer stored.

use sqlx::PgTransaction;

use super::incoming::Opening;
use super::{Exchange, Message, NewMessage, SessionId, Status, answer, prompt, store};
use crate::bots::{self, Bot};
use crate::context::Context;
use crate::error::{Error, Forbidden, Result, Thing};
use crate::ids::{ConversationId, TenantId};
use crate::tenants;

/// Sends a message and gives the bot's answer. An unknown session is opened by it.
///
/// # Errors
/// [`Error::NotFound`] without a bot to open it on, [`Error::Forbidden`] when that bot is inactive,
/// [`Error::Conflict`] when the conversation has ended, [`Error::LimitReached`].
pub async fn send(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: NewMessage,
) -> Result<Exchange> {
    let mut place = locate(ctx, tenant, session, &message.opening).await?;
    let mut said = say(ctx, tenant, session, &place, &message).await?;
    if said.is_none() {
        // Another first message of this session was faster; now the session is there.
        place = locate(ctx, tenant, session, &message.opening).await?;
        said = say(ctx, tenant, session, &place, &message).await?;
    }
    let (conversation, user_message) = said.ok_or(Error::NotFound(Thing::Conversation))?;
    let bot = place.bot;

    let history =
        store::list_recent(ctx.db(), tenant, conversation, user_message.id, prompt::HISTORY).await?;
    let answer = answer::answer(ctx, tenant, &bot, &history, &message.text).await?;

    let mut tx = ctx.db().begin().await?;
    let bot_response = store::insert_bot_message(&mut *tx, tenant, conversation, &answer).await?;
    if !answer.answered {
        store::insert_gap(&mut *tx, tenant, bot.id, bot_response.id, &message.text).await?;
    }
    tx.commit().await?;
    Ok(Exchange { user_message, bot_response, answer })
}

/// Where a message belongs.
struct Place {
    bot: Bot,
    /// `None`: the session is new.
    conversation: Option<ConversationId>,
}

/// Finds the conversation of a session, or the bot to open it on. Outside of any transaction, for each
/// verb takes its own connection.
async fn locate(ctx: &Context, tenant: TenantId, session: &SessionId, opening: &Opening) -> Result<Place> {
    let found = store::find(ctx.db(), tenant, session).await?;
    if found.as_ref().is_some_and(|found| found.status == Status::Ended) {
        return Err(Error::Conflict {
            code: "conversation_ended",
            message: "The conversation has ended; use another session_id to begin a new one".to_owned(),
        });
    }
    let bot = match (&found, opening.bot) {
        (Some(found), _) => bots::get(ctx, tenant, found.bot_id).await?,
        (None, Some(bot)) => bots::get(ctx, tenant, bot).await?,
        (None, None) => bots::get_default(ctx, tenant).await?,
    };
    if !bot.is_active {
        return Err(Error::Forbidden(Forbidden::InactiveBot));
    }
    Ok(Place { bot, conversation: found.map(|found| found.id) })
}

/// Stores a customer's message, and opens its conversation when that is new. `None`: somebody else
/// opened it meanwhile, and nothing was stored.
async fn say(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    place: &Place,
    message: &NewMessage,
) -> Result<Option<(ConversationId, Message)>> {
    let mut tx = ctx.db().begin().await?;
    let conversation = match place.conversation {
        Some(conversation) => conversation,
        None => match open(&mut tx, tenant, session, &place.bot, &message.opening).await? {
            Some(conversation) => conversation,
            None => return Ok(None),
        },
    };
    // The question and its answer, so that an answer is never refused half-way.
    tenants::count_messages(&mut tx, tenant, 2).await?;
    let stored = store::insert_user_message(&mut *tx, tenant, conversation, &message.text).await?;
    tx.commit().await?;
    Ok(Some((conversation, stored)))
}

async fn open(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    session: &SessionId,
    bot: &Bot,
    opening: &Opening,
) -> Result<Option<ConversationId>> {
    let channel = opening.channel.unwrap_or(bot.channel_type);
    let Some(conversation) = store::insert(&mut **tx, tenant, bot, session, channel, opening).await? else {
        return Ok(None);
    };
    tenants::count_conversation(tx, tenant).await?;
    if let Some(welcome) = &bot.welcome_message {
        store::insert_welcome(&mut **tx, tenant, conversation, welcome).await?;
    }
    Ok(Some(conversation))
}
