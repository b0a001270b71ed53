//! Enums of a bot's settings.

use crate::stored_enum;

stored_enum! {
    /// The channel a bot serves.
    #[derive(Hash)]
    pub enum Channel {
        /// A chat window on a web site.
        Webchat = "webchat",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Telegram.
        Telegram = "telegram",
        /// Facebook Messenger.
        Messenger = "messenger",
        /// Slack.
        Slack = "slack",
        /// E-mail.
        Email = "email",
        /// The tenant's own program.
        Api = "api",
    }
}

stored_enum! {
    /// The tone of a bot.
    pub enum Personality {
        /// Matter-of-fact.
        Professional = "professional",
        /// Warm.
        Friendly = "friendly",
        /// Eager to help.
        Helpful = "helpful",
        /// In depth.
        Expert = "expert",
        /// Lively.
        Enthusiastic = "enthusiastic",
    }
}

stored_enum! {
    /// The purpose of a bot.
    pub enum Role {
        /// Customers' questions.
        CustomerSupport = "customer_support",
        /// Buyers' questions.
        Sales = "sales",
        /// Technical questions.
        TechnicalSupport = "technical_support",
        /// Any questions.
        GeneralAssistant = "general_assistant",
        /// Finding buyers.
        LeadGeneration = "lead_generation",
        /// Making appointments.
        AppointmentBooking = "appointment_booking",
    }
}

stored_enum! {
    /// A bot's behaviour when it is not sure that its knowledge answers a question.
    #[derive(Default)]
    pub enum WhenUnsure {
        /// Answers tentatively, with the nearest passage.
        #[default]
        Tell = "tell",
        /// States that it has no answer.
        Refuse = "refuse",
    }
}
