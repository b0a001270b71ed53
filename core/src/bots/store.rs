//! SQL of the table `bot`. Private to the slice.
//!
//! Add a new column to [`query_bot!`], `insert`, `update` and `list`.

use sqlx::{PgConnection, PgExecutor};

use super::{Bot, Changes, Channel, Filter, Language, NewBot, Personality, Role, Summary, WhenUnsure};
use crate::ids::{BotId, TenantId};
use crate::page::PageRequest;

/// `query_as!` of a [`Bot`], checked at compile time: the SQL before and after the column list, then the arguments.
macro_rules! query_bot {
    ($before:tt, $after:tt, $($argument:tt)*) => {
        sqlx::query_as!(
            Bot,
            $before
                + r#"id as "id: BotId", name, channel_type as "channel_type: Channel", description,
            welcome_message, system_prompt, is_active, is_default, language as "language: Language",
            personality as "personality: Personality", bot_role as "role: Role",
            when_unsure as "when_unsure: WhenUnsure", strict, created_at, updated_at"#
                + $after,
            $($argument)*
        )
    };
}

pub(super) async fn insert(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    id: BotId,
    bot: &NewBot,
) -> sqlx::Result<Bot> {
    query_bot!(
        r#"
        insert into bot (
            id, tenant_id, name, channel_type, description, welcome_message, system_prompt, is_active,
            language, personality, bot_role, when_unsure, strict, is_default
        )
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
            not exists (select 1 from bot where tenant_id = $2 and is_default and deleted_at is null)
        returning "#,
        r#"
        "#,
        id.uuid(),
        tenant.uuid(),
        bot.name.as_str(),
        bot.channel_type as Channel,
        bot.description.as_deref(),
        bot.welcome_message.as_deref(),
        bot.system_prompt.as_deref(),
        bot.is_active,
        bot.language as Language,
        bot.personality as Option<Personality>,
        bot.role as Option<Role>,
        bot.when_unsure as WhenUnsure,
        bot.strict,
    )
    .fetch_one(db)
    .await
}

