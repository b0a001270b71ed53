//! Tests of the child's sandbox. Linux only: other systems offer fewer restrictions.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use parlance_extract::protocol::{ADDRESS_SPACE, CPU_SECONDS};

use crate::child::{example, start};

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn limits_of(process: &str) -> String {
    std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default()
}

fn limit(limits: &str, name: &str) -> Vec<String> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

#[test]
fn nothing_can_be_opened_started_or_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = Command::new(example("confined")).arg(port).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n", "{output:?}");
}

#[test]
fn limits_hold_before_a_byte_is_read() {
    let mut child = start();
    let process = child.id().to_string();
    wait_for("the child is limited", || limit(&limits_of(&process), "Max open files") == ["0", "0"]);
    let limits = limits_of(&process);
    for (name, most) in [
        ("Max address space", ADDRESS_SPACE),
        ("Max cpu time", CPU_SECONDS),
        ("Max core file size", 0),
        ("Max file size", 0),
    ] {
        assert_eq!(limit(&limits, name), [most.to_string(), most.to_string()], "{name}");
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn inherited_descriptors_are_closed() {
    // The shell opens these descriptors without close-on-exec.
    let script = "exec 7</dev/null 9<&0; exec \"$0\" 9";
    let output = Command::new("sh").args(["-c", script]).arg(example("confined")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n", "{output:?}");
}

#[test]
fn the_child_dies_with_its_parent() {
    let mut parent = Command::new("sh")
        .args(["-c", "exec 3<&0; \"$0\" <&3 & echo $!; wait"])
        .arg(example("child"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The child keeps reading as long as this pipe is open.
    let mut input = parent.stdin.take().unwrap();
    input.write_all(b"{}\nwords").unwrap();
    let mut child = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut child).unwrap();
    let child = child.trim();
    wait_for("the child is limited", || limit(&limits_of(child), "Max open files") == ["0", "0"]);
    parent.kill().unwrap();
    parent.wait().unwrap();
    let gone = || {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        // The adopting process may leave it a zombie for a while.
        stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['Z', 'X']))
    };
    wait_for("the child is gone", gone);
    drop(input);
}
