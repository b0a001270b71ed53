//! Text extraction from files and web pages; headings, lists and tables become Markdown.
//!
//! Parsers read untrusted bytes and may crash, so they run in a child process. The parent writes a
//! request and the file to the child's standard input and reads one reply ([`protocol`]).
//! [`file_types`] is the table of supported types. A parent compiles these two modules alone. The feature
//! `parsers` adds the child, and `corpus` adds the generated test files.

pub mod file_types;
pub mod protocol;

#[cfg(feature = "parsers")]
pub mod child;
#[cfg(feature = "parsers")]
pub mod limits;
#[cfg(feature = "parsers")]
mod parse;
#[cfg(feature = "parsers")]
pub mod recogniser;
#[cfg(feature = "parsers")]
mod render;

#[cfg(feature = "parsers")]
pub use parse::parse;

#[cfg(feature = "corpus")]
pub mod corpus;
