//! SQL of the table `api_key`. Private to the slice.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Caller, Key, Scope};
use crate::ids::{KeyId, TenantId};
use crate::page::PageRequest;
use crate::platform::db::interval;

/// A valid key found by its hash.
pub(super) struct FoundKey {
    pub(super) caller: Caller,
    pub(super) hash: Vec<u8>,
    pub(super) last_used_at: Option<DateTime<Utc>>,
}

pub(super) struct NewKey<'a> {
    pub(super) id: KeyId,
    pub(super) tenant: TenantId,
    pub(super) name: &'a str,
    pub(super) prefix: String,
    pub(super) hash: [u8; 32],
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
        &key.hash,
        &scopes,
        key.expires_at,
    )
    .fetch_one(db)
    .await?;
    Ok(Key {
        id: key.id,
        tenant: key.tenant,
        name: key.name.to_owned(),
        prefix: key.prefix.clone(),
        scopes: key.scopes.to_vec(),
        expires_at: key.expires_at,
        last_used_at: None,
        created_at,
    })
}

/// A page of the non-revoked keys, with their total number.
pub(super) async fn list(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    page: PageRequest,
) -> sqlx::Result<(Vec<Key>, i64)> {
    let rows = sqlx::query!(
        r#"
        select total as "total!", id as "id?", name as "name?", prefix as "prefix?", scopes as "scopes?",
            expires_at, last_used_at, created_at as "created_at?"
        from (select count(*) as total from api_key where tenant_id = $1 and revoked_at is null) as counted
        left join lateral (
            select id, name, prefix, scopes, expires_at, last_used_at, created_at
            from api_key
            where tenant_id = $1 and revoked_at is null
            order by id desc
            limit $2 offset $3
        ) as page on true
        order by id desc
        "#,
        tenant.uuid(),
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let keys = rows.into_iter().filter_map(|row| {
        Some(Key {
            id: row.id?.into(),
            tenant,
            name: row.name?,
            prefix: row.prefix?,
            scopes: known_scopes(&row.scopes?),
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            created_at: row.created_at?,
        })
    });
    Ok((keys.collect(), total))
}

/// A key that is neither revoked nor expired.
pub(super) async fn find(db: impl PgExecutor<'_>, tenant: TenantId, key: KeyId) -> sqlx::Result<Option<Key>> {
    sqlx::query!(
        r#"
        select name, prefix, scopes, expires_at, last_used_at, created_at
        from api_key
        where tenant_id = $1 and id = $2 and revoked_at is null and (expires_at is null or expires_at > now())
        "#,
        tenant.uuid(),
        key.uuid(),
    )
    .map(|row| Key {
        id: key,
        tenant,
        name: row.name,
        prefix: row.prefix,
        scopes: known_scopes(&row.scopes),
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        created_at: row.created_at,
    })
    .fetch_optional(db)
    .await
}

/// Revokes a key and returns its name and hash.
pub(super) async fn revoke(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    key: KeyId,
) -> sqlx::Result<Option<(String, Vec<u8>)>> {
    sqlx::query!(
        r#"
        update api_key
        set revoked_at = now()
        where tenant_id = $1 and id = $2 and revoked_at is null
        returning name, hash
        "#,
        tenant.uuid(),
        key.uuid(),
    )
    .map(|row| (row.name, row.hash))
    .fetch_optional(db)
    .await
}

/// Sets the expiry to `grace` from now unless it is earlier already. Returns the hash.
pub(super) async fn expire(
    db: impl PgExecutor<'_>,
    tenant: TenantId,
    key: KeyId,
    grace: Duration,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        r#"
        update api_key
        set expires_at = least(expires_at, now() + $3::interval)
        where tenant_id = $1 and id = $2 and revoked_at is null
        returning hash
        "#,
        tenant.uuid(),
        key.uuid(),
        interval(grace),
    )
    .fetch_optional(db)
    .await
}

/// Finds the tenant of a key. The only statement on tenant data without a tenant in its where clause.
pub(super) async fn find_by_hash(db: impl PgExecutor<'_>, hash: &[u8]) -> sqlx::Result<Option<FoundKey>> {
    sqlx::query!(
        r#"
        select api_key.id, tenant_id, scopes, expires_at, last_used_at, hash
        from api_key
        join tenant on tenant.id = api_key.tenant_id
        where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
            and tenant.is_active
        "#,
        hash,
    )
    .map(|row| FoundKey {
        caller: Caller {
            tenant: row.tenant_id.into(),
            key: row.id.into(),
            scopes: known_scopes(&row.scopes),
            expires_at: row.expires_at,
        },
        hash: row.hash,
        last_used_at: row.last_used_at,
    })
    .fetch_optional(db)
    .await
}

/// Sets the last use to now. The condition lets one of many concurrent processes write.
pub(super) async fn note_use(db: impl PgExecutor<'_>, key: KeyId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update api_key
        set last_used_at = now()
        where id = $1 and (last_used_at is null or last_used_at < now() - interval '30 seconds')
        "#,
        key.uuid(),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn list_hashes(db: impl PgExecutor<'_>, tenant: TenantId) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar!(
        "select hash from api_key where tenant_id = $1 and revoked_at is null",
        tenant.uuid(),
    )
    .fetch_all(db)
    .await
}

/// Drops unknown scopes: a newer version may have written them.
fn known_scopes(scopes: &[String]) -> Vec<Scope> {
    scopes.iter().filter_map(|scope| scope.parse().ok()).collect()
}
