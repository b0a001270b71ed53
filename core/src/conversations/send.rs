//! Sends a message: stores the question, answers it and stores the answer.

use std::time::{Duration, Instant};

use sqlx::PgTransaction;
use uuid::Uuid;

use super::answering::AnswerRecord;
use super::incoming::Opening;
use super::retrieval::{Retrieved, retrieve};
use super::turns::{self, Turn, Turns};
use super::{
    AnswerEvent, Confidence, EventSender, Exchange, Message, NewMessage, SessionId, Status, answering,
    followup, prompt, store,
};
use crate::bots::{self, Bot};
use crate::context::Context;
use crate::error::{Error, Forbidden, Result, Thing};
use crate::ids::{BotId, ConversationId, MessageId, TenantId};
use crate::platform::db;
use crate::platform::outage::outlast;
use crate::providers::chat;
use crate::tenants;

/// Maximum wait for earlier messages of the session.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Interval at which the turn held by another process is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Sends a message, emits events and returns the bot's answer. An unknown session is opened. When the client
/// disconnects, the text sent so far is stored as a partial answer.
///
/// # Errors
/// [`Error::Cancelled`] when the client disconnected before any text; the message is not stored.
/// [`Error::NotFound`] without a bot, [`Error::Forbidden`] when the bot is inactive, [`Error::Conflict`] when
/// the conversation has ended, [`Error::Busy`] when earlier messages are still being answered,
/// [`Error::TooMany`] when too many of the tenant's messages are, [`Error::LimitReached`].
pub async fn send(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: NewMessage,
    events: &EventSender,
) -> Result<Exchange> {
    let _permit = ctx.limits().chats.take(tenant)?;
    let _order = ctx.state::<Turns>().wait(tenant, session).await;
    let (bot, AcceptedMessage { turn, message: user_message, history }, retrieved) =
        take_turn(ctx, tenant, session, &message).await?;
    let exchange = ExchangeIds { question: user_message.id, answer: MessageId::fresh() };
    events.send(AnswerEvent::UserMessage(user_message.clone())).await;
    let answering = async {
        let retrieved = match retrieved {
            Some(retrieved) => retrieved?,
            None => retrieve(ctx, tenant, &bot, &history, message.text.as_str()).await?,
        };
        answering::answer(ctx, &bot, &history, message.text.as_str(), retrieved, events).await
    };
    let record = match turn.hold(answering).await {
        Ok(record) if record.answer.is_partial && record.answer.text.is_empty() => Err(Error::Cancelled),
        record => record,
    };
    let record = match record {
        Ok(record) => record,
        Err(error) => {
            // Disconnecting before the first word has still cost a model call.
            let counts = matches!(error, Error::Cancelled);
            withdraw(ctx, tenant, exchange, counts).await;
            return Err(error);
        }
    };

    let stored =
        store_answer(ctx, tenant, &bot, &turn, exchange.answer, message.text.as_str(), &record).await;
    let bot_response = match stored {
        Ok(stored) => stored,
        Err(error) => {
            let ctx = ctx.clone();
            tokio::spawn(async move { withdraw(&ctx, tenant, exchange, true).await });
            return Err(error);
        }
    };
    turn.passed();
    Ok(Exchange { user_message, bot_response, answer: record.answer })
}

/// Stores an answer, releases the turn and records a knowledge gap.
#[tracing::instrument(name = "keep_answer", skip_all)]
async fn store_answer(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    turn: &Turn,
    id: MessageId,
    question: &str,
    record: &AnswerRecord,
) -> Result<Message> {
    let AnswerRecord { answer, vector, model, same_question, .. } = record;
    let mut tx = ctx.db().begin(tenant).await?;
    let stored =
        store::insert_answer(&mut **tx, tenant, bot.id, turn.conversation, turn.token, id, record).await;
    let stored = match stored {
        // The conversation was deleted in the meantime.
        Err(error) if db::refers_to_nothing(&error) => return Err(not_found()),
        stored => stored?,
    };
    let weak = answer.confidence == Some(Confidence::Low);
    if (!answer.answered || weak) && !answer.is_partial {
        let same = f64::from(*same_question);
        let gap = store::NewGap { bot: bot.id, message: stored.id, question, vector, model, same, weak };
        store::insert_gap(&mut **tx, tenant, &gap).await?;
    }
    tx.commit().await?;
    Ok(stored)
}

/// A question and its answer, stored or not.
#[derive(Clone, Copy)]
struct ExchangeIds {
    question: MessageId,
    answer: MessageId,
}

/// Deletes a failed exchange, so that a retry does not store it twice; retries after a database outage. Its cost counts
/// against the quota if `counts` is set.
async fn withdraw(ctx: &Context, tenant: TenantId, exchange: ExchangeIds, counts: bool) {
    let ctx = ctx.clone();
    outlast("deleting an unanswered message", MAX_WAIT, move || {
        let ctx = ctx.clone();
        async move {
            let mut tx = ctx.db().begin(tenant).await?;
            let existed =
                store::delete_exchange(&mut **tx, tenant, exchange.question, exchange.answer).await?;
            if existed && !counts {
                tenants::uncount_messages(&mut tx, tenant, 2).await?;
            }
            Ok(tx.commit().await?)
        }
    })
    .await;
}

