//! SQL of the table `idempotency`. Private to the slice.

use std::time::Duration;

use sqlx::PgExecutor;
use uuid::Uuid;

use super::{IdempotentRequest, Key};
use crate::ids::TenantId;
use crate::platform::db::interval;

/// Row of a claimed or answered request.
pub(super) struct Stored {
    pub(super) fingerprint: Vec<u8>,
    /// `None` while the request runs.
    pub(super) status: Option<u16>,
    /// Encrypted; `None` while running or after erasure.
    pub(super) body: Option<Vec<u8>>,
}

/// Claims the key. True if it was new, expired, or its claim's lease had run out for the same request.
pub(super) async fn claim(
    db: impl PgExecutor<'_>,
    request: &IdempotentRequest<'_>,
    token: Uuid,
    lease: Duration,
    retention: Duration,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        r#"
        insert into idempotency (tenant_id, key, fingerprint, claim, claim_expires_at, about)
        values ($1, $2, $3, $4, now() + $5::interval, $7)
        on conflict (tenant_id, key) do update
        set fingerprint = excluded.fingerprint, claim = excluded.claim, about = excluded.about,
            claim_expires_at = excluded.claim_expires_at, status = null, body = null, created_at = now()
        where idempotency.created_at < now() - $6::interval
            or (idempotency.claim is not null and idempotency.claim_expires_at < now()
                and idempotency.fingerprint = excluded.fingerprint)
        "#,
        request.tenant.uuid(),
        request.key.0,
        &request.fingerprint.0,
        token,
        interval(lease),
        interval(retention),
        request.about,
    )
    .execute(db)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

pub(super) async fn find(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    key: &Key,
) -> sqlx::Result<Option<Stored>> {
    sqlx::query!(
        "select fingerprint, status, body from idempotency where tenant_id = $1 and key = $2",
        tenant.uuid(),
        key.0,
    )
    .map(|row| Stored {
        fingerprint: row.fingerprint,
        status: row.status.and_then(|status| u16::try_from(status).ok()),
        body: row.body,
    })
    .fetch_optional(db)
    .await
}

/// Returns whether the claim was still held.
pub(super) async fn renew(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    key: &Key,
    token: Uuid,
    lease: Duration,
) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        r#"
        update idempotency
        set claim_expires_at = now() + $4::interval
        where tenant_id = $1 and key = $2 and claim = $3
        "#,
        tenant.uuid(),
        key.0,
        token,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

pub(super) async fn finish(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    key: &Key,
    token: Uuid,
    status: u16,
    body: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update idempotency
        set claim = null, claim_expires_at = null, status = $4, body = $5
        where tenant_id = $1 and key = $2 and claim = $3
        "#,
        tenant.uuid(),
        key.0,
        token,
        i16::try_from(status).unwrap_or(i16::MAX),
        body,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn give_up(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    key: &Key,
    token: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from idempotency where tenant_id = $1 and key = $2 and claim = $3",
        tenant.uuid(),
        key.0,
        token,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Erases the bodies but keeps the rows, so that the requests do not run again.
pub(super) async fn forget(db: impl PgExecutor<'_>, tenant: TenantId, about: &[&str]) -> sqlx::Result<()> {
    sqlx::query!(
        "update idempotency set body = null where tenant_id = $1 and about = any($2) and body is not null",
        tenant.uuid(),
        about as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes expired rows across all tenants.
pub(super) async fn forget_old(
    db: impl PgExecutor<'_>,
    retention: Duration,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        r#"
        delete from idempotency
        where (tenant_id, key) in (
            select tenant_id, key from idempotency
            where created_at < now() - $1::interval
            order by created_at
            limit $2
            for update skip locked
        )
        "#,
        interval(retention),
        limit,
    )
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}
