//! Limit of open files of the process. Each connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// File descriptors reserved for databases, models, uploads and child processes.
const RESERVED: u64 = 256;

/// Raises the limit as far as the system permits. Returns the number of connections that it allows.
///
/// Many systems start processes with a soft limit of 1,024. One client could exhaust it, and then the process could
/// open no database connection.
pub(super) fn connections_allowed() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, hard)| {
        let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        if raised.is_ok() { hard } else { soft }
    });
    let limit = limit
        .map_or(usize::MAX, |limit| usize::try_from(limit.saturating_sub(RESERVED)).unwrap_or(usize::MAX));
    limit.max(1)
}
