//! SQL of the tables `conversation`, `message` and `knowledge_gap`. Private to the slice.

use std::time::Duration;

use chrono::{DateTime, Utc};
use pgvector::HalfVector;
use sqlx::PgExecutor;
use sqlx::types::Json;
use uuid::Uuid;

use super::incoming::{ConversationChanges, Feedback, Opening};
use super::{Answer, Citation, Conversation, Message, Rating, Sender, SessionId, Status};
use crate::analytics::{ConversationCount, Gap};
use crate::bots::{Bot, Channel};
use crate::db::interval;
use crate::ids::{BotId, ConversationId, MessageId, TenantId};
use crate::page::PageRequest;
use crate::providers::chat::{Speaker, Turn};

/// Questions nearer than this ask the same: set by hand on all-MiniLM-L6-v2, where paraphrases of one
/// question lie above it and questions of one topic below.
const SAME_QUESTION: f64 = 0.80;

/// A question that no knowledge answered.
pub(super) struct NewGap<'a> {
    pub(super) bot: BotId,
    /// The answer that is none.
    pub(super) message: MessageId,
    pub(super) question: &'a str,
    pub(super) vector: &'a [f32],
    pub(super) model: &'a str,
}

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

/// A page of the conversations of these kinds: the newest of the newest of each, so that no filter reads
/// what it does not show.
pub(super) async fn list(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    kinds: &[ConversationCount],
    page: PageRequest,
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
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await
}

/// Whether there was such a conversation. One that has ended stays so; the end is when it first ended.
pub(super) async fn update(
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
        changes.user_identifier.clone().flatten(),
        changes.user_name.is_some(),
        changes.user_name.clone().flatten(),
        changes.user_email.is_some(),
        changes.user_email.clone().flatten(),
    )
    .execute(db)
    .await?;
    Ok(changed.rows_affected() == 1)
}

