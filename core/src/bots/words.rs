//! The words that describe a bot, shared by the API, the database and the code.

use crate::enums::string_enum;

string_enum! {
    /// Where a bot talks.
    Channel, "channel_type" {
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
        /// A program of the tenant's.
        Api = "api",
    }
}

string_enum! {
    /// How a bot speaks.
    Personality, "personality" {
        /// Matter-of-fact.
        Professional = "professional",
        /// Warm.
        Friendly = "friendly",
        /// Eager to help.
        Helpful = "helpful",
        /// Deep.
        Expert = "expert",
        /// Lively.
        Enthusiastic = "enthusiastic",
    }
}

string_enum! {
    /// What a bot is for.
    Role, "bot_role" {
        /// Customers' questions.
        CustomerSupport = "customer_support",
        /// Buyers' questions.
        Sales = "sales",
        /// Technical questions.
        TechnicalSupport = "technical_support",
        /// Anything.
        GeneralAssistant = "general_assistant",
        /// Finding buyers.
        LeadGeneration = "lead_generation",
        /// Making appointments.
        AppointmentBooking = "appointment_booking",
    }
}

string_enum! {
    /// What a bot does when it is not sure that its knowledge answers a question.
    WhenUnsure, "when_unsure" {
        /// It tells the nearest passage that it found, and that it is not sure.
        Tell = "tell",
        /// It says that it does not know.
        Refuse = "refuse",
    }
}
