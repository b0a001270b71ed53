//! The private Postgres: one cluster, and one role that owns one database.
//!
//! It listens on the loopback interface and has a random password.
//!
//! The role is not a superuser, so row-level security works as in production; it may create databases and
//! roles. The superuser cannot log in. pgvector, which only a superuser may install, is in the template of
//! all databases.

mod memory;
mod setup;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, Result,
    servers::{
        data_dir::{DataDir, Log},
        guard::{self, Guard},
        launch::Launch,
        running::Server,
    },
};

const NAME: &str = "PostgreSQL";
const MAJOR: &str = "18";

/// Long, since a killed server may have to replay much WAL.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// Sessions of a killed server take a moment to notice, and hold its shared memory until then.
const SHARED_MEMORY_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything needed to start and restart the cluster.
#[derive(Debug)]
pub(super) struct Postgres {
    bin: PathBuf,
    cluster: PathBuf,
    password: String,
    log: Log,
    ephemeral: bool,
}

impl Server for Postgres {
    const NAME: &str = NAME;

    fn url(&self, port: u16) -> String {
        format!("postgres://parlance:{}@127.0.0.1:{port}/parlance", self.password)
    }

    fn start(&self, data: &DataDir, port: u16) -> Result<Guard> {
        let deadline = Instant::now() + SHARED_MEMORY_TIMEOUT;
        loop {
            match self.launch(data, port) {
                Err(Error::NotStarted { lines, .. })
                    if lines.contains("pre-existing shared memory block") && Instant::now() < deadline =>
                {
                    thread::sleep(Duration::from_millis(100));
                }
                other => return other,
            }
        }
    }
}

impl Postgres {
    /// Creates the cluster if necessary, or recovers one whose owner was killed.
    pub(super) fn prepare(bin: PathBuf, data: &DataDir, ephemeral: bool) -> Result<Self> {
        let (password, is_new) = data.password("postgres")?;
        let (cluster, log) = (data.server_folder("postgres"), data.log("postgres")?);
        let this = Self { bin, cluster, password, log, ephemeral };
        match fs::read_to_string(this.cluster.join("PG_VERSION")) {
            Ok(found) if found.trim() == MAJOR => {
                this.stop_leftover(data)?;
                if is_new {
                    this.single_user(
                        data,
                        &this.cluster,
                        &format!("alter role parlance password '{}'", this.password),
                    )?;
                }
            }
            Ok(found) => {
                return Err(Error::OtherVersion {
                    cluster: this.cluster,
                    found: found.trim().to_owned(),
                    expected: MAJOR,
                });
            }
            Err(_) => this.create(data)?,
        }
        this.write_hba()?;
        Ok(this)
    }

    fn launch(&self, data: &DataDir, port: u16) -> Result<Guard> {
        let mut command: Vec<OsString> =
            vec![self.program("postgres").into(), "-D".into(), self.cluster.clone().into()];
        let port_setting = format!("port={port}");
        let mut set =
            |settings: &[&str]| command.extend(settings.iter().flat_map(|one| ["-c".into(), one.into()]));
        set(&[
            &port_setting,
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "max_logical_replication_workers=0",
        ]);
        // Compiling a plan takes longer than running any of our statements.
        set(&["jit=off", "log_checkpoints=off"]);
        if self.ephemeral {
            set(&[
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "wal_level=minimal",
                "max_wal_senders=0",
            ]);
        } else {
            let buffers = format!("shared_buffers={}MB", memory::shared_buffers());
            set(&[buffers.as_str()]);
        }
        let launch =
            Launch { server: NAME, command, signal: "INT", folder: &self.cluster, log: &self.log, port };
        launch.start(data, READY_WITHIN, || self.is_ready(port))
    }

    /// Reads the pid file, which only the server of our cluster writes and which states its readiness. An
    /// open port could belong to any process.
    fn is_ready(&self, port: u16) -> bool {
        let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        lines.get(3).is_some_and(|line| *line == port.to_string())
            && lines.get(7).is_some_and(|line| *line == "ready")
    }

    /// Stops a server that still has our cluster, and removes its pid file. We hold the folder's lock, so its
    /// owner is gone: it is shutting down, or its supervisor was killed too. A pid file of a dead or
    /// unrelated process would keep Postgres from starting.
    fn stop_leftover(&self, data: &DataDir) -> Result<()> {
        let Ok(text) = fs::read_to_string(self.pid_file()) else {
            return Ok(());
        };
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
        if pid.is_some_and(|pid| self.is_server(pid)) {
            tracing::info!("waiting for the PostgreSQL server of an earlier run to stop");
            for mode in ["fast", "immediate"] {
                let mut stop = guard::command(&self.program("pg_ctl"), data.account(), &self.cluster);
                stop.args(["stop", "-w", "-t", "15", "-m", mode, "-D"]).arg(&self.cluster);
                stop.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                if stop.status().is_ok_and(|status| status.success())
                    || !pid.is_some_and(|pid| self.is_server(pid))
                {
                    break;
                }
            }
        }
        match fs::remove_file(self.pid_file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.pid_file())(error))
            }
            _ => Ok(()),
        }
    }

    /// Whether this process is a server of our cluster: its command line contains the folder.
    fn is_server(&self, pid: u32) -> bool {
        let cluster = self.cluster.to_string_lossy();
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_else(|_| {
            if Path::new("/proc/self").exists() {
                return Vec::new();
            }
            let ps =
                std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
            ps.map(|output| output.stdout).unwrap_or_default()
        });
        String::from_utf8_lossy(&line).contains(&*cluster)
    }

    fn pid_file(&self) -> PathBuf {
        self.cluster.join("postmaster.pid")
    }

    fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}
