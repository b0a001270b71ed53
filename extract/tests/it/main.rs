//! The child as it runs: over pipes, limited, with the wall clock of its parent.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod child;
mod confinement;
mod corpus;
mod documents;
