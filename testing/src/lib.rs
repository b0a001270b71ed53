//! Test harness: builds the application as `main` does and serves it over HTTP on a free port.
//!
//! Servers are private; each test has its own database and Redis namespace.
//!
//! Workers run only after a test starts them; otherwise the test runs jobs one by one. A test that leaves
//! unfinished jobs fails, unless it ends with [`TestApp::end_with_unfinished_jobs`].

#![expect(clippy::unwrap_used, clippy::panic, reason = "a harness fails its test by panicking")]

mod embedders;
mod http;
mod reranker;
mod servers;
mod site;
mod statements;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parlance_api::ShutdownTimes;
use parlance_core::bots::{self, Channel, NewBot};
use parlance_core::ids::{BotId, JobId, SourceId, TenantId, WorkerId};
use parlance_core::jobs::{self, Kind, State, dispatch};
use parlance_core::maintenance::END_HOOKS;
use parlance_core::platform::config::Config;
use parlance_core::providers::{blob, rerank};
use parlance_core::tenants::keys::{self, KeyRequest};
use parlance_core::tenants::{self, Plan};
use parlance_core::{Context, Providers};
use parlance_workers::runner::Runner;
use sqlx::AssertSqlSafe;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use embedders::{Flaky, TestEmbedder};
pub use http::{Answer, Client, text_of};
/// Files to upload, valid and malicious.
pub use parlance_extract::corpus;
pub use reranker::reranker_in_folder;
pub use servers::{PrivateServers, english_embedder, real_embedder};
pub use site::{Page, Site};
/// For tests that query the database directly, so that they need no dependency of their own.
pub use sqlx;
pub use statements::{recorded_request_id, recorded_statements};

/// Maximum time of [`TestApp::eventually`].
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running application for one test.
pub struct TestApp {
    /// The context of the application under test.
    pub ctx: Context,
    /// A client with an API key of [`TestApp::tenant`].
    pub http: Client,
    /// A tenant of plan `professional`.
    pub tenant: TenantId,
    /// The private servers. A test that stops them needs [`Builder::own_servers`].
    pub servers: PrivateServers,
    runner: Runner,
    api: JoinHandle<std::io::Result<()>>,
    workers: Option<(JoinHandle<()>, CancellationToken)>,
    stop: CancellationToken,
    ended: bool,
    files: tempfile::TempDir,
}

type Change = Box<dyn FnOnce(&mut Config) + Send>;

/// Options of a [`TestApp`].
#[derive(Default)]
pub struct Builder {
    configure: Option<Change>,
    embedder: Option<TestEmbedder>,
    own_servers: bool,
}

impl Builder {
    /// Changes the configuration before the start.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Config) + Send + 'static) -> Self {
        self.configure = Some(Box::new(change));
        self
    }

    /// Replaces the real embedder.
    #[must_use]
    pub fn embedder(mut self, embedder: TestEmbedder) -> Self {
        self.embedder = Some(embedder);
        self
    }

    /// Starts servers for this test only, which it may stop and restart.
    #[must_use]
    pub fn own_servers(mut self) -> Self {
        self.own_servers = true;
        self
    }

    /// Starts the application.
    pub async fn start(self) -> TestApp {
        TestApp::build(self).await
    }
}

impl TestApp {
    /// Starts the application with default options.
    pub async fn start() -> Self {
        Builder::default().start().await
    }

