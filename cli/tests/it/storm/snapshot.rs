//! The state after a run: sources, chunks, vectors, jobs and Redis entries.

use std::collections::BTreeSet;
use std::fmt;

use parlance_testing::Client;
use parlance_testing::sqlx::{self, Connection, PgConnection};

use super::{Verdicts, retry};
use crate::fleet::Fleet;

/// State of all tenants after a run.
pub(super) struct Snapshot {
    pub(super) verdicts: Verdicts,
    /// Source, ordinal, and hash of the text.
    pub(super) chunks: BTreeSet<String>,
    /// Unfinished jobs.
    pub(super) unfinished: i64,
    /// Chunks of a live version without a vector.
    pub(super) without_vector: i64,
    /// Chunks outside a live version, except those of failed or cancelled sources.
    pub(super) hidden: i64,
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ready = self.verdicts.values().filter(|(status, _)| status == "ready").count();
        let failed = self.verdicts.len() - ready;
        write!(f, "{ready} sources ready, {failed} failed, {} chunks", self.chunks.len())
    }
}

impl Snapshot {
    pub(super) async fn take(fleet: &Fleet, tenants: &[Client]) -> Self {
        let mut db = PgConnection::connect(fleet.servers.database_url().unwrap()).await.unwrap();
        let (mut verdicts, mut chunks) = (Verdicts::new(), BTreeSet::new());
        for (number, http) in tenants.iter().enumerate() {
            // The API may still hold a connection from before the Postgres restart.
            let info = retry(async || http.try_get("/tenant/info").await).await;
            let tenant: sqlx::types::Uuid = info["id"].as_str().unwrap().parse().unwrap();
            let sources: Vec<(String, String, Option<String>)> =
                sqlx::query_as("select name, status, error_code from source where tenant_id = $1")
                    .bind(tenant)
                    .fetch_all(&mut db)
                    .await
                    .unwrap();
            let count = sources.len();
            verdicts.extend(
                sources.into_iter().map(|(name, status, code)| (format!("{number}/{name}"), (status, code))),
            );
            let of_tenant = verdicts.keys().filter(|name| name.starts_with(&format!("{number}/"))).count();
            assert_eq!(of_tenant, count, "no duplicate sources");
            let rows: Vec<(String, i32, String)> = sqlx::query_as(
                "select source.name, ordinal, encode(chunk.hash, 'hex') from chunk \
                 join source on source.id = source_id and chunk.version = live_version where chunk.tenant_id = $1",
            )
            .bind(tenant)
            .fetch_all(&mut db)
            .await
            .unwrap();
            let count = rows.len();
            let before = chunks.len();
            chunks.extend(
                rows.into_iter().map(|(name, ordinal, hash)| format!("{number}/{name}/{ordinal}/{hash}")),
            );
            assert_eq!(chunks.len() - before, count, "no duplicate chunks");
        }
        Self {
            verdicts,
            chunks,
            unfinished: count(
                &mut db,
                "select count(*) from job where state not in ('succeeded', 'failed', 'cancelled')",
            )
            .await,
            without_vector: count(
                &mut db,
                "select count(*) from chunk join source on source.id = source_id and chunk.version = live_version \
                 where not exists (select 1 from chunk_vector where chunk_id = chunk.id)",
            )
            .await,
            hidden: count(
                &mut db,
                "select count(*) from chunk join source on source.id = source_id \
                 where chunk.version is distinct from live_version and status not in ('failed', 'cancelled')",
            )
            .await,
        }
    }
}

async fn count(db: &mut PgConnection, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(db).await.unwrap()
}

async fn redis_connection(fleet: &Fleet) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(fleet.servers.redis_url().unwrap()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Deletes everything in Redis.
pub(super) async fn flush_redis(fleet: &Fleet) {
    let _flushed: String =
        redis::cmd("FLUSHALL").query_async(&mut redis_connection(fleet).await).await.unwrap();
}

/// Number of Redis keys plus the elements of collections.
pub(super) async fn redis_entries(fleet: &Fleet) -> usize {
    let mut connection = redis_connection(fleet).await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let mut entries = keys.len();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await.unwrap();
        let length = match kind.as_str() {
            "hash" => "HLEN",
            "list" => "LLEN",
            "set" => "SCARD",
            "zset" => "ZCARD",
            _ => continue,
        };
        entries += redis::cmd(length).arg(&key).query_async::<usize>(&mut connection).await.unwrap();
    }
    entries
}
