//! Browsers end with the crawl that started them, however it ends.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::browser::{limits, renderer};
use crate::browser_pages as pages;
use crate::proxies::run_alone;
use crate::site::Site;

/// Number of processes with a folder in their command line.
fn processes_in(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(folder)).count()
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// A running Chromium, with the flags that its operator must set.
pub(crate) struct RunningBrowser {
    browser: Child,
    _profile: TempDir,
    pub(crate) port: u16,
}

impl RunningBrowser {
    #[expect(clippy::zombie_processes, reason = "waited for when it is dropped")]
    pub(crate) async fn start() -> Self {
        let profile = TempDir::new().unwrap();
        let browser = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--remote-debugging-port=0", "--disable-gpu"])
            .args(["--webrtc-ip-handling-policy=disable_non_proxied_udp", "--disable-background-networking"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let file = profile.path().join("DevToolsActivePort");
        loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some(port) = text.lines().next().and_then(|line| line.parse().ok()) {
                return Self { browser, _profile: profile, port };
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for RunningBrowser {
    fn drop(&mut self) {
        killpg(Pid::from_raw(self.browser.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
        self.browser.wait().unwrap();
    }
}

#[test]
fn a_browser_ends_with_its_crawl() {
    let folder = TempDir::new().unwrap();
    run_alone("browser_processes::crawl_subprocess", &[("TMPDIR", folder.path().to_str().unwrap())]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the previous test with a folder of its own"]
async fn crawl_subprocess() {
    let folder = std::env::temp_dir();
    let site = Site::start(pages::answer).await;
    let mut finished = renderer(limits());
    finished.render(&site.url("/vue")).await.unwrap();
    assert!(processes_in(&folder) > 2 && entries(&folder) == 1);
    drop(finished);
    assert_eq!((processes_in(&folder), entries(&folder)), (0, 0));

    let mut cancelled = renderer(limits());
    let page = site.url("/endless-loop");
    assert!(tokio::time::timeout(Duration::from_secs(3), cancelled.render(&page)).await.is_err());
    drop(cancelled);
    assert_eq!((processes_in(&folder), entries(&folder)), (0, 0));
}

#[tokio::test]
async fn a_killed_worker_leaves_no_browser() {
    let folder = TempDir::new().unwrap();
    let mut worker = Command::new(std::env::current_exe().unwrap());
    worker.args(["--exact", "browser_processes::killed_subprocess", "--ignored"]);
    let status = worker.env("TMPDIR", folder.path()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.signal(), Some(Signal::SIGABRT as i32));
    for _ in 0..100 {
        if processes_in(folder.path()) == 0 && entries(folder.path()) == 0 {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{} processes, {} profiles", processes_in(folder.path()), entries(folder.path()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the previous test, which expects its death"]
async fn killed_subprocess() {
    let site = Site::start(pages::answer).await;
    let mut renderer = renderer(limits());
    renderer.render(&site.url("/vue")).await.unwrap();
    assert!(processes_in(&std::env::temp_dir()) > 2);
    std::process::abort();
}
