//! Integration tests of the embedded parts and servers, in one binary to link once.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod model;
mod owner;
mod parts;
mod servers;
