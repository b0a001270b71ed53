//! States of a conversation, shared by the conversations and their analytics.

use crate::stored_enum;

stored_enum! {
    /// State of a conversation.
    pub enum ConversationStatus {
        /// Open.
        Active = "active",
        /// Ended by the customer or the tenant.
        Ended = "ended",
        /// Without a message for long.
        Abandoned = "abandoned",
    }
}
