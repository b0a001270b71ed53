//! SQL of the quotas. Private to the module.

use sqlx::PgExecutor;

use super::Stored;
use crate::ids::TenantId;
use crate::tenants::Plan;

pub(super) async fn find_stored(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<Option<Stored>> {
    sqlx::query!(
        r#"select plan as "plan: Plan", source_count, stored_bytes from tenant where id = $1"#,
        tenant.uuid(),
    )
    .map(|row| Stored { limits: row.plan.limits(), sources: row.source_count, bytes: row.stored_bytes })
    .fetch_optional(db)
    .await
}

/// Reads the counters and locks the row until the transaction ends. Readers do not wait.
pub(super) async fn lock_stored(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<Option<Stored>> {
    sqlx::query!(
        r#"
        select plan as "plan: Plan", source_count, stored_bytes
        from tenant
        where id = $1
        for no key update
        "#,
        tenant.uuid(),
    )
    .map(|row| Stored { limits: row.plan.limits(), sources: row.source_count, bytes: row.stored_bytes })
    .fetch_optional(db)
    .await
}

/// Counts the keys that are neither revoked nor expired, as the sum of two index ranges.
pub(super) async fn count_keys(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select (
            select count(*) from api_key where tenant_id = $1 and revoked_at is null and expires_at is null
        ) + (
            select count(*) from api_key where tenant_id = $1 and revoked_at is null and expires_at > now()
        ) as "count!"
        "#,
        tenant.uuid(),
    )
    .fetch_one(db)
    .await
}

/// The plan, and the tokens embedded this month.
pub(super) async fn find_embedded(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
) -> sqlx::Result<Option<(Plan, i64)>> {
    sqlx::query!(
        r#"
        select plan as "plan: Plan", coalesce(embedded_tokens, 0) as "tokens!"
        from tenant
        left join usage_month
            on tenant_id = id and month = date_trunc('month', now() at time zone 'utc')::date
        where id = $1
        "#,
        tenant.uuid(),
    )
    .map(|row| (row.plan, row.tokens))
    .fetch_optional(db)
    .await
}

/// Adds to this month's counter unless it would exceed the limit. Returns whether it was increased.
pub(super) async fn count_embedded(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    tokens: i64,
    limit: Option<i64>,
) -> sqlx::Result<bool> {
    let counted = sqlx::query!(
        r#"
        insert into usage_month as usage (tenant_id, month, embedded_tokens)
        select $1, date_trunc('month', now() at time zone 'utc')::date, $2::bigint
        where $3::bigint is null or $2 <= $3
        on conflict (tenant_id, month) do update
        set embedded_tokens = usage.embedded_tokens + excluded.embedded_tokens
        where $3::bigint is null or usage.embedded_tokens + excluded.embedded_tokens <= $3
        "#,
        tenant.uuid(),
        tokens,
        limit,
    )
    .execute(db)
    .await?;
    Ok(counted.rows_affected() == 1)
}
