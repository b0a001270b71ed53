//! Starts a server process and waits until it is ready; reports why it is not.

use std::{
    ffi::OsString,
    path::Path,
    process::ExitStatus,
    thread,
    time::{Duration, Instant},
};

use super::{
    data_dir::{DataDir, Log},
    guard::Guard,
};
use crate::{Error, Result};

/// A server to start.
pub(super) struct Launch<'a> {
    pub(super) server: &'static str,
    pub(super) command: Vec<OsString>,
    /// The signal for a graceful stop.
    pub(super) signal: &'static str,
    pub(super) folder: &'a Path,
    pub(super) log: &'a Log,
    pub(super) port: u16,
}

impl Launch<'_> {
    /// Starts the server and waits until `ready` returns true.
    pub(super) fn start(&self, data: &DataDir, within: Duration, ready: impl Fn() -> bool) -> Result<Guard> {
        let (log, length) = self.log.open()?;
        let started = Instant::now();
        let mut guard = Guard::start(&self.command, self.signal, data.account(), self.folder, log)
            .map_err(Error::io("run", Path::new("/bin/sh")))?;
        loop {
            if ready() {
                tracing::debug!(took = ?started.elapsed(), port = self.port, "{} ready", self.server);
                return Ok(guard);
            }
            if let Some(status) = guard.try_wait().map_err(Error::io("wait for", Path::new("/bin/sh")))? {
                return Err(self.not_started(&exit_reason(status), length));
            }
            if started.elapsed() > within {
                let stopped = guard.stop();
                tracing::debug!(stopped, "{} not ready in time; stopped", self.server);
                return Err(self.not_started(&format!("not ready within {} s", within.as_secs()), length));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn not_started(&self, why: &str, length: u64) -> Error {
        let lines = self.log.lines_since(length);
        if lines.contains("Address already in use") {
            return Error::PortTaken { server: self.server, port: self.port };
        }
        not_started(self.server, why, self.log, lines)
    }
}

/// The error of a server with these last log lines, which also reveal a full disk.
pub(super) fn not_started(server: &'static str, why: &str, log: &Log, lines: String) -> Error {
    if lines.contains("No space left on device") {
        return Error::DiskFull { path: log.path.clone() };
    }
    Error::NotStarted { server, why: why.to_owned(), log: log.path.clone(), lines }
}

fn exit_reason(status: ExitStatus) -> String {
    match status.code() {
        // A shell adds 128 to the number of the signal that killed its child.
        Some(code) if code > 128 => format!("killed by signal {}", code - 128),
        Some(code) => format!("exited with status {code}"),
        None => format!("its supervisor exited: {status}"),
    }
}
