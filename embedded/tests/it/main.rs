//! The embedded parts and servers, from outside: one binary, so that it links once.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod model;
mod owner;
mod parts;
mod servers;
