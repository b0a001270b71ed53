//! Conversations, messages and answers.
//!
//! Owns the tables `conversation`, `message`, `answer_trace` and `knowledge_gap`. `retrieval` and `answering`
//! produce an answer; `turns` keeps the messages of a session in order. [`mod@extractive`], [`mod@followup`]
//! and [`mod@prompt`] are pure.

mod answer;
mod answering;
pub mod attribution;
mod checker;
pub mod citation_markers;
mod completion;
pub mod confidence;
mod conversation;
pub mod courtesy;
mod events;
mod evidence;
pub mod extractive;
pub mod facts;
pub mod followup;
mod gaps;
mod generated;
mod incoming;
mod manage;
mod message;
mod metrics;
mod passages;
mod phrases;
pub mod prompt;
mod retrieval;
mod send;
mod sentence_vectors;
pub mod splitter;
mod store;
mod trace;
mod turns;

pub use crate::conversation_status::ConversationStatus as Status;
pub use answer::{Answer, Citation, Confidence, Support, Timings};
pub use answering::preview;
pub use checker::{AnswerChecker, CheckedAnswer};
pub use completion::{Transcript, complete};
pub use conversation::{Conversation, Filter, SessionId};
pub use events::{AnswerEvent, EventSender};
pub use evidence::Evidence;
pub use gaps::{Gap, GapFilter};
pub use incoming::{
    Comment, ConversationChanges, Feedback, MessageText, Metadata, NewMessage, Opening, UserText,
};
pub(crate) use manage::purge;
pub use manage::{
    abandon_idle, check_answer, erase, get, get_session, give_feedback, list, list_gaps, open, update,
};
pub use message::{Exchange, Message, Rating, Sender};
pub use send::send;
pub use sentence_vectors::SentenceVectors;
pub use trace::{Trace, TraceCandidate, TracedAnswer, trace};
