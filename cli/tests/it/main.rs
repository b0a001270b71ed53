//! The binary as its users run it: processes, signals, files, and real HTTP.

mod commands;
mod fleet;
mod process;
mod up;