    async fn build(builder: Builder) -> Self {
        statements::log();
        let servers = PrivateServers::take(builder.own_servers).await;
        let files = tempfile::tempdir().unwrap();
        let mut config = Config::read(|_| None).unwrap();
        config.database.url = Some(servers.fresh_database().await.into());
        config.database.max_connections = 10;
        config.redis.url = Some(servers.redis_url().into());
        config.redis.namespace = format!("test-{}", uuid::Uuid::now_v7().simple());
        config.storage.url = Url::from_directory_path(files.path()).ok();
        config.jobs.sweep_interval = Duration::from_millis(200);
        config.jobs.poll_interval = Duration::from_millis(50);
        config.jobs.hint_timeout = Duration::from_secs(1);
        config.jobs.lease = Duration::from_secs(3);
        config.jobs.backoff_base = Duration::from_millis(20);
        config.jobs.drain = Duration::from_secs(5);
        config.extract.program = Some(binary());
        // The verdict on a scan must not depend on the machine.
        config.extract.tesseract = None;
        config.limits.requests_per_second = 0;
        config.limits.invalid_keys_per_second = 0;
        config.limits.uploads_per_tenant = 1_000;
        config.scrape.wait = Duration::ZERO;
        if let Some(change) = builder.configure {
            change(&mut config);
        }
        let embedder = match builder.embedder {
            Some(embedder) => embedder.shared(),
            None => real_embedder().await,
        };
        let providers = Providers {
            blob: blob::from_config(&config.storage).unwrap(),
            embedder,
            embedder_before: None,
            reranker: rerank::from_config(&config).await.unwrap(),
            chat: parlance_core::providers::chat::from_config(&config.chat).unwrap(),
        };
        let ctx = Context::new(config, providers).unwrap();
        let tenant = tenants::create(&ctx, "Test", Plan::Professional).await.unwrap().id;
        let (_, key) = keys::create(&ctx, tenant, &KeyRequest::full("test").unwrap()).await.unwrap();

        let stop = CancellationToken::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ending = ShutdownTimes { announce: Duration::ZERO, drain: Duration::from_secs(5) };
        let api = tokio::spawn(parlance_api::serve(ctx.clone(), listener, stop.clone(), ending));
        Self {
            http: Client::new(&url, Some(key.expose())),
            runner: Runner::new(ctx.clone(), WorkerId::fresh()),
            ctx,
            tenant,
            servers,
            api,
            workers: None,
            stop,
            ended: false,
            files,
        }
    }

    /// Creates another tenant. Returns a client with its API key too.
    pub async fn another_tenant(&self) -> (TenantId, Client) {
        let tenant = tenants::create(&self.ctx, "Other", Plan::Professional).await.unwrap().id;
        let (_, key) = keys::create(&self.ctx, tenant, &KeyRequest::full("test").unwrap()).await.unwrap();
        (tenant, self.http.with_key(Some(key.expose())))
    }

    /// Creates a bot of a tenant, without the API.
    pub async fn create_bot(&self, tenant: TenantId) -> BotId {
        let bot = NewBot::new("Bot".parse().unwrap(), Channel::Webchat);
        bots::create(&self.ctx, tenant, &bot).await.unwrap().id
    }

    /// Starts the workers, as `parlance worker` does.
    pub fn start_workers(&mut self) {
        let stop = self.stop.child_token();
        let queues = parlance_workers::all_queues(&self.ctx);
        let workers = tokio::spawn(parlance_workers::run(self.ctx.clone(), queues, stop.clone()));
        self.workers = Some((workers, stop));
    }

    /// Stops the workers gracefully.
    pub async fn stop_workers(&mut self) {
        if let Some((workers, stop)) = self.workers.take() {
            stop.cancel();
            workers.await.unwrap();
        }
    }

    /// Kills the workers: nothing is settled or released.
    pub async fn kill_workers(&mut self) {
        if let Some((workers, _)) = self.workers.take() {
            workers.abort();
            let _aborted = workers.await;
        }
    }

    /// Runs the oldest waiting job of a queue in this task; `None` if there is none.
    pub async fn step(&self, kind: Kind) -> Option<JobId> {
        let job = self.waiting(kind).await.into_iter().next()?;
        self.runner.run(job).await.then_some(job)
    }

    /// Runs a job if it is still waiting. Returns whether this call ran it.
    pub async fn run(&self, job: JobId) -> bool {
        self.runner.run(job).await
    }

