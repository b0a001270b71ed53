//! SQL of the tables `source`, `source_version` and `chunk`. Private to the slice.

mod chunks;
mod removal;
mod search;
mod shown;
mod sources;
mod versions;

pub(super) use chunks::*;
pub(super) use removal::*;
pub(super) use search::*;
pub(super) use shown::*;
pub(super) use sources::*;
pub(super) use versions::*;
