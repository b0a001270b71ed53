//! Processes of the binary under test. They are killed when the test ends.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use parlance_testing::Client;
use serde_json::Value;

/// Timeout of [`eventually`].
const TIMEOUT: Duration = Duration::from_secs(120);

/// A command of the binary, without the test runner's settings.
pub(crate) fn parlance() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
    for name in ["DATABASE_URL", "REDIS_URL", "STORAGE_URL", "BIND", "LLM_MODEL", "EMBEDDING_MODEL"] {
        command.env_remove(name);
    }
    // All requests of a test use one key.
    command.env("RATE_LIMIT_PER_SECOND", "0");
    command
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Standard output of a command that must succeed.
pub(crate) fn stdout(command: &mut Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A running process.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends SIGTERM and waits for the process to end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.0.wait().unwrap()
    }

    /// Memory in MiB from /proc: `VmRSS` is the current, `VmHWM` the peak resident size.
    pub(crate) fn resident_mib(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let found = status.lines().find_map(|field| field.strip_prefix(line)).unwrap();
        found.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().unwrap() / 1024
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if the process has already ended, which is fine.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A running `up`, its `up.json`, and a client with its key.
pub(crate) struct Up {
    pub(crate) process: Process,
    pub(crate) file: Value,
    pub(crate) http: Client,
}

impl Up {
    pub(crate) async fn start(data_dir: &Path, more: &[&str]) -> Self {
        let mut command = parlance();
        command.arg("up").args(["--port", "0"]).arg("--data-dir").arg(data_dir).args(more);
        // A killed `up` leaves its file behind.
        let _absent = std::fs::remove_file(data_dir.join("up.json"));
        let mut process = Process::spawn(&mut command);
        let file = eventually("up.json is there", async || {
            assert!(!process.has_ended(), "up ended early");
            serde_json::from_str::<Value>(&std::fs::read_to_string(data_dir.join("up.json")).ok()?).ok()
        })
        .await;
        let http = Client::new(file["url"].as_str().unwrap(), file["api_key"].as_str());
        Self { process, file, http }
    }

    pub(crate) async fn bot(&self) -> String {
        self.http.post("/bots", serde_json::json!({"name": "Bot", "channel_type": "webchat"})).await.id()
    }
}

/// Waits until a source is ready.
pub(crate) async fn ready(http: &Client, source: &str) -> Value {
    eventually("the source is ready", async || {
        let answer = http.get(&format!("/knowledge/sources/{source}")).await;
        let source = answer.body["data"]["source"].clone();
        assert_ne!(source["status"], "failed", "{source}");
        (source["status"] == "ready").then_some(source)
    })
    .await
}

/// Lock of resource-heavy tests: run concurrently, their children would hit time and memory limits.
pub(crate) async fn exclusive() -> tokio::sync::MutexGuard<'static, ()> {
    static HEAVY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    HEAVY.lock().await
}

pub(crate) async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(started.elapsed() < TIMEOUT, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
