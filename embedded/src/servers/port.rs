//! A free port on the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

/// Below the ephemeral port ranges (from 32768 on Linux, from 49152 on macOS). A port in those could be taken
/// by any client after the server stops, and a client that keeps retrying a stopped server can even connect
/// to itself.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A port that was free at the time of the check; callers retry if it is taken.
pub(super) fn free() -> u16 {
    let mut tries = (0..100).map(|_| rand::random_range(RANGE));
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    tries.find(free).unwrap_or_else(|| rand::random_range(RANGE))
}
