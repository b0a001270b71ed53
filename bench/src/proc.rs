//! Process and machine statistics from `/proc`, on Linux only.

use std::fs;

use anyhow::Context as _;

/// Clock ticks per second in `/proc`, on every Linux.
const TICKS: f64 = 100.0;

/// Memory of a process, in MB (millions of bytes).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Currently resident.
    pub(crate) resident: f64,
    /// The maximum of `resident` so far.
    pub(crate) peak: f64,
    /// The anonymous part of `resident`.
    pub(crate) anonymous: f64,
    /// The file-backed part of `resident`: the program, its libraries and mapped files.
    pub(crate) files: f64,
}

pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process has exited")?;
    let field = |name: &str| {
        kibibytes(&status, name).map(|kib| kib * 1024.0 / 1e6).with_context(|| format!("no {name} in status"))
    };
    Ok(Memory {
        resident: field("VmRSS")?,
        peak: field("VmHWM")?,
        anonymous: field("RssAnon")?,
        files: field("RssFile")?,
    })
}

/// Resets the peak; false if the system does not permit it.
pub(crate) fn reset_peak(pid: u32) -> bool {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
}

/// CPU time of all threads of this process, in seconds.
pub(crate) fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("no /proc/self/stat")?;
    ticks(&stat).map(|ticks| ticks / TICKS).context("cannot parse /proc/self/stat")
}

/// The model name of the CPU.
pub(crate) fn cpu_name() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = cpuinfo.lines().find(|line| line.starts_with("model name"));
    named.and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name.trim()).to_owned()
}

/// The machine's memory, in MB.
pub(crate) fn machine_memory() -> f64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kibibytes(&meminfo, "MemTotal").unwrap_or(f64::NAN) * 1024.0 / 1e6
}

/// The load average of the last minute.
pub(crate) fn load() -> f64 {
    let loadavg = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    loadavg.split_ascii_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

fn kibibytes(table: &str, name: &str) -> Option<f64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// User and system time: the 14th and 15th fields. The second field, the name, may contain spaces.
fn ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_match_by_their_whole_name() {
        let table = "VmRSSX:\t 1 kB\nVmRSS:\t  2048 kB\n";
        assert_eq!(kibibytes(table, "VmRSS"), Some(2048.0));
        assert_eq!(kibibytes(table, "RssAnon"), None);
    }

    #[test]
    fn ticks_are_parsed_despite_an_odd_process_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 99 0 0 0 120 30 0 0 20 0 1 0 278375 3133440 412";
        assert_eq!(ticks(stat), Some(150.0));
    }

    #[test]
    fn this_process_has_memory_and_cpu_time() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.resident > 0.0 && memory.peak >= memory.anonymous);
        assert!(cpu_seconds().unwrap() >= 0.0);
    }
}
