//! SQL of the slice's tables: sources, versions, pages, chunks and their search data. Private to the slice.

mod chunks;
mod indexes;
mod pages;
mod partitions;
mod quota;
mod removal;
mod search;
mod sources;
mod upkeep;
mod versions;
mod views;

pub(super) use chunks::*;
pub(super) use indexes::*;
pub(super) use pages::*;
pub(super) use partitions::*;
pub(super) use quota::*;
pub(super) use removal::*;
pub(super) use search::*;
pub(super) use sources::*;
pub(super) use upkeep::*;
pub(super) use versions::*;
pub(super) use views::*;
