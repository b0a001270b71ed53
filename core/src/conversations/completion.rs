//! Stateless answers, for clients that keep the conversation themselves; counted, but not stored.

use super::{Answer, EventSender, MessageText, answering, prompt, retrieval};
use crate::bots;
use crate::context::Context;
use crate::error::{Error, Forbidden, Result};
use crate::ids::{BotId, TenantId};
use crate::providers::chat::Turn;
use crate::tenants;

/// Earlier messages and the question to answer.
#[derive(Clone, Debug)]
pub struct Transcript {
    history: Vec<Turn>,
    question: MessageText,
}

impl Transcript {
    /// Number of turns of the history that are used.
    #[expect(clippy::cast_possible_truncation, reason = "a small positive constant")]
    pub const HISTORY: usize = prompt::HISTORY as usize;

    /// A question with the last turns of its history.
    #[must_use]
    pub fn new(mut history: Vec<Turn>, question: MessageText) -> Self {
        history.drain(..history.len().saturating_sub(Self::HISTORY));
        Self { history, question }
    }
}

/// Answers a question from a bot's knowledge.
///
/// # Errors
/// [`Error::NotFound`] when the bot does not exist, [`Error::Forbidden`] when it is inactive, [`Error::LimitReached`];
/// [`Error::Cancelled`] when the client disconnected before any text.
pub async fn complete(
    ctx: &Context,
    tenant: TenantId,
    bot: BotId,
    transcript: &Transcript,
    events: &EventSender,
) -> Result<Answer> {
    let _permit = ctx.limits().chats.take(tenant)?;
    let bot = bots::get(ctx, tenant, bot).await?;
    if !bot.is_active {
        return Err(Error::Forbidden(Forbidden::InactiveBot));
    }
    let mut tx = ctx.db().begin(tenant).await?;
    tenants::count_messages(&mut tx, tenant, 2).await?;
    tx.commit().await?;
    let answering = async {
        let (history, question) = (&transcript.history, transcript.question.as_str());
        let retrieved = retrieval::retrieve(ctx, tenant, &bot, history, question).await?;
        answering::answer(ctx, &bot, history, question, retrieved, events).await
    };
    let record = match answering.await {
        Ok(record) if record.answer.is_partial && record.answer.text.is_empty() => Err(Error::Cancelled),
        record => record,
    };
    // Disconnecting before the first word has still cost a model call.
    if record.as_ref().is_err_and(|error| !matches!(error, Error::Cancelled)) {
        let mut tx = ctx.db().begin(tenant).await?;
        tenants::uncount_messages(&mut tx, tenant, 2).await?;
        tx.commit().await?;
    }
    Ok(record?.answer)
}
