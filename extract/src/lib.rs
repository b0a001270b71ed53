//! Files and web pages become text, headings, lists and tables kept as Markdown.
//!
//! The parsers meet bytes that a stranger chose, and no parser survives them all. So they run in a
//! child process: the parent writes a request and the bytes to its standard input and reads one
//! reply, both as [`protocol`] says. That module is all that a parent compiles; the feature
//! `parsers` adds what the child runs, and `corpus` the files that the tests throw at it.

pub mod protocol;

#[cfg(feature = "parsers")]
pub mod child;
#[cfg(feature = "parsers")]
pub mod limits;
#[cfg(feature = "parsers")]
mod parse;
#[cfg(feature = "parsers")]
pub use parse::parse;

#[cfg(feature = "corpus")]
pub mod corpus;
