//! A Chromium process of one crawl: flags, profile, memory limit, end.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// Time for the browser to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Interval of memory checks. A page can allocate some hundred megabytes within it.
const MEMORY_INTERVAL: Duration = Duration::from_millis(250);

/// Shell script that guards the browser. It starts the browser in its own process group and waits for the end
/// of standard input, which comes even if the worker is killed. Then it ends the group and deletes the
/// profile. `ulimit` forbids core dumps and files over 512 MiB (in blocks of 512 bytes). Arguments: profile,
/// program, flags.
const GUARD: &str = r#"
profile=$1; shift
ulimit -c 0; ulimit -f 1048576
{ "$@"; kill -KILL 0; } </dev/null &
read -r _
trap "" TERM
kill -TERM 0; sleep 1; rm -rf "$profile"
kill -KILL 0
"#;

/// Flags that are the same for all crawls. They prevent direct connections and the browser's own requests.
const FLAGS: [&str; 38] = [
    "--headless",
    "--remote-debugging-port=0",
    // Without it, Chromium does not use the proxy for loopback addresses.
    "--proxy-bypass-list=<-loopback>",
    // The proxy resolves names. This flag prevents all other lookups.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--dns-prefetch-disable",
    // UDP would not use the proxy. The name of the flag depends on the version.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--no-pings",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-sync",
    "--disable-features=AutofillServerCommunication,CertificateTransparencyComponentUpdater,DialMediaRouteProvider,\
     MediaRouter,OptimizationHints,PrivacySandboxSettings4,Translate,WebRtcHideLocalIpsWithMdns",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
    "--deny-permission-prompts",
    "--mute-audio",
    "--disable-gpu",
    // /dev/shm has 64 MiB in a container.
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // Only text is read.
    "--blink-settings=imagesEnabled=false",
    "--renderer-process-limit=4",
    "--js-flags=--max-old-space-size=512",
    "--log-level=3",
];

/// Folders of the tools that a browser's start script uses. The configuration resolves the name of the browser.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A running browser. Dropping it kills its processes and deletes its profile.
#[derive(Debug)]
pub(super) struct Process {
    guard: Child,
    /// Open while the browser may run: see [`GUARD`].
    _lifeline: ChildStdin,
    group: Pid,
    exceeded_memory: Arc<AtomicBool>,
    watch: JoinHandle<()>,
    /// Deleted after the processes have ended.
    _profile: TempDir,
    /// Address of the DevTools.
    pub(super) address: SocketAddr,
    /// Path of the browser's DevTools session.
    pub(super) path: String,
}

impl Process {
    /// Starts a browser that uses the proxy at `proxy`, and waits until it is ready. `memory` is in bytes.
    ///
    /// # Errors
    /// When the program cannot be started, ends early, or is not ready in time.
    pub(super) async fn start(program: &Path, proxy: SocketAddr, memory: u64) -> io::Result<Self> {
        let profile = tempfile::Builder::new().prefix("parlance-browser-").tempdir()?;
        let mut guard = command(program, profile.path(), proxy)?.spawn()?;
        let lifeline = guard.stdin.take().ok_or_else(|| io::Error::other("no standard input"))?;
        let id = guard.id().and_then(|id| i32::try_from(id).ok());
        let group = Pid::from_raw(id.ok_or_else(|| io::Error::other("the shell has ended"))?);
        let mut errors = guard.stderr.take();
        let exceeded_memory = Arc::new(AtomicBool::new(false));
        let mut process = Self {
            guard,
            _lifeline: lifeline,
            group,
            watch: tokio::spawn(watch_memory(group, memory, Arc::clone(&exceeded_memory))),
            exceeded_memory,
            _profile: profile,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            path: String::new(),
        };
        if let Err(error) = process.wait_until_ready().await {
            return Err(explain(program, &error, errors.take(), process).await);
        }
        if let Some(mut errors) = errors {
            // Drained, so that the browser never blocks on it.
            tokio::spawn(async move { tokio::io::copy(&mut errors, &mut tokio::io::sink()).await });
        }
        Ok(process)
    }

    /// Whether the browser was killed because of its memory.
    pub(super) fn exceeded_memory(&self) -> bool {
        self.exceeded_memory.load(Ordering::Relaxed)
    }

    /// Waits for the file with the browser's port and path.
    async fn wait_until_ready(&mut self) -> io::Result<()> {
        let file = self._profile.path().join("DevToolsActivePort");
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let text = tokio::fs::read_to_string(&file).await.unwrap_or_default();
            if let Some((port, path)) = text.split_once('\n')
                && let Ok(port) = port.parse()
                && !path.is_empty()
            {
                self.address.set_port(port);
                self.path = path.trim().to_owned();
                return Ok(());
            }
            if let Some(status) = self.guard.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.watch.abort();
        // An error means that no process is left.
        let _killed = killpg(self.group, Signal::SIGKILL);
        // Killed processes end within milliseconds; the profile can be deleted only then.
        for _ in 0..100 {
            let _reaped = self.guard.try_wait();
            if killpg(self.group, None).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn command(program: &Path, profile: &Path, proxy: SocketAddr) -> io::Result<Command> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", GUARD, "parlance-browser"]).args([profile, program]).args(FLAGS);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command.arg(format!("--proxy-server=http://{proxy}"));
    if profile.metadata()?.uid() == 0 {
        // Chromium's sandbox refuses to run as root.
        command.arg("--no-sandbox");
    }
    command
        .arg("about:blank")
        // The browser inherits no secrets or settings.
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", profile)
        .env("TMPDIR", profile)
        .current_dir(profile)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    Ok(command)
}

/// Adds the end of the browser's own messages to an error. Ends the process first, which closes its output.
async fn explain(
    program: &Path,
    error: &io::Error,
    output: Option<ChildStderr>,
    process: Process,
) -> io::Error {
    drop(process);
    let mut messages = Vec::new();
    if let Some(output) = output {
        let _read = timeout(Duration::from_secs(1), output.take(64 * 1024).read_to_end(&mut messages)).await;
    }
    let messages = String::from_utf8_lossy(&messages).into_owned();
    let last = messages.lines().rev().find(|line| line.contains("FATAL") || line.contains("not found"));
    let last = last.or_else(|| messages.lines().last()).unwrap_or_default();
    io::Error::new(error.kind(), format!("cannot start {}: {error} {last}", program.display()))
}

/// Kills the browser when its processes together have too much private memory.
async fn watch_memory(group: Pid, limit: u64, exceeded: Arc<AtomicBool>) {
    loop {
        sleep(MEMORY_INTERVAL).await;
        let used = tokio::task::spawn_blocking(move || private_memory(group)).await.unwrap_or(0);
        if used > limit {
            tracing::info!(used, limit, "a page used too much memory: its browser is killed");
            exceeded.store(true, Ordering::Relaxed);
            let _killed = killpg(group, Signal::SIGKILL);
            return;
        }
    }
}

/// Private memory of a process group, in bytes. Shared pages of files do not count. Zero without `/proc`.
fn private_memory(group: Pid) -> u64 {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    let processes = entries.flatten().filter(|entry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name, in parentheses, may contain spaces. State, parent and group follow.
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
        fields.split(' ').nth(2).and_then(|field| field.parse().ok()) == Some(group.as_raw())
    });
    let kilobytes = processes.flat_map(|entry| {
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let counted =
            status.lines().filter(|line| line.starts_with("RssAnon:") || line.starts_with("RssShmem:"));
        counted.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).collect::<Vec<_>>()
    });
    kilobytes.sum::<u64>().saturating_mul(1024)
}