/// A page of bots and the total, in one statement, as this is the most frequent query.
pub(super) async fn list(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
) -> sqlx::Result<(Vec<Bot>, i64)> {
    let rows = sqlx::query!(
        r#"
        select total as "total!", id as "id?: BotId", name as "name?",
            channel_type as "channel_type?: Channel", description, welcome_message, system_prompt,
            is_active as "is_active?", is_default as "is_default?", language as "language?: Language",
            personality as "personality: Personality", bot_role as "role: Role",
            when_unsure as "when_unsure?: WhenUnsure", strict as "strict?", created_at as "created_at?",
            updated_at as "updated_at?"
        from (
            select count(*) as total
            from bot
            where tenant_id = $1 and deleted_at is null
                and ($2::text is null or channel_type = $2) and ($3::boolean is null or is_active = $3)
        ) as counted
        left join lateral (
            select id, name, channel_type, description, welcome_message, system_prompt, is_active,
                is_default, language, personality, bot_role, when_unsure, strict, created_at, updated_at
            from bot
            where tenant_id = $1 and deleted_at is null
                and ($2::text is null or channel_type = $2) and ($3::boolean is null or is_active = $3)
            order by id desc
            limit $4 offset $5
        ) as page on true
        order by id desc
        "#,
        tenant.uuid(),
        filter.channel_type as Option<Channel>,
        filter.is_active,
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    // A page beyond the last has only the total.
    let bots = rows.into_iter().filter_map(|row| {
        Some(Bot {
            id: row.id?,
            name: row.name?,
            channel_type: row.channel_type?,
            description: row.description,
            welcome_message: row.welcome_message,
            system_prompt: row.system_prompt,
            is_active: row.is_active?,
            is_default: row.is_default?,
            language: row.language?,
            personality: row.personality,
            role: row.role,
            when_unsure: row.when_unsure?,
            strict: row.strict?,
            created_at: row.created_at?,
            updated_at: row.updated_at?,
        })
    });
    Ok((bots.collect(), total))
}

pub(super) async fn count_any(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from bot where tenant_id = $1"#, tenant.uuid())
        .fetch_one(db)
        .await
}

pub(super) async fn list_all(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<Vec<Summary>> {
    sqlx::query_as!(
        Summary,
        r#"
        select id as "id: BotId", name, channel_type as "channel_type: Channel", is_active
        from bot
        where tenant_id = $1 and deleted_at is null
        order by id desc
        "#,
        tenant.uuid(),
    )
    .fetch_all(db)
    .await
}

/// Unchanged columns are rewritten with their current value.
pub(super) async fn update(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    id: BotId,
    changes: &Changes,
) -> sqlx::Result<Option<Bot>> {
    query_bot!(
        r#"
        update bot
        set name = coalesce($3, name),
            description = case when $4 then $5 else description end,
            welcome_message = case when $6 then $7 else welcome_message end,
            system_prompt = case when $8 then $9 else system_prompt end,
            is_active = coalesce($10, is_active),
            language = coalesce($11, language),
            personality = case when $12 then $13 else personality end,
            bot_role = case when $14 then $15 else bot_role end,
            when_unsure = coalesce($16, when_unsure),
            strict = coalesce($17, strict),
            updated_at = now()
        where tenant_id = $1 and id = $2 and deleted_at is null
        returning "#,
        r#"
        "#,
        tenant.uuid(),
        id.uuid(),
        changes.name.as_deref(),
        changes.description.is_some(),
        changes.description.as_ref().and_then(Option::as_deref),
        changes.welcome_message.is_some(),
        changes.welcome_message.as_ref().and_then(Option::as_deref),
        changes.system_prompt.is_some(),
        changes.system_prompt.as_ref().and_then(Option::as_deref),
        changes.is_active,
        changes.language as Option<Language>,
        changes.personality.is_some(),
        changes.personality.flatten() as Option<Personality>,
        changes.role.is_some(),
        changes.role.flatten() as Option<Role>,
        changes.when_unsure as Option<WhenUnsure>,
        changes.strict,
    )
    .fetch_optional(db)
    .await
}

/// Makes a bot the default, if it exists. Two statements in this order: two defaults must never coexist.
pub(super) async fn take_default(db: &mut PgConnection, tenant: TenantId, id: BotId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update bot
        set is_default = false, updated_at = now()
        where tenant_id = $1 and id <> $2 and is_default and deleted_at is null
            and exists (select 1 from bot where tenant_id = $1 and id = $2 and deleted_at is null)
        "#,
        tenant.uuid(),
        id.uuid(),
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "update bot set is_default = true where tenant_id = $1 and id = $2 and deleted_at is null",
        tenant.uuid(),
        id.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes the oldest bot the default, if there is none.
pub(super) async fn appoint_default(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update bot
        set is_default = true, updated_at = now()
        where tenant_id = $1
            and id = (select id from bot where tenant_id = $1 and deleted_at is null order by id limit 1)
            and not exists (select 1 from bot where tenant_id = $1 and is_default and deleted_at is null)
        "#,
        tenant.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Hides a bot and returns its name.
pub(super) async fn hide(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    id: BotId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        update bot
        set deleted_at = now(), is_default = false
        where tenant_id = $1 and id = $2 and deleted_at is null
        returning name
        "#,
        tenant.uuid(),
        id.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn remove(db: impl PgExecutor<'_>, tenant: TenantId, id: BotId) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from bot where tenant_id = $1 and id = $2 and deleted_at is not null",
        tenant.uuid(),
        id.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn find(db: impl PgExecutor<'_>, tenant: TenantId, id: BotId) -> sqlx::Result<Option<Bot>> {
    query_bot!(
        r#"
        select "#,
        r#"
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
    query_bot!(
        r#"
        select "#,
        r#"
        from bot
        where tenant_id = $1 and is_default and deleted_at is null
        "#,
        tenant.uuid(),
    )
    .fetch_optional(db)
    .await
}
