//! Size of Postgres' `shared_buffers`, from the memory of the machine.

use std::fs;

/// In megabytes: a quarter of the memory, as the PostgreSQL manual recommends, capped at the size of the
/// graph and vectors of a million chunks. Pages are allocated on first use.
pub(super) fn shared_buffers() -> u64 {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    (usable(&read("/proc/meminfo"), &read("/sys/fs/cgroup/memory.max")) / 4).clamp(128, 4096)
}

/// Megabytes available to the machine or the container; 2,048 if unknown.
fn usable(meminfo: &str, limit: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let total =
        total.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok()).map(|kilobytes| kilobytes >> 10);
    let limit = limit.trim().parse::<u64>().ok().map(|bytes| bytes >> 20);
    total.into_iter().chain(limit).min().unwrap_or(2048)
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn the_container_limit_counts_when_it_is_smaller() {
        let meminfo = "MemTotal:       24580000 kB\nMemFree:  1 kB\n";
        assert_eq!(usable(meminfo, "max\n"), 24003);
        assert_eq!(usable(meminfo, "1073741824\n"), 1024);
        assert_eq!(usable("", ""), 2048);
    }
}
