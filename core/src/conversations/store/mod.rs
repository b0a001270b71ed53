//! Queries on the tables of `conversations`: `conversation`, `message`, `answer_trace`, `knowledge_gap`.

mod conversations;
mod gaps;
mod messages;
mod turns;

pub(super) use conversations::*;
pub(super) use gaps::*;
pub(super) use messages::*;
pub(super) use turns::*;
