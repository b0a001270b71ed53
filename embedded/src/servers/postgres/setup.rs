//! Creates a cluster: the one-time setup, without a running server.

use std::{fs, io::Write, path::Path, process::Stdio, time::Instant};

use super::{NAME, Postgres};
use crate::{
    Error, Result,
    servers::{data_dir::DataDir, guard, launch::not_started},
};

/// Locales for character classes, in order of preference. With plain C, full-text search treats every quote
/// and dash outside ASCII as a letter.
const CTYPES: [&str; 4] = ["C.UTF-8", "C.utf8", "en_US.UTF-8", "C"];

impl Postgres {
    /// Creates the cluster in a temporary folder and renames it.
    pub(super) fn create(&self, data: &DataDir) -> Result<()> {
        let started = Instant::now();
        let partial = self.cluster.with_added_extension("partial");
        data.make_server_folder(&partial)?;
        self.init(data, &partial)?;
        self.single_user(
            data,
            &partial,
            &format!(
                "create extension vector\n\
                 create role parlance login createdb createrole password '{}'\n\
                 create database parlance owner parlance",
                self.password
            ),
        )?;
        if self.cluster.exists() {
            fs::remove_dir_all(&self.cluster).map_err(Error::io("remove", &self.cluster))?;
        }
        fs::rename(&partial, &self.cluster).map_err(Error::io("rename", &partial))?;
        tracing::debug!(took = ?started.elapsed(), "PostgreSQL cluster created");
        Ok(())
    }

    fn init(&self, data: &DataDir, cluster: &Path) -> Result<()> {
        let mut failed = String::new();
        for ctype in CTYPES {
            let (log, length) = self.log.open()?;
            let mut initdb = guard::command(&self.program("initdb"), data.account(), cluster);
            initdb.arg("-D").arg(cluster).args(["-U", "postgres", "-A", "trust", "-E", "UTF8"]);
            initdb.args([
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--lc-ctype",
                ctype,
            ]);
            initdb.arg("--no-instructions").args(self.ephemeral.then_some("--no-sync"));
            initdb
                .stdin(Stdio::null())
                .stdout(log.try_clone().map_err(Error::io("open", &self.log.path))?)
                .stderr(log);
            let status = initdb.status().map_err(Error::io("run", &self.program("initdb")))?;
            if status.success() {
                return Ok(());
            }
            let lines = self.log.lines_since(length);
            let unknown_locale = lines.contains("locale");
            failed = lines;
            if !unknown_locale {
                break;
            }
        }
        Err(not_started(NAME, "initdb failed", &self.log, failed))
    }

    /// Runs statements, one per line, as superuser in the template database, in single-user mode.
    pub(super) fn single_user(&self, data: &DataDir, cluster: &Path, statements: &str) -> Result<()> {
        let (program, (log, length)) = (self.program("postgres"), self.log.open()?);
        let mut single = guard::command(&program, data.account(), cluster);
        // The password has 256 random bits: stretching it would only slow every connection down.
        single.args(["--single", "-c", "scram_iterations=1", "-c", "exit_on_error=on"]);
        single.args(["-c", "log_checkpoints=off", "-c", "log_min_error_statement=panic"]);
        single.args(["-c", if self.ephemeral { "fsync=off" } else { "fsync=on" }]);
        single
            .arg("-D")
            .arg(cluster)
            .arg("template1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        let mut run = || {
            let mut child = single.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                writeln!(stdin, "{statements}")?;
            }
            child.wait()
        };
        match run() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let why = format!("setup failed: {status}");
                Err(not_started(NAME, &why, &self.log, self.log.lines_since(length)))
            }
            Err(source) => Err(Error::io("run", &program)(source)),
        }
    }

    /// Writes `pg_hba.conf` at every start, so that a new version can change it. The file keeps its owner.
    pub(super) fn write_hba(&self) -> Result<()> {
        let rules = "# Written by Parlance at every start.\n\
                     host all postgres 0.0.0.0/0 reject\n\
                     host all all 127.0.0.1/32 scram-sha-256\n";
        let path = self.cluster.join("pg_hba.conf");
        fs::write(&path, rules).map_err(Error::io("write", &path))
    }
}
