//! Return of freed memory to the operating system.
//!
//! glibc keeps freed memory for later allocations of the same arena, so a process keeps its peak size. `malloc_trim`
//! returns the free pages of all arenas, including those of C++ libraries (ONNX Runtime). Another allocator would cover
//! Rust's allocations only; see docs/decisions/0051-memory-in-proportion.md.

use std::time::Duration;

/// Interval between checks of the process's size.
const PAUSE: Duration = Duration::from_secs(2);

/// Growth above the floor after which memory is returned: more than a busy process continually reuses.
const SLACK_KB: u64 = 32 * 1024;

/// Returns memory whenever the process has grown, until dropped.
pub(crate) async fn run() {
    let mut floor = u64::MAX;
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(mut resident) = resident_kb() else { return };
        if resident > floor.saturating_add(SLACK_KB) {
            let _ended = tokio::task::spawn_blocking(trim).await;
            let Some(left) = resident_kb() else { return };
            tracing::debug!(before_kb = resident, after_kb = left, "returned freed memory");
            resident = left;
            // The size after trimming is the new floor.
            floor = left;
        }
        floor = floor.min(resident);
    }
}

/// Resident size of the process, in KB; `None` where it is unavailable.
fn resident_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no crate wraps malloc_trim, which takes a number and has no preconditions")]
fn trim() {
    // SAFETY: glibc locks each arena while it trims it.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn trimming_shrinks_a_process_that_freed_memory() {
        // Small allocations; the last is kept, so that the heap cannot shrink from its end.
        let mut pieces: Vec<Box<[u8]>> = (0..1_000_000).map(|_| vec![1; 128].into()).collect();
        let last = pieces.pop();
        drop(pieces);
        let before = resident_kb().unwrap();
        trim();
        let after = resident_kb().unwrap();
        assert!(after + 64 * 1024 < before, "{before} kB before, {after} kB after");
        drop(last);
    }
}
