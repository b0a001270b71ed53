//! A free port on the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

/// Below the ports that systems give to outgoing connections (32768 and up on Linux, 49152 and up on
/// macOS). Among those a stopped server's port could be taken by any client, and a client that tries
/// again and again to reach a stopped server can even connect to itself.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A port that was free a moment ago; who is told it is taken asks again.
pub(super) fn free() -> u16 {
    let mut tries = (0..100).map(|_| rand::random_range(RANGE));
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    tries.find(free).unwrap_or_else(|| rand::random_range(RANGE))
}
