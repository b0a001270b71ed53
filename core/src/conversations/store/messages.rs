//! Queries on `message` and `answer_trace`.

use sqlx::PgExecutor;
use sqlx::types::Json;
use uuid::Uuid;

use crate::conversations::answering::AnswerRecord;
use crate::conversations::incoming::Feedback;
use crate::conversations::{
    Citation, Confidence, Message, Rating, Sender, Support, Timings, Trace, TracedAnswer,
};
use crate::ids::{BotId, ConversationId, MessageId, TenantId};
use crate::providers::chat::{Speaker, Turn};

pub(in crate::conversations) async fn insert_welcome(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    conversation: ConversationId,
    welcome: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into message (id, tenant_id, bot_id, conversation_id, sender, message)
        values ($1, $2, $3, $4, 'bot', $5)
        "#,
        MessageId::fresh().uuid(),
        tenant.uuid(),
        bot.uuid(),
        conversation.uuid(),
        welcome,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::conversations) async fn insert_user_message(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    conversation: ConversationId,
    id: MessageId,
    text: &str,
) -> sqlx::Result<Message> {
    sqlx::query!(
        r#"
        insert into message (id, tenant_id, bot_id, conversation_id, sender, message, created_at)
        values ($1, $2, $3, $4, 'user', $5, clock_timestamp())
        returning id as "id: MessageId", message, message_type, created_at
        "#,
        id.uuid(),
        tenant.uuid(),
        bot.uuid(),
        conversation.uuid(),
        text,
    )
    .map(|row| Message {
        id: row.id,
        sender: Sender::User,
        message: row.message,
        message_type: row.message_type,
        answered: None,
        confidence: None,
        is_partial: false,
        sources: Vec::new(),
        rating: None,
        comment: None,
        created_at: row.created_at,
    })
    .fetch_one(db)
    .await
}

/// Stores an answer with its trace and releases the turn of its conversation, in one statement.
pub(in crate::conversations) async fn insert_answer(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    conversation: ConversationId,
    turn: Uuid,
    id: MessageId,
    AnswerRecord { answer, trace, .. }: &AnswerRecord,
) -> sqlx::Result<Message> {
    sqlx::query!(
        r#"
        with passed as (
            update conversation
            set turn = null, turn_expires_at = null, last_message_at = now()
            where tenant_id = $2 and id = $4 and turn = $5
        ),
        traced as (
            insert into answer_trace (message_id, tenant_id, trace) values ($1, $2, $15)
        )
        insert into message (
            id, tenant_id, bot_id, conversation_id, sender, message, sources, answered, degraded, model,
            input_tokens, output_tokens, timings_ms, is_partial, confidence, confidence_score, support,
            grounded, created_at
        )
        values (
            $1, $2, $3, $4, 'bot', $6, $7, $8, $9, $10, $11, $12, $13, $14, $16, $17, $18, $19,
            clock_timestamp()
        )
        returning id as "id: MessageId", message, message_type, created_at
        "#,
        id.uuid(),
        tenant.uuid(),
        bot.uuid(),
        conversation.uuid(),
        turn,
        answer.text,
        Json(&answer.sources) as _,
        answer.answered,
        answer.degraded,
        answer.model,
        answer.input_tokens,
        answer.output_tokens,
        Json(&answer.timings) as _,
        answer.is_partial,
        Json(trace) as _,
        answer.confidence as Option<Confidence>,
        answer.confidence_score,
        Json(&answer.support) as _,
        answer.grounded,
    )
    .map(|row| Message {
        id: row.id,
        sender: Sender::Bot,
        message: row.message,
        message_type: row.message_type,
        answered: Some(answer.answered),
        confidence: answer.confidence,
        is_partial: answer.is_partial,
        sources: answer.sources.clone(),
        rating: None,
        comment: None,
        created_at: row.created_at,
    })
    .fetch_one(db)
    .await
}

pub(in crate::conversations) async fn list_messages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
) -> sqlx::Result<Vec<Message>> {
    sqlx::query!(
        r#"
        select id as "id: MessageId", sender as "sender: Sender", message, message_type, answered, is_partial,
            confidence as "confidence: Confidence", sources as "sources: Json<Vec<Citation>>",
            feedback as "rating: Rating", feedback_comment, created_at
        from message
        where tenant_id = $1 and conversation_id = $2
        order by created_at, id
        "#,
        tenant.uuid(),
        conversation.uuid(),
    )
    .map(|row| Message {
        id: row.id,
        sender: row.sender,
        message: row.message,
        message_type: row.message_type,
        answered: row.answered,
        confidence: row.confidence,
        is_partial: row.is_partial,
        sources: row.sources.map(|sources| sources.0).unwrap_or_default(),
        rating: row.rating,
        comment: row.feedback_comment,
        created_at: row.created_at,
    })
    .fetch_all(db)
    .await
}

