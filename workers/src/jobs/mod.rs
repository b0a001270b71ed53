//! What each kind of job does, step by step.

pub(crate) mod chunk;
pub(crate) mod embed;
pub(crate) mod purge;
pub(crate) mod upload;