pub(super) async fn erase(
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

/// Removes the conversation of this session if its bot was deleted.
pub(super) async fn delete_hidden(
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

/// Whether the turn was free, in a conversation that goes on. A message also wakes one that counted as
/// abandoned.
pub(super) async fn take_turn(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    token: Uuid,
    lease: Duration,
) -> sqlx::Result<bool> {
    let taken = sqlx::query!(
        r#"
        update conversation
        set turn = $3, turn_expires_at = now() + $4::interval, last_message_at = now(), status = 'active'
        where tenant_id = $1 and id = $2 and status <> 'ended'
            and (turn is null or turn_expires_at < now())
        "#,
        tenant.uuid(),
        conversation.uuid(),
        token,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

pub(super) async fn renew_turn(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    token: Uuid,
    lease: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update conversation
        set turn_expires_at = now() + $4::interval
        where tenant_id = $1 and id = $2 and turn = $3
        "#,
        tenant.uuid(),
        conversation.uuid(),
        token,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn pass_turn(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    token: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update conversation
        set turn = null, turn_expires_at = null
        where tenant_id = $1 and id = $2 and turn = $3
        "#,
        tenant.uuid(),
        conversation.uuid(),
        token,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn insert_welcome(
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

pub(super) async fn insert_user_message(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    conversation: ConversationId,
    text: &str,
) -> sqlx::Result<Message> {
    sqlx::query!(
        r#"
        insert into message (id, tenant_id, bot_id, conversation_id, sender, message, created_at)
        values ($1, $2, $3, $4, 'user', $5, clock_timestamp())
        returning id as "id: MessageId", message, message_type, created_at
        "#,
        MessageId::fresh().uuid(),
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
        sources: Vec::new(),
        rating: None,
        comment: None,
        created_at: row.created_at,
    })
    .fetch_one(db)
    .await
}

/// Passes the turn on with it.
pub(super) async fn insert_answer(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    conversation: ConversationId,
    turn: Uuid,
    answer: &Answer,
) -> sqlx::Result<Message> {
    sqlx::query!(
        r#"
        with passed as (
            update conversation
            set turn = null, turn_expires_at = null, last_message_at = now()
            where tenant_id = $2 and id = $4 and turn = $5
        )
        insert into message (
            id, tenant_id, bot_id, conversation_id, sender, message, sources, answered, degraded, model,
            input_tokens, output_tokens, timings_ms, created_at
        )
        values ($1, $2, $3, $4, 'bot', $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp())
        returning id as "id: MessageId", message, message_type, created_at
        "#,
        MessageId::fresh().uuid(),
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
    )
    .map(|row| Message {
        id: row.id,
        sender: Sender::Bot,
        message: row.message,
        message_type: row.message_type,
        answered: Some(answer.answered),
        sources: answer.sources.clone(),
        rating: None,
        comment: None,
        created_at: row.created_at,
    })
    .fetch_one(db)
    .await
}

/// Joins the first question of the bot that asked nearly the same, else is the first of its kind.
pub(super) async fn insert_gap(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    gap: &NewGap<'_>,
) -> sqlx::Result<()> {
    let vector = HalfVector::from_f32_slice(gap.vector);
    sqlx::query!(
        r#"
        with same as (
            select group_id from (
                select group_id, -(embedding <#> $6::halfvec) as cosine
                from knowledge_gap
                where tenant_id = $2 and bot_id = $3 and model = $7 and embedding is not null
                order by cosine desc
                limit 1
            ) as nearest
            where cosine >= $8
        )
        insert into knowledge_gap (id, tenant_id, bot_id, message_id, question, group_id, embedding, model)
        select $1, $2, $3, $4, $5, coalesce((select group_id from same), $1),
            case when not exists (select 1 from same) then $6::halfvec end, $7
        "#,
        Uuid::now_v7(),
        tenant.uuid(),
        gap.bot.uuid(),
        gap.message.uuid(),
        gap.question,
        vector as _,
        gap.model,
        SAME_QUESTION,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A page of the groups of gaps, and how many groups there are.
pub(super) async fn list_gaps(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    since: DateTime<Utc>,
    bot: Option<BotId>,
    page: PageRequest,
) -> sqlx::Result<(Vec<Gap>, i64)> {
    let rows = sqlx::query!(
        r#"
        with grouped as materialized (
            select group_id, bot_id, bot.name as bot_name, count(*) as n,
                min(knowledge_gap.created_at) as first_asked_at,
                max(knowledge_gap.created_at) as last_asked_at,
                (array_agg(question order by knowledge_gap.created_at desc))[1] as question
            from knowledge_gap
            join bot on bot.tenant_id = $1 and bot.id = bot_id and deleted_at is null
            where knowledge_gap.tenant_id = $1 and knowledge_gap.created_at >= $2
                and ($3::uuid is null or bot_id = $3)
            group by group_id, bot_id, bot.name
        )
        select total as "total!", bot_id as "bot_id?: BotId", bot_name as "bot_name?", n as "n?",
            first_asked_at as "first_asked_at?", last_asked_at as "last_asked_at?",
            question as "question?"
        from (select count(*) as total from grouped) as counted
        left join lateral (
            select * from grouped order by n desc, last_asked_at desc, group_id limit $4 offset $5
        ) as page on true
        order by n desc, last_asked_at desc, group_id
        "#,
        tenant.uuid(),
        since,
        bot.map(BotId::uuid),
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let gaps = rows.into_iter().filter_map(|row| {
        Some(Gap {
            bot_id: row.bot_id?,
            bot_name: row.bot_name?,
            question: row.question?,
            count: row.n?,
            first_asked_at: row.first_asked_at?,
            last_asked_at: row.last_asked_at?,
        })
    });
    Ok((gaps.collect(), total))
}

pub(super) async fn list_messages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
) -> sqlx::Result<Vec<Message>> {
    sqlx::query!(
        r#"
        select id as "id: MessageId", sender as "sender: Sender", message, message_type, answered,
            sources as "sources: Json<Vec<Citation>>", feedback as "rating: Rating", feedback_comment,
            created_at
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
        sources: row.sources.map(|sources| sources.0).unwrap_or_default(),
        rating: row.rating,
        comment: row.feedback_comment,
        created_at: row.created_at,
    })
    .fetch_all(db)
    .await
}

/// The last `most` messages but one, oldest first.
pub(super) async fn list_recent(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversation: ConversationId,
    except: MessageId,
    most: i64,
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

/// Whether the conversation has such an answer.
pub(super) async fn set_feedback(
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
        feedback.comment,
    )
    .execute(db)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Of all tenants: what is idle spans them.
pub(super) async fn abandon_idle(db: impl PgExecutor<'_>, idle: Duration, most: i64) -> sqlx::Result<u64> {
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
        most,
    )
    .execute(db)
    .await?;
    Ok(abandoned.rows_affected())
}

pub(super) async fn purge_messages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    most: i64,
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
        most,
    )
    .execute(db)
    .await?;
    Ok(purged.rows_affected())
}

pub(super) async fn purge(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    bot: BotId,
    most: i64,
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
        most,
    )
    .execute(db)
    .await?;
    Ok(purged.rows_affected())
}
