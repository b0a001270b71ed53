//! Queries on `conversation`.

use std::time::Duration;

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::analytics::ConversationCount;
use crate::bots::{Bot, Channel};
use crate::conversations::incoming::{ConversationChanges, Metadata, Opening};
use crate::conversations::{Conversation, SessionId, Status};
use crate::ids::{BotId, ConversationId, TenantId};
use crate::page::Start;
use crate::platform::db::interval;

pub(in crate::conversations) async fn find(
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

/// `None` when the session exists already.
pub(in crate::conversations) async fn insert(
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
        opening.user_identifier.as_deref(),
        opening.user_name.as_deref(),
        opening.user_email.as_deref(),
        opening.metadata.as_ref().map(Metadata::as_json),
    )
    .fetch_optional(db)
    .await
}

/// Page of the conversations of the given kinds. Takes the newest of each kind, then the newest of those, so
/// that no filter reads rows it does not return.
pub(in crate::conversations) async fn list(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    kinds: &[ConversationCount],
    limit: i64,
    start: Start<ConversationId>,
) -> sqlx::Result<Vec<Conversation>> {
    let bots: Vec<Uuid> = kinds.iter().map(|kind| kind.bot.uuid()).collect();
    let statuses: Vec<&str> = kinds.iter().map(|kind| kind.status.as_str()).collect();
    let channels: Vec<&str> = kinds.iter().map(|kind| kind.channel.as_str()).collect();
    sqlx::query_as!(
        Conversation,
        r#"
        with page as materialized (
            select newest.id
            from unnest($2::uuid[], $3::text[], $4::text[]) as kind (bot_id, status, channel)
            cross join lateral (
                select id from conversation
                where conversation.tenant_id = $1 and conversation.bot_id = kind.bot_id
                    and conversation.status = kind.status and conversation.channel = kind.channel
                    and id < coalesce($7::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                order by id desc
                limit $5::bigint + $6::bigint
            ) as newest
            order by newest.id desc
            limit $5 offset $6
        )
        select conversation.id as "id: ConversationId", session_id, bot_id as "bot_id: BotId",
            bot.name as bot_name, user_identifier, user_name, user_email,
            channel as "channel: Channel", status as "status: Status", started_at, ended_at,
            conversation.created_at
        from page
        join conversation using (id)
        join bot on bot.id = bot_id
        where conversation.tenant_id = $1 and bot.tenant_id = $1
        order by conversation.id desc
        "#,
        tenant.uuid(),
        &bots,
        &statuses as _,
        &channels as _,
        limit,
        start.offset,
        start.after.map(ConversationId::uuid),
    )
    .fetch_all(db)
    .await
}

/// Returns whether the conversation exists. An ended conversation keeps its status and first end time.
pub(in crate::conversations) async fn update(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    session: &SessionId,
    changes: &ConversationChanges,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        r#"
        update conversation
        set status = case when $3 then 'ended' else status end,
            ended_at = case when $3 then coalesce(ended_at, now()) else ended_at end,
            user_identifier = case when $4 then $5 else user_identifier end,
            user_name = case when $6 then $7 else user_name end,
            user_email = case when $8 then $9 else user_email end
        where tenant_id = $1 and session_id = $2
            and exists (select 1 from bot where bot.id = bot_id and deleted_at is null)
        "#,
        tenant.uuid(),
        session.as_str(),
        changes.end,
        changes.user_identifier.is_some(),
        changes.user_identifier.as_ref().and_then(Option::as_deref),
        changes.user_name.is_some(),
        changes.user_name.as_ref().and_then(Option::as_deref),
        changes.user_email.is_some(),
        changes.user_email.as_ref().and_then(Option::as_deref),
    )
    .execute(db)
    .await?;
    Ok(changed.rows_affected() == 1)
}

pub(in crate::conversations) async fn erase(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    session: &SessionId,
) -> sqlx::Result<bool> {
    let erased = sqlx::query!(
        r#"
        delete from conversation
        where tenant_id = $1 and session_id = $2
            and exists (select 1 from bot where bot.id = bot_id and deleted_at is null)
        "#,
        tenant.uuid(),
        session.as_str(),
    )
    .execute(db)
    .await?;
    Ok(erased.rows_affected() == 1)
}

/// Deletes the conversation of a session if its bot was deleted.
pub(in crate::conversations) async fn delete_hidden(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    session: &SessionId,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        delete from conversation
        where tenant_id = $1 and session_id = $2
            and exists (select 1 from bot where bot.id = bot_id and deleted_at is not null)
        "#,
        tenant.uuid(),
        session.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Spans all tenants.
pub(in crate::conversations) async fn abandon_idle(
    db: impl PgExecutor<'_>,
    idle: Duration,
    limit: i64,
) -> sqlx::Result<u64> {
    let abandoned = sqlx::query!(
        r#"
        update conversation
        set status = 'abandoned'
        where id in (
            select id from conversation
            where status = 'active' and last_message_at < now() - $1::interval
            order by last_message_at
            limit $2
            for update skip locked
        )
        "#,
        interval(idle),
        limit,
    )
    .execute(db)
    .await?;
    Ok(abandoned.rows_affected())
}

pub(in crate::conversations) async fn purge(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    limit: i64,
) -> sqlx::Result<u64> {
    let purged = sqlx::query!(
        r#"
        delete from conversation
        where tenant_id = $1 and id in (
            select id from conversation where tenant_id = $1 and bot_id = $2 limit $3
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
