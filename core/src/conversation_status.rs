//! State of a conversation, shared by the slices conversations and analytics.

use crate::stored_enum;

stored_enum! {
    /// State of a conversation.
    #[derive(Hash)]
    pub enum ConversationStatus {
        /// Open.
        Active = "active",
        /// Ended by the customer or the tenant.
        Ended = "ended",
        /// Without a message for the configured number of hours.
        Abandoned = "abandoned",
    }
}
