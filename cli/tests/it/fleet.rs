//! Separate API and worker processes, as in production.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use parlance_embedded::model::Precision;
use parlance_embedded::parts::{Model, Parts};
use parlance_embedded::{Servers, default_cache_dir};
use parlance_testing::Client;
use serde_json::json;

use crate::process::{Process, eventually, output, parlance, ready, stdout};

/// Private servers, and the settings of every process on them.
pub(crate) struct Fleet {
    pub(crate) servers: Servers,
    files: tempfile::TempDir,
    parts: Parts,
    port: u16,
}

impl Fleet {
    /// Servers with the schema applied. No processes yet.
    pub(crate) async fn prepare() -> Self {
        let fleet = Self::empty().await;
        stdout(&mut fleet.role(&["migrate"]));
        fleet
    }

    /// Servers with an empty database.
    pub(crate) async fn empty() -> Self {
        let servers = Servers::ephemeral(&default_cache_dir()).await.unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let parts = Parts::new(&default_cache_dir());
        Self { servers, files: tempfile::tempdir().unwrap(), parts, port }
    }

    /// Storage folder.
    pub(crate) fn files(&self) -> &Path {
        self.files.path()
    }

    /// A client with this API key.
    pub(crate) fn client(&self, key: Option<&str>) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.port), key)
    }

    /// A `parlance` command with the settings of this fleet.
    pub(crate) fn role(&self, arguments: &[&str]) -> Command {
        let mut command = parlance();
        command
            .args(arguments)
            .env("DATABASE_URL", self.servers.database_url().unwrap())
            .env("REDIS_URL", self.servers.redis_url().unwrap())
            .env("STORAGE_URL", format!("file://{}", self.files.path().display()))
            .env("ORT_DYLIB_PATH", self.parts.onnxruntime().unwrap())
            .env("EMBEDDING_MODEL_DIR", self.parts.model(Model::default(), Precision::Int8).unwrap())
            .env("SCRAPE_ALLOW_NETWORKS", "127.0.0.0/8")
            // The chaos test logs thousands of warnings.
            .env("RUST_LOG", "error,apalis_core=off")
            .env("BIND", format!("127.0.0.1:{}", self.port));
        command
    }

    /// Starts a process.
    pub(crate) fn start(&self, arguments: &[&str]) -> Process {
        Process::spawn(&mut self.role(arguments))
    }

    /// Starts the API and waits until it accepts connections.
    pub(crate) async fn start_api(&self) -> Process {
        let api = self.start(&["api"]);
        let port = self.port;
        eventually("the API answers", async || std::net::TcpStream::connect(("127.0.0.1", port)).ok()).await;
        api
    }

    /// Creates a tenant and returns a client with its key.
    pub(crate) fn tenant(&self, name: &str) -> Client {
        let created = stdout(&mut self.role(&["tenant", "create", "--name", name, "--plan", "enterprise"]));
        let key = created.lines().find_map(|line| line.strip_prefix("api key")).unwrap().trim();
        self.client(Some(key))
    }
}

/// Creates a bot and returns its id.
pub(crate) async fn bot(http: &Client) -> String {
    http.post("/bots", json!({"name": "Bot", "channel_type": "api"})).await.id()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_unserved_queues_and_unreachable_servers() {
    let fleet = Fleet::prepare().await;
    let http = fleet.tenant("Waiting");
    let _api = fleet.start_api().await;
    http.upload(&bot(&http).await, "a.md", "# Returns\n\nWithin thirty days.\n").await.id();
    // Nothing listens on the discard port.
    let mut doctor = fleet.role(&["doctor"]);
    doctor.env("LLM_MODEL", "scripted").env("LLM_BASE_URL", "http://127.0.0.1:9/v1");
    doctor.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").env("DATABASE_MAX_CONNECTIONS", "1000");
    let output = output(&mut doctor);
    assert_eq!(output.status.code(), Some(1));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("no worker serves upload, where jobs wait"), "{report}");
    for part in ["workers", "llm", "traces", "connections"] {
        assert!(report.contains(&format!("BAD   {part} ")), "{part}: {report}");
    }
    for part in ["postgres", "redis", "storage", "disk", "model", "reader"] {
        assert!(report.contains(&format!("ok    {part} ")), "{part}: {report}");
    }
    fleet.servers.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_worker_loses_no_work() {
    let fleet = Fleet::prepare().await;
    let http = fleet.tenant("Fleet");
    let _api = fleet.start_api().await;
    let _ingest = fleet.start(&["worker", "--queues", "upload,chunk"]);
    let doomed = fleet.start(&["worker", "--queues", "embed"]);
    let bot = bot(&http).await;
    let text: String = (0..1500)
        .map(|i| format!("Rule {i} says that matter {} is settled by office {}.\n\n", i * 7, i % 90))
        .collect();
    let source = http.upload(&bot, "rules.txt", text).await.id();
    eventually("the doomed worker makes progress", async || {
        let done =
            http.get(&format!("/knowledge/sources/{source}")).await.data(200)["source"]["progress"]["done"]
                .as_i64()?;
        (done > 0).then_some(())
    })
    .await;
    let listed = stdout(&mut fleet.role(&["worker", "list"]));
    assert!(listed.contains("embed=2") && listed.contains("running"), "{listed}");
    doomed.kill();
    let replacement = fleet.start(&["worker", "--queues", "embed", "--concurrency", "1"]);
    let source_after = ready(&http, &source).await;
    assert_eq!(source_after["progress"]["done"], source_after["progress"]["total"]);
    let drained = stdout(&mut fleet.role(&["job", "drain", "--timeout", "60"]));
    assert!(drained.contains("All jobs have finished; 0 dead letters"), "{drained}");
    let jobs = stdout(&mut fleet.role(&["job", "list", "--source", &source]));
    let upload = jobs.lines().find(|line| line.contains("upload")).unwrap();
    let shown = stdout(&mut fleet.role(&["job", "show", upload.split_whitespace().next().unwrap()]));
    assert!(shown.contains("state     succeeded") && shown.contains("child     "), "{shown}");
    assert!(replacement.terminate().success());
    fleet.servers.stop().await.unwrap();
}
