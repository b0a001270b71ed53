//! Integration tests of the extraction child: real process, pipes, limits and timeout.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod child;
mod confinement;
mod corpus;
mod doc;
mod documents;
mod docx;
mod file_types;
mod pdf_glyphs;
mod pdf_layout;