    /// Sweeps the ledger once.
    pub async fn sweep(&self) -> jobs::Swept {
        jobs::sweep(&self.ctx, END_HOOKS, chrono::Utc::now()).await.unwrap()
    }

    /// Fills the dispatch window of a queue once. Returns the number of hints pushed.
    pub async fn fill(&self, kind: Kind) -> usize {
        dispatch::fill(&self.ctx, kind).await.unwrap()
    }

    /// The waiting jobs of a queue, oldest first.
    pub async fn waiting(&self, kind: Kind) -> Vec<JobId> {
        let query = "select id from job where kind = $1 and state in ('queued', 'dispatched') and not_before <= now() order by id";
        let ids: Vec<uuid::Uuid> =
            sqlx::query_scalar(query).bind(kind.as_str()).fetch_all(self.ctx.db().platform()).await.unwrap();
        ids.into_iter().map(JobId::from).collect()
    }

    /// The result of a counting query over all tenants.
    pub async fn count_of(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(self.ctx.db().platform()).await.unwrap()
    }

    /// Executes a statement over all tenants.
    pub async fn execute(&self, statement: &str) {
        sqlx::query(AssertSqlSafe(statement)).execute(self.ctx.db().platform()).await.unwrap();
    }

    /// Renames a table, so that every statement on it fails until [`TestApp::restore_table`].
    pub async fn break_table(&self, table: &str) {
        self.rename(table, &format!("{table}_broken")).await;
    }

    /// Reverts [`TestApp::break_table`].
    pub async fn restore_table(&self, table: &str) {
        self.rename(&format!("{table}_broken"), table).await;
    }

    async fn rename(&self, from: &str, to: &str) {
        self.execute(&format!("alter table {from} rename to {to}")).await;
    }

    /// Number of original files in the blob store.
    #[must_use]
    pub fn stored_files(&self) -> usize {
        fn files(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
        }
        files(self.files.path())
    }

    /// Number of jobs of a queue in a state.
    pub async fn count(&self, kind: Kind, state: State) -> i64 {
        let counts = jobs::count_by_state(&self.ctx).await.unwrap();
        counts.into_iter().find(|(k, s, _)| (*k, *s) == (kind, state)).map_or(0, |(_, _, count)| count)
    }

    /// Waits until the ingestion of a source has ended. Returns the source as the API shows it.
    pub async fn settled(&self, source: SourceId) -> serde_json::Value {
        let path = format!("/knowledge/sources/{source}");
        self.eventually("the source settles", async || {
            let answer = self.http.get(&path).await;
            let source = answer.body["data"]["source"].clone();
            matches!(source["status"].as_str(), Some("ready" | "failed" | "cancelled")).then_some(source)
        })
        .await
    }

    /// Polls `probe` until it returns a value.
    pub async fn eventually<T>(&self, condition: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            if started.elapsed() > TIMEOUT {
                let ledger = jobs::count_by_state(&self.ctx).await;
                panic!("timed out waiting: {condition}; jobs by state: {ledger:?}");
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Ends the test. Panics if jobs are unfinished.
    pub async fn end(mut self) {
        let counts = jobs::count_by_state(&self.ctx).await.unwrap();
        let unfinished: Vec<_> = counts.into_iter().filter(|(_, state, _)| !state.is_final()).collect();
        self.close().await;
        assert!(unfinished.is_empty(), "the test left jobs unfinished: {unfinished:?}");
    }

    /// Ends a test that leaves unfinished jobs on purpose.
    pub async fn end_with_unfinished_jobs(mut self) {
        self.close().await;
    }

    async fn close(&mut self) {
        self.ended = true;
        self.stop_workers().await;
        self.stop.cancel();
        (&mut self.api).await.unwrap().unwrap();
        self.ctx.close().await;
    }
}

/// The `parlance` binary beside the tests; `cargo test` builds it first.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("parlance");
    assert!(program.exists(), "{} does not exist: build it with `cargo build`", program.display());
    program
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(self.ended || std::thread::panicking(), "a test must end with TestApp::end()");
    }
}
