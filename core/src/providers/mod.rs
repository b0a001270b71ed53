//! External services, each behind a trait. Providers must not depend on slices.

pub mod absent;
pub mod blob;
pub mod chat;
pub mod embed;
pub mod extract;
mod onnx;
pub mod rerank;
pub mod web;
