//! What the system knows about a process. Linux only, as its figures are.

use std::fs;

use anyhow::Context as _;

/// Clock ticks in a second, as `/proc` counts them on every Linux.
const TICKS: f64 = 100.0;

/// Memory of a process, in MB (millions of bytes).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: f64,
    /// The most that ever was resident.
    pub(crate) peak: f64,
    /// The part of `resident` that belongs to the process alone.
    pub(crate) anonymous: f64,
    /// The part of `resident` that is files: the program, its libraries and what it maps.
    pub(crate) files: f64,
}

pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
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

/// Makes the system forget the peak so far; false when it does not let us.
pub(crate) fn forget_peak(pid: u32) -> bool {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
}

/// The CPU time of all threads of this process, in seconds.
pub(crate) fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("no /proc/self/stat")?;
    ticks(&stat).map(|ticks| ticks / TICKS).context("/proc/self/stat cannot be read")
}

/// The name of the CPU.
pub(crate) fn cpu_name() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = about.lines().find(|line| line.starts_with("model name"));
    named.and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name.trim()).to_owned()
}

/// The memory of the machine, in MB.
pub(crate) fn machine_memory() -> f64 {
    let about = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kibibytes(&about, "MemTotal").unwrap_or(f64::NAN) * 1024.0 / 1e6
}

/// How many threads wanted a core, on average over the last minute.
pub(crate) fn load() -> f64 {
    let about = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    about.split_ascii_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

fn kibibytes(table: &str, name: &str) -> Option<f64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// User and system time: the 14th and 15th fields, the second of which may hold spaces.
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
    fn a_field_of_a_table_is_found_by_its_whole_name() {
        let table = "VmRSSX:\t 1 kB\nVmRSS:\t  2048 kB\n";
        assert_eq!(kibibytes(table, "VmRSS"), Some(2048.0));
        assert_eq!(kibibytes(table, "RssAnon"), None);
    }

    #[test]
    fn the_ticks_of_a_process_with_an_odd_name_are_found() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 99 0 0 0 120 30 0 0 20 0 1 0 278375 3133440 412";
        assert_eq!(ticks(stat), Some(150.0));
    }

    #[test]
    fn this_process_has_memory_and_a_past() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.resident > 0.0 && memory.peak >= memory.anonymous);
        assert!(cpu_seconds().unwrap() >= 0.0);
    }
}
