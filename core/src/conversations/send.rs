//! Sending a message: the question is stored, answered, and the answer stored.

use std::time::{Duration, Instant};

use sqlx::PgTransaction;
use uuid::Uuid;

use super::answer::Answered;
use super::incoming::Opening;
use super::lookup::{LookedUp, look_up};
use super::turns::{self, Turn, Turns};
use super::{
    Confidence, Exchange, Message, NewMessage, SessionId, Status, Teller, Told, answer, followup, prompt,
    store,
};
use crate::bots::{self, Bot};
use crate::context::Context;
use crate::error::{Chain, Error, Forbidden, Result, Thing};
use crate::ids::{BotId, ConversationId, MessageId, TenantId};
use crate::platform::db;
use crate::providers::chat;
use crate::tenants;

/// How long a message waits for those before it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it looks whether another process is done.
const PAUSE: Duration = Duration::from_millis(50);

/// Sends a message and gives the bot's answer; tells of it on the way. An unknown session is opened by it. When
/// the listener is gone, what was said until then is stored as a partial answer.
///
/// # Errors
/// [`Error::Cancelled`] when the listener was gone before anything was said: the message was never sent.
/// [`Error::NotFound`] without a bot to open it on, [`Error::Forbidden`] when that bot is inactive,
/// [`Error::Conflict`] when the conversation has ended, [`Error::Busy`] when earlier messages are still
/// being answered, [`Error::TooMany`] when too many of the tenant's are, [`Error::LimitReached`].
pub async fn send(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: NewMessage,
    teller: &Teller,
) -> Result<Exchange> {
    let _place = ctx.limits().chats.take(tenant)?;
    let _line = ctx.state::<Turns>().wait(tenant, session).await;
    let (bot, Said { turn, message: user_message, history }, looked_up) =
        take_turn(ctx, tenant, session, &message).await?;
    let conversation = turn.conversation;
    teller.tell(Told::UserMessage(user_message.clone())).await;
    let answering = async {
        let looked_up = match looked_up {
            Some(looked_up) => looked_up?,
            None => look_up(ctx, tenant, &bot, &history, message.text.as_str()).await?,
        };
        answer::answer(ctx, &bot, &history, message.text.as_str(), looked_up, teller).await
    };
    let answered = match turn.hold(answering).await {
        Ok(answered) if answered.answer.is_partial && answered.answer.text.is_empty() => {
            Err(Error::Cancelled)
        }
        answered => answered,
    };
    let answered = match answered {
        Ok(answered) => answered,
        Err(error) => {
            // Whoever hung up before the first word has had a model asked all the same.
            let counts = matches!(error, Error::Cancelled);
            take_back(ctx, tenant, conversation, user_message.id, counts).await;
            return Err(error);
        }
    };

    let bot_response = keep(ctx, tenant, &bot, &turn, message.text.as_str(), &answered).await?;
    turn.passed();
    Ok(Exchange { user_message, bot_response, answer: answered.answer })
}

/// Stores an answer, passes the turn, and notes what the bot did not know.
#[tracing::instrument(name = "keep_answer", skip_all)]
async fn keep(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    turn: &Turn,
    question: &str,
    answered: &Answered,
) -> Result<Message> {
    let Answered { answer, trace, vector, model, same_question } = answered;
    let mut tx = ctx.db().begin(tenant).await?;
    let stored =
        store::insert_answer(&mut *tx, tenant, bot.id, turn.conversation, turn.token, answer, trace).await;
    let stored = match stored {
        // The conversation was erased while it was answered.
        Err(error) if db::refers_to_nothing(&error) => return Err(unknown()),
        stored => stored?,
    };
    let weak = answer.confidence == Some(Confidence::Low);
    if (!answer.answered || weak) && !answer.is_partial {
        let same = f64::from(*same_question);
        let gap = store::NewGap { bot: bot.id, message: stored.id, question, vector, model, same, weak };
        store::insert_gap(&mut *tx, tenant, &gap).await?;
    }
    tx.commit().await?;
    Ok(stored)
}

