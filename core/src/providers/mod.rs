//! The outside world, each part behind a trait. Providers know no slice.

pub mod absent;
pub mod blob;
pub mod chat;
pub mod embed;
pub mod extract;
mod onnx;
pub mod rerank;
pub(crate) mod web;
