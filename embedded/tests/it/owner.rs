//! A process that owns servers or fetches parts, to be killed or raced by the tests: this test
//! binary again, told on its standard input what to be.

use std::{
    fs,
    io::{BufRead, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use parlance_embedded::{Options, Servers, default_cache_dir, parts::Parts};

/// Starts the servers of a data folder in a process of its own; the URLs are given when they are
/// ready. Killing the child is killing their owner.
pub(crate) fn of_servers(data: &Path, ephemeral: bool) -> (Child, Vec<String>) {
    let ready = data.with_added_extension("ready");
    let child = spawn(&[
        if ephemeral { "ephemeral" } else { "servers" },
        data.to_str().unwrap(),
        ready.to_str().unwrap(),
    ]);
    (child, wait_for(&ready))
}

/// Fetches Redis from a made-up wheel in a process of its own.
pub(crate) fn of_redis(cache: &Path, requirements: &Path, pip: &Path, ready: &Path) -> Child {
    let words = ["redis", cache.to_str().unwrap(), requirements.to_str().unwrap(), pip.to_str().unwrap()];
    spawn(&[&words[..], &[ready.to_str().unwrap()]].concat())
}

pub(crate) fn wait_for(file: &Path) -> Vec<String> {
    let began = Instant::now();
    while !file.exists() {
        assert!(began.elapsed() < Duration::from_secs(300), "{} did not come", file.display());
        thread::sleep(Duration::from_millis(10));
    }
    let lines = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    fs::remove_file(file).unwrap();
    lines
}

fn spawn(words: &[&str]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "owner::process", "--ignored", "--nocapture"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", words.join("\t")).unwrap();
    child
}

#[test]
#[ignore = "run by other tests as a process of its own"]
fn process() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    let words: Vec<_> = line.trim_end().split('\t').collect();
    match words[..] {
        [kind @ ("servers" | "ephemeral"), data, ready] => {
            let servers = Servers::start_blocking(Options {
                data_dir: PathBuf::from(data),
                cache_dir: default_cache_dir(),
                postgres: true,
                redis: true,
                model: None,
                onnxruntime: false,
                ephemeral: kind == "ephemeral",
            })
            .unwrap();
            tell(ready, &format!("{}\n{}", servers.database_url().unwrap(), servers.redis_url().unwrap()));
            thread::sleep(Duration::from_secs(600));
        }
        ["redis", cache, requirements, pip, ready] => {
            let parts = Parts::new(Path::new(cache)).without_search_path();
            let parts = parts.with_pip(vec![vec!["/bin/sh".into(), pip.into()]]);
            let parts = parts.with_requirements(&fs::read_to_string(requirements).unwrap());
            let program = parts.redis_server().unwrap();
            tell(ready, program.to_str().unwrap());
        }
        _ => panic!("told nothing: {line:?}"),
    }
}

fn tell(file: &str, text: &str) {
    let partial = format!("{file}.partial");
    fs::write(&partial, text).unwrap();
    fs::rename(partial, file).unwrap();
}
