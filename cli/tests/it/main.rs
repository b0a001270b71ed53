//! End-to-end tests of the binary: processes, signals, files and real HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod backup;
mod commands;
mod eval;
mod fleet;
mod hostile;
mod process;
mod redis_tls;
mod storm;
mod traces;
mod up;
