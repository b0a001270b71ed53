//! SQL of the tables `conversation`, `message`, `answer_trace` and `knowledge_gap`. Private to the slice.

mod conversations;
mod gaps;
mod messages;
mod turns;

pub(super) use conversations::*;
pub(super) use gaps::*;
pub(super) use messages::*;
pub(super) use turns::*;
