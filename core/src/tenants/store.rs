//! SQL of the tables `tenant` and `usage_month`. Private to the slice.

use sqlx::{AssertSqlSafe, PgExecutor, PgPool};

use super::{Limits, Plan, Tenant, Usage};
use crate::ids::TenantId;

pub(super) async fn insert(
    db: impl PgExecutor<'_>,
    id: TenantId,
    name: &str,
    plan: Plan,
) -> sqlx::Result<Tenant> {
    sqlx::query_as!(
        Tenant,
        r#"
        insert into tenant (id, name, plan)
        values ($1, $2, $3)
        returning id as "id: TenantId", name, plan as "plan: Plan", is_active, created_at, updated_at
        "#,
        id.uuid(),
        name,
        plan as Plan,
    )
    .fetch_one(db)
    .await
}

pub(super) async fn list(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Tenant>> {
    sqlx::query_as!(
        Tenant,
        r#"
        select id as "id: TenantId", name, plan as "plan: Plan", is_active, created_at, updated_at
        from tenant
        order by id desc
        "#,
    )
    .fetch_all(db)
    .await
}

pub(super) async fn delete(db: impl PgExecutor<'_>, id: TenantId) -> sqlx::Result<bool> {
    let deleted = sqlx::query!("delete from tenant where id = $1", id.uuid()).execute(db).await?;
    Ok(deleted.rows_affected() > 0)
}

/// Counts a tenant's rows in every table with a `tenant_id` column, partitions with the whole. Reads the catalogue, so
/// that new tables are included.
pub(super) async fn count_everywhere(db: &PgPool, id: TenantId) -> sqlx::Result<Vec<(String, i64)>> {
    let tables: Vec<String> = sqlx::query_scalar!(
        r#"
        select quote_ident(table_name) as "table!"
        from information_schema.columns
        join information_schema.tables using (table_schema, table_name)
        where table_schema = current_schema() and column_name = 'tenant_id' and table_type = 'BASE TABLE'
            and not exists (
                select 1 from pg_class
                where relnamespace = current_schema::regnamespace and relname = table_name and relispartition
            )
        order by table_name
        "#,
    )
    .fetch_all(db)
    .await?;
    let mut counts = Vec::new();
    for table in tables {
        let query = format!("select count(*) from {table} where tenant_id = $1");
        let count = sqlx::query_scalar(AssertSqlSafe(query)).bind(id.uuid()).fetch_one(db).await?;
        counts.push((table, count));
    }
    Ok(counts)
}

pub(super) async fn find(db: impl PgExecutor<'_>, id: TenantId) -> sqlx::Result<Option<Tenant>> {
    sqlx::query_as!(
        Tenant,
        r#"
        select id as "id: TenantId", name, plan as "plan: Plan", is_active, created_at, updated_at
        from tenant
        where id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn find_usage(db: impl PgExecutor<'_>, id: TenantId) -> sqlx::Result<Option<Usage>> {
    sqlx::query_as!(
        Usage,
        r#"
        select plan as "plan: Plan", bot_count as bots, coalesce(conversations, 0) as "conversations!",
            coalesce(messages, 0) as "messages!", source_count as sources, stored_bytes as storage_bytes,
            coalesce(embedded_tokens, 0) as "embedded_tokens!",
            (
                select count(*) from api_key
                where api_key.tenant_id = $1 and revoked_at is null
                    and (expires_at is null or expires_at > now())
            ) as "api_keys!"
        from tenant
        left join usage_month
            on tenant_id = id and month = date_trunc('month', now() at time zone 'utc')::date
        where id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await
}

/// `None` leaves a column unchanged.
pub(super) async fn update(
    db: impl PgExecutor<'_>,
    id: TenantId,
    plan: Option<Plan>,
    is_active: Option<bool>,
) -> sqlx::Result<Option<Tenant>> {
    sqlx::query_as!(
        Tenant,
        r#"
        update tenant
        set plan = coalesce($2, plan), is_active = coalesce($3, is_active), updated_at = now()
        where id = $1
        returning id as "id: TenantId", name, plan as "plan: Plan", is_active, created_at, updated_at
        "#,
        id.uuid(),
        plan as Option<Plan>,
        is_active,
    )
    .fetch_optional(db)
    .await
}

/// Reads the plan and locks the row against plan changes until the transaction ends. Readers and inserts that
/// reference the tenant do not wait.
pub(super) async fn lock_plan(db: impl PgExecutor<'_>, id: TenantId) -> sqlx::Result<Option<Plan>> {
    sqlx::query_scalar!(
        r#"select plan as "plan: Plan" from tenant where id = $1 for no key update"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn count_bot(
    db: impl PgExecutor<'_>,
    id: TenantId,
    limit: Option<i32>,
) -> sqlx::Result<bool> {
    let counted = sqlx::query!(
        r#"
        update tenant
        set bot_count = bot_count + 1
        where id = $1 and ($2::integer is null or bot_count < $2)
        "#,
        id.uuid(),
        limit,
    )
    .execute(db)
    .await?;
    Ok(counted.rows_affected() == 1)
}

pub(super) async fn uncount_bot(db: impl PgExecutor<'_>, id: TenantId) -> sqlx::Result<()> {
    sqlx::query!("update tenant set bot_count = greatest(bot_count - 1, 0) where id = $1", id.uuid())
        .execute(db)
        .await?;
    Ok(())
}

/// Adds to this month's counters unless one would exceed its limit. Returns whether they were increased.
pub(super) async fn count_usage(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    conversations: i64,
    messages: i64,
    limits: Limits,
) -> sqlx::Result<bool> {
    let counted = sqlx::query!(
        r#"
        insert into usage_month as usage (tenant_id, month, conversations, messages)
        select $1, date_trunc('month', now() at time zone 'utc')::date, $2::bigint, $3::bigint
        where ($2::bigint = 0 or $4::bigint is null or $2 <= $4) and ($3::bigint = 0 or $5::bigint is null or $3 <= $5)
        on conflict (tenant_id, month) do update
        set conversations = usage.conversations + excluded.conversations,
            messages = usage.messages + excluded.messages
        where ($2::bigint = 0 or $4::bigint is null or usage.conversations + excluded.conversations <= $4)
            and ($3::bigint = 0 or $5::bigint is null or usage.messages + excluded.messages <= $5)
        "#,
        tenant.uuid(),
        conversations,
        messages,
        limits.conversations,
        limits.messages,
    )
    .execute(db)
    .await?;
    Ok(counted.rows_affected() == 1)
}

pub(super) async fn uncount_messages(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    messages: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update usage_month
        set messages = greatest(messages - $2, 0)
        where tenant_id = $1 and month = date_trunc('month', now() at time zone 'utc')::date
        "#,
        tenant.uuid(),
        messages,
    )
    .execute(db)
    .await?;
    Ok(())
}