/// The newest messages without the message `except`, at most `most`, oldest first.
pub(in crate::conversations) async fn list_recent(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    except: MessageId,
    limit: i64,
) -> sqlx::Result<Vec<Turn>> {
    let mut turns = sqlx::query!(
        r#"
        select sender as "sender: Sender", message
        from message
        where tenant_id = $1 and conversation_id = $2 and id <> $3
        order by created_at desc, id desc
        limit $4
        "#,
        tenant.uuid(),
        conversation.uuid(),
        except.uuid(),
        limit,
    )
    .map(|row| Turn {
        speaker: match row.sender {
            Sender::User => Speaker::User,
            Sender::Bot => Speaker::Bot,
        },
        text: row.message,
    })
    .fetch_all(db)
    .await?;
    turns.reverse();
    Ok(turns)
}

/// Stores the customer's feedback on an answer. Returns false if the conversation has no answer with this id.
pub(in crate::conversations) async fn set_feedback(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    message: MessageId,
    feedback: &Feedback,
) -> sqlx::Result<bool> {
    let kept = sqlx::query!(
        r#"
        update message
        set feedback = $4, feedback_comment = $5
        where tenant_id = $1 and conversation_id = $2 and id = $3 and answered is not null
        "#,
        tenant.uuid(),
        conversation.uuid(),
        message.uuid(),
        feedback.rating as Option<Rating>,
        feedback.comment.as_deref(),
    )
    .execute(db)
    .await?;
    Ok(kept.rows_affected() == 1)
}

pub(in crate::conversations) async fn purge_messages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    limit: i64,
) -> sqlx::Result<u64> {
    let purged = sqlx::query!(
        r#"
        delete from message
        where tenant_id = $1 and id in (
            select message.id
            from conversation
            join message on message.conversation_id = conversation.id
            where conversation.tenant_id = $1 and conversation.bot_id = $2
            limit $3
        )
        "#,
        tenant.uuid(),
        bot.uuid(),
        limit,
    )
    .execute(db)
    .await?;
    Ok(purged.rows_affected())
}

/// Deletes a question and, if there is one, its answer. Returns whether the question existed.
pub(in crate::conversations) async fn delete_exchange(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    question: MessageId,
    answer: MessageId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        with deleted as (
            delete from message where tenant_id = $1 and id in ($2, $3)
            returning id
        )
        select exists (select 1 from deleted where id = $2) as "existed!"
        "#,
        tenant.uuid(),
        question.uuid(),
        answer.uuid(),
    )
    .fetch_one(db)
    .await
}

/// Returns whether the conversation has such an answer.
pub(in crate::conversations) async fn has_answer(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    message: MessageId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from message
            where tenant_id = $1 and conversation_id = $2 and id = $3 and answered is not null
        ) as "exists!"
        "#,
        tenant.uuid(),
        conversation.uuid(),
        message.uuid(),
    )
    .fetch_one(db)
    .await
}

pub(in crate::conversations) async fn find_trace(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    message: MessageId,
) -> sqlx::Result<Option<TracedAnswer>> {
    sqlx::query!(
        r#"
        select trace as "trace: Json<Trace>", answered as "answered!", degraded as "degraded!",
            confidence as "confidence: Confidence", confidence_score, support as "support: Json<Vec<Support>>",
            grounded, model as "model!", input_tokens, output_tokens, timings_ms as "timings!: Json<Timings>"
        from message
        join answer_trace on answer_trace.message_id = message.id
        where message.tenant_id = $1 and answer_trace.tenant_id = $1 and conversation_id = $2
            and message.id = $3 and answered is not null
        "#,
        tenant.uuid(),
        conversation.uuid(),
        message.uuid(),
    )
    .map(|row| TracedAnswer {
        message,
        trace: row.trace.0,
        answered: row.answered,
        confidence: row.confidence,
        confidence_score: row.confidence_score,
        support: row.support.map(|support| support.0).unwrap_or_default(),
        grounded: row.grounded,
        degraded: row.degraded,
        model: row.model,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        timings: row.timings.0,
    })
    .fetch_optional(db)
    .await
}
