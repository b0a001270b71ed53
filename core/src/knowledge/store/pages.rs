//! SQL of `source_page`: the pages of a crawl.

mod frontier;
mod outcome;
mod shown;
mod text;

pub(in crate::knowledge) use frontier::*;
pub(in crate::knowledge) use outcome::*;
pub(in crate::knowledge) use shown::*;
pub(in crate::knowledge) use text::*;
