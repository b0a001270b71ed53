//! SQL of the table `bot`. Private to the slice.

use sqlx::PgExecutor;

use super::{Bot, Channel, Filter, Language, NewBot, Personality, Role};
use crate::ids::{BotId, TenantId};
use crate::page::PageRequest;

pub(super) async fn insert(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    id: BotId,
    bot: &NewBot,
) -> sqlx::Result<Bot> {
    sqlx::query_as!(
        Bot,
        r#"
        insert into bot (
            id, tenant_id, name, channel_type, description, welcome_message, system_prompt, is_active,
            language, personality, bot_role, is_default
        )
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
            not exists (select 1 from bot where tenant_id = $2 and is_default and deleted_at is null)
        returning id as "id: BotId", name, channel_type as "channel_type: Channel", description,
            welcome_message, system_prompt, is_active, is_default, language as "language: Language",
            personality as "personality: Personality", bot_role as "role: Role", created_at, updated_at
        "#,
        id.uuid(),
        tenant.uuid(),
        bot.name,
        bot.channel_type as Channel,
        bot.description,
        bot.welcome_message,
        bot.system_prompt,
        bot.is_active,
        bot.language as Language,
        bot.personality as Option<Personality>,
        bot.role as Option<Role>,
    )
    .fetch_one(db)
    .await
}

pub(super) async fn list(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
) -> sqlx::Result<Vec<Bot>> {
    sqlx::query_as!(
        Bot,
        r#"
        select id as "id: BotId", name, channel_type as "channel_type: Channel", description,
            welcome_message, system_prompt, is_active, is_default, language as "language: Language",
            personality as "personality: Personality", bot_role as "role: Role", created_at, updated_at
        from bot
        where tenant_id = $1 and deleted_at is null
            and ($2::text is null or channel_type = $2) and ($3::boolean is null or is_active = $3)
        order by id desc
        limit $4 offset $5
        "#,
        tenant.uuid(),
        filter.channel_type as Option<Channel>,
        filter.is_active,
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await
}

pub(super) async fn count(db: impl PgExecutor<'_>, tenant: TenantId, filter: Filter) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) as "count!"
        from bot
        where tenant_id = $1 and deleted_at is null
            and ($2::text is null or channel_type = $2) and ($3::boolean is null or is_active = $3)
        "#,
        tenant.uuid(),
        filter.channel_type as Option<Channel>,
        filter.is_active,
    )
    .fetch_one(db)
    .await
}

pub(super) async fn find(db: impl PgExecutor<'_>, tenant: TenantId, id: BotId) -> sqlx::Result<Option<Bot>> {
    sqlx::query_as!(
        Bot,
        r#"
        select id as "id: BotId", name, channel_type as "channel_type: Channel", description,
            welcome_message, system_prompt, is_active, is_default, language as "language: Language",
            personality as "personality: Personality", bot_role as "role: Role", created_at, updated_at
        from bot
        where tenant_id = $1 and id = $2 and deleted_at is null
        "#,
        tenant.uuid(),
        id.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn find_default(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<Option<Bot>> {
    sqlx::query_as!(
        Bot,
        r#"
        select id as "id: BotId", name, channel_type as "channel_type: Channel", description,
            welcome_message, system_prompt, is_active, is_default, language as "language: Language",
            personality as "personality: Personality", bot_role as "role: Role", created_at, updated_at
        from bot
        where tenant_id = $1 and is_default and deleted_at is null
        "#,
        tenant.uuid(),
    )
    .fetch_optional(db)
    .await
}
