//! How much of the machine's memory Postgres keeps pages in.

use std::fs;

/// In megabytes: a quarter of the memory, as its manual advises, and no more than the graph and the vectors of a
/// million chunks fill. Pages are taken when they are first used.
pub(super) fn shared_buffers() -> u64 {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    (usable(&read("/proc/meminfo"), &read("/sys/fs/cgroup/memory.max")) / 4).clamp(128, 4096)
}

/// Megabytes that the machine has, or the container may use; 2,048 where neither is told.
fn usable(meminfo: &str, most: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let total =
        total.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok()).map(|kilobytes| kilobytes >> 10);
    let most = most.trim().parse::<u64>().ok().map(|bytes| bytes >> 20);
    total.into_iter().chain(most).min().unwrap_or(2048)
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn the_container_counts_when_it_is_smaller_than_the_machine() {
        let meminfo = "MemTotal:       24580000 kB\nMemFree:  1 kB\n";
        assert_eq!(usable(meminfo, "max\n"), 24003);
        assert_eq!(usable(meminfo, "1073741824\n"), 1024);
        assert_eq!(usable("", ""), 2048);
    }
}
