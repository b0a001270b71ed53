//! SQL of `source_page`: the pages of a crawl.

mod frontier;
mod outcome;
mod text;
mod views;

pub(in crate::knowledge) use frontier::*;
pub(in crate::knowledge) use outcome::*;
pub(in crate::knowledge) use text::*;
pub(in crate::knowledge) use views::*;
