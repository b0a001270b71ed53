//! Answers to clients that keep the conversation themselves: counted like any message, and not stored.

use super::{Answer, MessageText, Teller, answer, lookup, prompt};
use crate::bots;
use crate::context::Context;
use crate::error::{Error, Forbidden, Result};
use crate::ids::{BotId, TenantId};
use crate::providers::chat::Turn;
use crate::tenants;

/// What was said so far, and the question that is to be answered.
#[derive(Clone, Debug)]
pub struct Talk {
    history: Vec<Turn>,
    question: MessageText,
}

impl Talk {
    /// A question with the last turns of its history.
    #[must_use]
    pub fn new(mut history: Vec<Turn>, question: MessageText) -> Self {
        let most = usize::try_from(prompt::HISTORY).unwrap_or(usize::MAX);
        history.drain(..history.len().saturating_sub(most));
        Self { history, question }
    }
}

/// Answers a question from a bot's knowledge.
///
/// # Errors
/// [`Error::NotFound`] without such a bot, [`Error::Forbidden`] when it is inactive, [`Error::LimitReached`];
/// [`Error::Cancelled`] when the listener was gone before anything was said.
pub async fn converse(
    ctx: &Context,
    tenant: TenantId,
    bot: BotId,
    talk: &Talk,
    teller: &Teller,
) -> Result<Answer> {
    let _place = ctx.limits().chats.take(tenant)?;
    let bot = bots::get(ctx, tenant, bot).await?;
    if !bot.is_active {
        return Err(Error::Forbidden(Forbidden::InactiveBot));
    }
    let mut tx = ctx.db().begin(tenant).await?;
    tenants::count_messages(&mut tx, tenant, 2).await?;
    tx.commit().await?;
    let answering = async {
        let looked_up = lookup::look_up(ctx, tenant, &bot, &talk.history, talk.question.as_str()).await?;
        answer::answer(ctx, &bot, &talk.history, talk.question.as_str(), looked_up, teller).await
    };
    let answered = match answering.await {
        Ok(answered) if answered.answer.is_partial && answered.answer.text.is_empty() => {
            Err(Error::Cancelled)
        }
        answered => answered,
    };
    // Whoever hung up before the first word has had a model asked all the same.
    if answered.as_ref().is_err_and(|error| !matches!(error, Error::Cancelled)) {
        let mut tx = ctx.db().begin(tenant).await?;
        tenants::uncount_messages(&mut tx, tenant, 2).await?;
        tx.commit().await?;
    }
    Ok(answered?.answer)
}
