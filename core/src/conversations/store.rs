//! SQL of the tables `conversation`, `message` and `knowledge_gap`. Private to the slice.

use sqlx::PgExecutor;
use sqlx::types::Json;

use super::incoming::Opening;
use super::{Answer, Conversation, Message, Sender, SessionId, Status};
use crate::bots::{Bot, Channel};
use crate::ids::{BotId, ConversationId, MessageId, TenantId};
use crate::providers::chat::{Speaker, Turn};

pub(super) async fn find(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    session: &SessionId,
) -> sqlx::Result<Option<Conversation>> {
    sqlx::query_as!(
        Conversation,
        r#"
        select conversation.id as "id: ConversationId", session_id, bot_id as "bot_id: BotId",
            bot.name as bot_name, user_identifier, user_name, user_email,
            channel as "channel: Channel", status as "status: Status", started_at, ended_at,
            conversation.created_at
        from conversation
        join bot on bot.id = bot_id and bot.deleted_at is null
        where conversation.tenant_id = $1 and session_id = $2
        "#,
        tenant.uuid(),
        session.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// `None` when the session is there already.
pub(super) async fn insert(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: &Bot,
    session: &SessionId,
    channel: Channel,
    opening: &Opening,
) -> sqlx::Result<Option<ConversationId>> {
    sqlx::query_scalar!(
        r#"
        insert into conversation (
            id, tenant_id, bot_id, session_id, channel, user_identifier, user_name, user_email, metadata
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict on constraint conversation_session_key do nothing
        returning id as "id: ConversationId"
        "#,
        ConversationId::fresh().uuid(),
        tenant.uuid(),
        bot.id.uuid(),
        session.as_str(),
        channel as Channel,
        opening.user_identifier,
        opening.user_name,
        opening.user_email,
        opening.metadata,
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn insert_welcome(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    welcome: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into message (id, tenant_id, conversation_id, sender, message) values ($1, $2, $3, 'bot', $4)",
        MessageId::fresh().uuid(),
        tenant.uuid(),
        conversation.uuid(),
        welcome,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A message of a customer also wakes a conversation that counted as abandoned.
pub(super) async fn insert_user_message(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    text: &str,
) -> sqlx::Result<Message> {
    sqlx::query_as!(
        Message,
        r#"
        with heard as (
            update conversation
            set last_message_at = now(), status = 'active'
            where tenant_id = $2 and id = $3
        )
        insert into message (id, tenant_id, conversation_id, sender, message, created_at)
        values ($1, $2, $3, 'user', $4, clock_timestamp())
        returning id as "id: MessageId", sender as "sender: Sender", message, message_type, created_at
        "#,
        MessageId::fresh().uuid(),
        tenant.uuid(),
        conversation.uuid(),
        text,
    )
    .fetch_one(db)
    .await
}

pub(super) async fn insert_bot_message(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    answer: &Answer,
) -> sqlx::Result<Message> {
    sqlx::query_as!(
        Message,
        r#"
        insert into message (
            id, tenant_id, conversation_id, sender, message, sources, answered, degraded, model,
            input_tokens, output_tokens, timings_ms
        )
        values ($1, $2, $3, 'bot', $4, $5, $6, $7, $8, $9, $10, $11)
        returning id as "id: MessageId", sender as "sender: Sender", message, message_type, created_at
        "#,
        MessageId::fresh().uuid(),
        tenant.uuid(),
        conversation.uuid(),
        answer.text,
        Json(&answer.sources) as _,
        answer.answered,
        answer.degraded,
        answer.model,
        answer.input_tokens,
        answer.output_tokens,
        Json(&answer.timings) as _,
    )
    .fetch_one(db)
    .await
}

pub(super) async fn insert_gap(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    message: MessageId,
    question: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into knowledge_gap (id, tenant_id, bot_id, message_id, question) values ($1, $2, $3, $4, $5)",
        uuid::Uuid::now_v7(),
        tenant.uuid(),
        bot.uuid(),
        message.uuid(),
        question,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn list_messages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
) -> sqlx::Result<Vec<Message>> {
    sqlx::query_as!(
        Message,
        r#"
        select id as "id: MessageId", sender as "sender: Sender", message, message_type, created_at
        from message
        where tenant_id = $1 and conversation_id = $2
        order by id
        "#,
        tenant.uuid(),
        conversation.uuid(),
    )
    .fetch_all(db)
    .await
}

/// The last `most` messages before one, oldest first.
pub(super) async fn list_recent(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    before: MessageId,
    most: i64,
) -> sqlx::Result<Vec<Turn>> {
    let mut turns = sqlx::query!(
        r#"
        select sender as "sender: Sender", message
        from message
        where tenant_id = $1 and conversation_id = $2 and id < $3
        order by id desc
        limit $4
        "#,
        tenant.uuid(),
        conversation.uuid(),
        before.uuid(),
        most,
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
