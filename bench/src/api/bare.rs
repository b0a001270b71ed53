//! The reference for lists: one bare poem handler.
//!
//! It has the API's SQL statement, pool settings and JSON output, and no authentication, row-level security
//! or logs.
//!
//! A separate process, like the API: a copy of this program that reads the database URL from standard
//! input, prints its address and serves until standard input is closed.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use hyper::header::HeaderName;
use poem::listener::TcpAcceptor;
use poem::web::{Data, Json, Query};
use poem::{EndpointExt, Request, Route, Server, get, handler};
use serde::{Deserialize, Serialize, Serializer};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{FromRow, PgPool};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The header with the tenant id.
pub(super) const TENANT: HeaderName = HeaderName::from_static("x-tenant");

/// The size of the API's pool for tenant data.
const CONNECTIONS: u32 = 15;

/// The API's timeout for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The statement of `core/src/bots/store.rs`.
const LIST: &str = r"
    select total, id, name, channel_type, description, welcome_message, system_prompt, is_active,
        is_default, language, personality, bot_role, created_at, updated_at
    from (
        select count(*) as total
        from bot
        where tenant_id = $1 and deleted_at is null
            and ($2::text is null or channel_type = $2) and ($3::boolean is null or is_active = $3)
    ) as counted
    left join lateral (
        select id, name, channel_type, description, welcome_message, system_prompt, is_active,
            is_default, language, personality, bot_role, created_at, updated_at
        from bot
        where tenant_id = $1 and deleted_at is null
            and ($2::text is null or channel_type = $2) and ($3::boolean is null or is_active = $3)
        order by id desc
        limit $4 offset $5
    ) as page on true
    order by id desc
";

/// The running reference process; stopped on drop.
#[derive(Debug)]
pub(super) struct Bare {
    child: Child,
    input: Option<ChildStdin>,
    pub(super) address: SocketAddr,
}

impl Bare {
    pub(super) fn start(database_url: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--bare").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut input = child.stdin.take().context("a child without input")?;
        let output = child.stdout.take().context("a child without output")?;
        writeln!(input, "{database_url}")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().context("the reference did not start")?;
        Ok(Self { child, input: Some(input), address })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // The child exits when its standard input is closed.
        self.input = None;
        let _exited = self.child.wait();
    }
}

/// Runs the reference until standard input is closed.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let mut url = String::new();
    std::io::stdin().lock().read_line(&mut url)?;
    let options: PgConnectOptions = url.trim().parse()?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        // As the API does for its tenant pool.
        .connect_lazy_with(
            options.application_name("bare").options([("plan_cache_mode", "force_generic_plan")]),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::print_result(&listener.local_addr()?.to_string());
    let input_closed = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().count());
    let app = Route::new().at("/api/v1/bots", get(list)).data(pool);
    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(app);
    tokio::select! {
        result = server => Ok(result?),
        _ = input_closed => Ok(()),
    }
}

#[handler]
async fn list(pool: Data<&PgPool>, params: Query<Params>, request: &Request) -> poem::Result<Json<BotList>> {
    let tenant: Uuid =
        request.header(&TENANT).unwrap_or_default().parse().map_err(poem::error::BadRequest)?;
    let rows: Vec<Row> = sqlx::query_as(LIST)
        .bind(tenant)
        .bind(None::<&str>)
        .bind(None::<bool>)
        .bind(params.per_page)
        .bind(0_i64)
        .fetch_all(pool.0)
        .await
        .map_err(poem::error::InternalServerError)?;
    Ok(Json(BotList::new(rows, params.per_page)))
}

#[derive(Deserialize)]
struct Params {
    per_page: i64,
}

#[derive(FromRow)]
struct Row {
    total: i64,
    #[sqlx(flatten)]
    bot: Bot,
}

#[derive(FromRow, Serialize)]
struct Bot {
    id: Uuid,
    name: String,
    channel_type: String,
    description: Option<String>,
    welcome_message: Option<String>,
    system_prompt: Option<String>,
    is_active: bool,
    is_default: bool,
    language: String,
    personality: Option<String>,
    bot_role: Option<String>,
    #[serde(serialize_with = "timestamp")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "timestamp")]
    updated_at: DateTime<Utc>,
}

fn timestamp<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

#[derive(Serialize)]
struct BotList {
    success: bool,
    data: Vec<Bot>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    page: i64,
    per_page: i64,
    total: i64,
    pages: i64,
    has_prev: bool,
    has_next: bool,
}

impl BotList {
    fn new(rows: Vec<Row>, per_page: i64) -> Self {
        let total = rows.first().map_or(0, |row| row.total);
        let pages = (total + per_page - 1) / per_page;
        Self {
            success: true,
            data: rows.into_iter().map(|row| row.bot).collect(),
            pagination: Pagination { page: 1, per_page, total, pages, has_prev: false, has_next: 1 < pages },
        }
    }
}
