//! Limit of open files of the process. Each connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Files that are kept for databases, models, uploads and child processes; half of a limit below twice as many.
const RESERVED: u64 = 256;

/// Largest limit that macOS accepts where the hard limit is infinite (`OPEN_MAX`).
const OPEN_MAX: u64 = 10_240;

/// Raises the limit as far as the system permits. Returns the number of connections that it allows.
///
/// Many systems start processes with a soft limit of 1,024. One client could exhaust it, and then the process could
/// open no database connection.
pub(super) fn connections_allowed() -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return usize::MAX };
    let higher = [hard, hard.min(OPEN_MAX).max(soft)];
    let raised = higher.into_iter().find(|limit| setrlimit(Resource::RLIMIT_NOFILE, *limit, hard).is_ok());
    left_for_connections(raised.unwrap_or(soft))
}

fn left_for_connections(limit: u64) -> usize {
    let left = limit - RESERVED.min(limit / 2);
    usize::try_from(left).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_leaves_half_for_connections() {
        for (limit, connections) in [(1, 1), (256, 128), (512, 256), (1024, 768), (10_240, 9_984)] {
            assert_eq!(left_for_connections(limit), connections, "{limit}");
        }
    }
}