/// A message that could not be answered was never sent: who sends it again does not say it twice. It may count
/// nevertheless.
async fn take_back(
    ctx: &Context,
    tenant: TenantId,
    conversation: ConversationId,
    message: MessageId,
    counts: bool,
) {
    let taken_back = async {
        let mut tx = ctx.db().begin(tenant).await?;
        if store::delete_message(&mut *tx, tenant, conversation, message).await? && !counts {
            tenants::uncount_messages(&mut tx, tenant, 2).await?;
        }
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    if let Err(error) = taken_back.await {
        tracing::warn!(message.id = %message, error = %Chain(&error), "a message stays without an answer");
    }
}

/// Where a message belongs.
pub(super) struct Place {
    pub(super) bot: Bot,
    /// `None`: the session is new.
    pub(super) conversation: Option<ConversationId>,
}

/// A message that was stored, and what was said before it.
struct Said {
    turn: Turn,
    message: Message,
    history: Vec<chat::Turn>,
}

/// Stores the message when it is its turn. What it asks is looked up meanwhile, when that does not depend on what was
/// said before: not again while it waits, for what is known may change until its turn comes.
async fn take_turn(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: &NewMessage,
) -> Result<(Bot, Said, Option<Result<LookedUp>>)> {
    let begun = Instant::now();
    let mut may_look_up = followup::stands_alone(message.text.as_str());
    loop {
        let place = locate(ctx, tenant, session, message.opening.bot).await?;
        let look_up = async {
            match std::mem::take(&mut may_look_up) {
                true => Some(look_up(ctx, tenant, &place.bot, &[], message.text.as_str()).await),
                false => None,
            }
        };
        let (said, looked_up) = tokio::join!(say(ctx, tenant, session, &place, message), look_up);
        if let Some(said) = said? {
            return Ok((place.bot, said, looked_up));
        }
        // Another message has the turn, or has just opened the session.
        if begun.elapsed() > PATIENCE {
            return Err(Error::Busy {
                code: "conversation_busy",
                message: "An earlier message of the conversation is still being answered; try again later"
                    .to_owned(),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Finds the conversation of a session, or the bot to open it on. Outside of any transaction.
pub(super) async fn locate(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    bot: Option<BotId>,
) -> Result<Place> {
    let mut db = ctx.db().of(tenant).await?;
    let found = store::find(&mut *db, tenant, session).await?;
    if found.as_ref().is_some_and(|found| found.status == Status::Ended) {
        return Err(Error::Conflict {
            code: "conversation_ended",
            message: "The conversation has ended; use another session_id to begin a new one".to_owned(),
        });
    }
    let bot = match (&found, bot) {
        (Some(found), _) => bots::get_on(&mut db, tenant, found.bot_id).await?,
        (None, Some(bot)) => bots::get_on(&mut db, tenant, bot).await?,
        (None, None) => bots::get_default_on(&mut db, tenant).await?,
    };
    if !bot.is_active {
        return Err(Error::Forbidden(Forbidden::InactiveBot));
    }
    Ok(Place { bot, conversation: found.map(|found| found.id) })
}

/// Takes the turn and stores a customer's message, and opens its conversation when that is new. `None`:
/// somebody else has the turn, or opened the conversation meanwhile, and nothing was stored.
#[tracing::instrument(name = "keep_question", skip_all)]
async fn say(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    place: &Place,
    message: &NewMessage,
) -> Result<Option<Said>> {
    let mut tx = ctx.db().begin_provisional(tenant).await?;
    let conversation = match place.conversation {
        Some(conversation) => conversation,
        None => match open(&mut tx, tenant, session, &place.bot, &message.opening).await? {
            Some(conversation) => conversation,
            None => return Ok(None),
        },
    };
    let token = Uuid::now_v7();
    if !store::take_turn(&mut *tx, tenant, conversation, token, turns::LEASE).await? {
        return Ok(None);
    }
    // The question and its answer, so that an answer is never refused half-way.
    tenants::count_messages(&mut tx, tenant, 2).await?;
    let stored =
        store::insert_user_message(&mut *tx, tenant, place.bot.id, conversation, message.text.as_str())
            .await?;
    let history = store::list_recent(&mut *tx, tenant, conversation, stored.id, prompt::HISTORY).await?;
    tx.commit().await?;
    Ok(Some(Said { turn: Turn::taken(ctx, tenant, conversation, token), message: stored, history }))
}

/// Opens a conversation, in the caller's transaction. `None`: the session is there.
pub(super) async fn open(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    session: &SessionId,
    bot: &Bot,
    opening: &Opening,
) -> Result<Option<ConversationId>> {
    let channel = opening.channel.unwrap_or(bot.channel_type);
    // One of a bot that was deleted is hidden, and must not stand in the way until it is removed.
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

/// For verbs that find nothing.
pub(super) fn unknown() -> Error {
    Error::NotFound(Thing::Conversation)
}
