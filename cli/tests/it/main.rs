//! The binary as its users run it: processes, signals, files, and real HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod backup;
mod commands;
mod eval;
mod fleet;
mod hostile;
mod process;
mod rediss;
mod storm;
mod traces;
mod up;