/// Bot and conversation of a message.
pub(super) struct Destination {
    pub(super) bot: Bot,
    /// `None` for a new session.
    pub(super) conversation: Option<ConversationId>,
}

/// Stored message with its turn and the messages before it.
struct AcceptedMessage {
    turn: Turn,
    message: Message,
    history: Vec<chat::Turn>,
}

/// Stores the message once its turn comes. Retrieval runs concurrently when it does not depend on earlier
/// messages, but only on the first attempt: the knowledge base may change while the message waits.
async fn take_turn(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: &NewMessage,
) -> Result<(Bot, AcceptedMessage, Option<Result<Retrieved>>)> {
    let begun = Instant::now();
    let mut may_retrieve = followup::stands_alone(message.text.as_str());
    loop {
        let destination = locate(ctx, tenant, session, message.opening.bot).await?;
        let retrieve = async {
            match std::mem::take(&mut may_retrieve) {
                true => Some(retrieve(ctx, tenant, &destination.bot, &[], message.text.as_str()).await),
                false => None,
            }
        };
        let (accepted, retrieved) =
            tokio::join!(accept(ctx, tenant, session, &destination, message), retrieve);
        if let Some(accepted) = accepted? {
            return Ok((destination.bot, accepted, retrieved));
        }
        // Another message holds the turn, or has just opened the session.
        if begun.elapsed() > MAX_WAIT {
            return Err(Error::Busy {
                code: "conversation_busy",
                message: "An earlier message of the conversation is still being answered; try again later"
                    .to_owned(),
            });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Finds the conversation of a session, or the bot to open it on. Runs outside any transaction.
pub(super) async fn locate(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    bot: Option<BotId>,
) -> Result<Destination> {
    let db = ctx.db().reading(tenant);
    let found = store::find(db, tenant, session).await?;
    if found.as_ref().is_some_and(|found| found.status == Status::Ended) {
        return Err(Error::Conflict {
            code: "conversation_ended",
            message: "The conversation has ended; use another session_id to begin a new one".to_owned(),
        });
    }
    let bot = match (&found, bot) {
        (Some(found), _) => bots::get_on(db, tenant, found.bot_id).await?,
        (None, Some(bot)) => bots::get_on(db, tenant, bot).await?,
        (None, None) => bots::get_default_on(db, tenant).await?,
    };
    if !bot.is_active {
        return Err(Error::Forbidden(Forbidden::InactiveBot));
    }
    Ok(Destination { bot, conversation: found.map(|found| found.id) })
}

/// Claims the turn and stores the customer's message, opening a new conversation if needed. Returns `None`,
/// with nothing stored, when another message holds the turn or opened the conversation first.
#[tracing::instrument(name = "keep_question", skip_all)]
async fn accept(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    destination: &Destination,
    message: &NewMessage,
) -> Result<Option<AcceptedMessage>> {
    let mut tx = ctx.db().begin_provisional(tenant).await?;
    let conversation = match destination.conversation {
        Some(conversation) => conversation,
        None => match open(&mut tx, tenant, session, &destination.bot, &message.opening).await? {
            Some(conversation) => conversation,
            None => return Ok(None),
        },
    };
    let token = Uuid::now_v7();
    if !store::take_turn(&mut **tx, tenant, conversation, token, turns::LEASE).await? {
        return Ok(None);
    }
    // Both the question and its answer are counted, so that an answer is never refused halfway.
    tenants::count_messages(&mut tx, tenant, 2).await?;
    let exchange = ExchangeIds { question: MessageId::fresh(), answer: MessageId::fresh() };
    let stored = store::insert_user_message(
        &mut **tx,
        tenant,
        destination.bot.id,
        conversation,
        exchange.question,
        message.text.as_str(),
    )
    .await?;
    let history = store::list_recent(&mut **tx, tenant, conversation, stored.id, prompt::HISTORY).await?;
    // Passed if the commit fails: it may have succeeded, and only its response was lost.
    let turn = Turn::taken(ctx, tenant, conversation, token);
    if let Err(error) = tx.commit().await {
        // The client does not wait for the database.
        let ctx = ctx.clone();
        tokio::spawn(async move { withdraw(&ctx, tenant, exchange, false).await });
        return Err(error.into());
    }
    Ok(Some(AcceptedMessage { turn, message: stored, history }))
}

/// Opens a conversation in the caller's transaction; `None` when the session exists.
pub(super) async fn open(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    session: &SessionId,
    bot: &Bot,
    opening: &Opening,
) -> Result<Option<ConversationId>> {
    let channel = opening.channel.unwrap_or(bot.channel_type);
    // The conversation of a deleted bot is hidden, and must not block the session id until it is purged.
    store::delete_hidden(&mut **tx, tenant, session).await?;
    let Some(conversation) = store::insert(&mut **tx, tenant, bot, session, channel, opening).await? else {
        return Ok(None);
    };
    tenants::count_conversation(tx, tenant).await?;
    if let Some(welcome) = &bot.welcome_message {
        store::insert_welcome(&mut **tx, tenant, bot.id, conversation, welcome).await?;
    }
    Ok(Some(conversation))
}

/// Error for an unknown session.
pub(super) fn not_found() -> Error {
    Error::NotFound(Thing::Conversation)
}
