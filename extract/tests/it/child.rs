//! Test driver that runs the child the way a parent process does.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use parlance_extract::protocol::{
    Document, MAX_REPLY_BYTES, REPLY_TIMEOUT, Rejection, Reply, Request, verdict_for_exit,
};

/// Result of a child run.
pub(crate) struct ChildRun {
    pub(crate) reply: Result<Document, Rejection>,
    pub(crate) took: Duration,
    /// Peak resident memory observed, in KiB.
    pub(crate) resident: u64,
}

/// Path of an example binary, which `cargo test` builds next to this test.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().with_file_name("examples").join(name);
    assert!(path.exists(), "{} is not built: run all targets of this package", path.display());
    path
}

/// Starts the child.
pub(crate) fn start() -> Child {
    let mut command = Command::new(example("child"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Extracts a file in a child process.
pub(crate) fn extract(request: &Request, bytes: &[u8]) -> ChildRun {
    let began = Instant::now();
    let mut child = start();
    let mut input = child.stdin.take().unwrap();
    let output = child.stdout.take().unwrap();
    let mut written = serde_json::to_vec(request).unwrap();
    written.push(b'\n');
    written.extend_from_slice(bytes);
    // Writing fails if the child exits before reading everything.
    let writer = std::thread::spawn(move || drop(input.write_all(&written)));
    let (send, receive) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut reply = Vec::new();
        let _ = output.take(MAX_REPLY_BYTES as u64 + 1).read_to_end(&mut reply);
        let _ = send.send(reply);
    });
    let mut resident = 0;
    let reply = loop {
        resident = resident.max(high_water(child.id()));
        match receive.recv_timeout(Duration::from_millis(5)) {
            Ok(reply) => break Some(reply),
            Err(_) if began.elapsed() > REPLY_TIMEOUT => break None,
            Err(_) => {}
        }
    };
    if reply.is_none() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    writer.join().unwrap();
    reader.join().unwrap();
    let reply = match reply.as_deref().map(serde_json::from_slice) {
        Some(Ok(Reply::Document(document))) => Ok(document),
        Some(Ok(Reply::Rejected(rejection))) => Err(rejection),
        _ => Err(verdict_for_exit(status.signal(), status.code(), reply.is_none())),
    };
    ChildRun { reply, took: began.elapsed(), resident }
}

/// Peak resident memory of a process, in KiB; 0 where `/proc` is missing.
fn high_water(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or_default()
}
