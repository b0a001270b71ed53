//! Statements that name their tenant in their own message: one round trip instead of two.
//!
//! Such a statement gets one more parameter, of the domain `reading_tenant` (migration 18), which its text does not
//! use. Postgres converts all parameters when it binds them, before it plans or runs the statement; a domain's check is
//! part of the conversion, and this one sets `parlance.tenant` until the statement's transaction ends. The statement
//! cannot run without it, and a later one does not see it. The same check makes the transaction read-only.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, TryFutureExt};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Arguments, AssertSqlSafe, Describe, Either, Encode, Execute, Executor, Postgres, SqlStr, Type};

use super::{Db, is_dead};
use crate::ids::TenantId;

/// Runs statements that only read, each on any connection, restricted to one tenant. See [`Db::reading`].
#[derive(Clone, Copy, Debug)]
pub struct Reading<'d> {
    pub(super) db: &'d Db,
    pub(super) tenant: TenantId,
}

/// The value of the parameter that names the tenant.
struct ReadingTenant(TenantId);

impl Type<Postgres> for ReadingTenant {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("reading_tenant")
    }
}

impl Encode<'_, Postgres> for ReadingTenant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.0.uuid().encode_by_ref(buffer)
    }
}

/// A statement with the tenant among its arguments.
struct Statement {
    sql: Arc<str>,
    arguments: PgArguments,
    persistent: bool,
}

type Results = Vec<Either<PgQueryResult, PgRow>>;

impl Statement {
    fn new<'q>(tenant: TenantId, mut query: impl Execute<'q, Postgres>) -> sqlx::Result<Self> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let mut arguments = arguments.ok_or_else(|| sqlx::Error::Protocol(RAW.to_owned()))?;
        arguments.add(ReadingTenant(tenant)).map_err(sqlx::Error::Encode)?;
        let persistent = query.persistent();
        // Prepared statements are cached by their text. Within transactions the same text has one parameter less.
        let sql = format!("{}{MARK}", query.sql().as_str());
        Ok(Self { sql: sql.into(), arguments, persistent })
    }
}

const MARK: &str = " -- names its tenant";

const RAW: &str = "a raw statement has no parameters, so it cannot name its tenant";

impl Reading<'_> {
    async fn run(self, statement: Statement) -> sqlx::Result<Results> {
        let _place = self.db.place(self.tenant).await?;
        let mut tries = self.db.tenants.size() + 1;
        loop {
            let mut connection = self.db.connection().await?;
            let query =
                sqlx::query_with(AssertSqlSafe(Arc::clone(&statement.sql)), statement.arguments.clone())
                    .persistent(statement.persistent);
            match connection.connection.fetch_many(query).try_collect().await {
                Ok(results) => {
                    self.db.warm.keep(connection);
                    return Ok(results);
                }
                // The database has restarted since the last use of this connection. The statement only reads, so it can
                // be retried.
                Err(error) if tries > 0 && is_dead(&error) => tries -= 1,
                Err(error) => return Err(error),
            }
            connection.connection.close_on_drop();
        }
    }
}

/// Preparing and describing set no tenant, so row-level security shows them no rows.
async fn unprepared<T>() -> sqlx::Result<T> {
    Err(sqlx::Error::Protocol(RAW.to_owned()))
}

impl<'d> Executor<'d> for Reading<'d> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'd: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let statement = Statement::new(self.tenant, query);
        // Fetches all rows, so that a slow reader does not hold the place.
        let results = async move { Ok(stream::iter(self.run(statement?).await?.into_iter().map(Ok))) };
        results.try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'd: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let statement = Statement::new(self.tenant, query);
        async move { Ok(self.run(statement?).await?.into_iter().find_map(Either::right)) }.boxed()
    }

    fn prepare_with<'e>(
        self,
        _sql: SqlStr,
        _parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'd: 'e,
    {
        unprepared().boxed()
    }

    fn describe<'e>(self, _sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'd: 'e,
    {
        unprepared().boxed()
    }
}
