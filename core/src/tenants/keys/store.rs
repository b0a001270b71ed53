//! SQL of the table `api_key`. Private to the slice.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Caller, Key, Scope};
use crate::ids::{KeyId, TenantId};

pub(super) struct NewKey<'a> {
    pub(super) id: KeyId,
    pub(super) tenant: TenantId,
    pub(super) name: &'a str,
    pub(super) prefix: &'a str,
    pub(super) hash: &'a [u8],
    pub(super) scopes: &'a [Scope],
    pub(super) expires_at: Option<DateTime<Utc>>,
}

pub(super) async fn insert(db: impl PgExecutor<'_>, key: &NewKey<'_>) -> sqlx::Result<Key> {
    let scopes: Vec<String> = key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let created_at = sqlx::query_scalar!(
        r#"
        insert into api_key (id, tenant_id, name, prefix, hash, scopes, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning created_at
        "#,
        key.id.uuid(),
        key.tenant.uuid(),
        key.name,
        key.prefix,
        key.hash,
        &scopes,
        key.expires_at,
    )
    .fetch_one(db)
    .await?;
    Ok(Key {
        id: key.id,
        tenant: key.tenant,
        name: key.name.to_owned(),
        prefix: key.prefix.to_owned(),
        scopes: key.scopes.to_vec(),
        expires_at: key.expires_at,
        revoked_at: None,
        last_used_at: None,
        created_at,
    })
}

pub(super) async fn list(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<Vec<Key>> {
    sqlx::query!(
        r#"
        select id, name, prefix, scopes, expires_at, revoked_at, last_used_at, created_at
        from api_key
        where tenant_id = $1
        order by id desc
        "#,
        tenant.uuid(),
    )
    .map(|row| Key {
        id: row.id.into(),
        tenant,
        name: row.name,
        prefix: row.prefix,
        scopes: known(&row.scopes),
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
        created_at: row.created_at,
    })
    .fetch_all(db)
    .await
}

pub(super) async fn revoke(db: impl PgExecutor<'_>, tenant: TenantId, key: KeyId) -> sqlx::Result<bool> {
    let revoked = sqlx::query!(
        "update api_key set revoked_at = now() where tenant_id = $1 and id = $2 and revoked_at is null",
        tenant.uuid(),
        key.uuid(),
    )
    .execute(db)
    .await?;
    Ok(revoked.rows_affected() == 1)
}

/// The one statement on a tenant's data that names no tenant: it finds out which tenant it is.
pub(super) async fn find_by_hash(db: impl PgExecutor<'_>, hash: &[u8]) -> sqlx::Result<Option<Caller>> {
    sqlx::query!(
        r#"
        select api_key.id, tenant_id, scopes
        from api_key
        join tenant on tenant.id = api_key.tenant_id
        where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
            and tenant.is_active
        "#,
        hash,
    )
    .map(|row| Caller { tenant: row.tenant_id.into(), key: row.id.into(), scopes: known(&row.scopes) })
    .fetch_optional(db)
    .await
}

/// Scopes of a later version than this binary's open nothing here.
fn known(scopes: &[String]) -> Vec<Scope> {
    scopes.iter().filter_map(|scope| scope.parse().ok()).collect()
}
