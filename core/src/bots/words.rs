//! The words that describe a bot, shared by the API, the database and the code.

use std::str::FromStr;

use crate::error::{Error, Result};

/// Makes an enum of words that the API, the database and the code share.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[serde(rename_all = "snake_case")]
        #[sqlx(type_name = "text")]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] #[sqlx(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word, in the order of the reference.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(raw: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == raw).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|word| word.as_str()).collect();
                    Error::invalid($what, format!("The '{}' field must be one of: {}", $what, known.join(", ")))
                })
            }
        }
    };
}

words! {
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

words! {
    /// What a bot speaks by default, and how its knowledge is stemmed.
    Language, "language" {
        /// English.
        English = "en",
        /// Spanish.
        Spanish = "es",
        /// French.
        French = "fr",
        /// German.
        German = "de",
        /// Italian.
        Italian = "it",
        /// Portuguese.
        Portuguese = "pt",
    }
}

words! {
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

words! {
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

words! {
    /// What a bot does when it is not sure that its knowledge answers a question.
    WhenUnsure, "when_unsure" {
        /// It tells the nearest passage that it found, and that it is not sure.
        Tell = "tell",
        /// It says that it does not know.
        Refuse = "refuse",
    }
}

impl Language {
    /// The name of Postgres's text search configuration for it.
    #[must_use]
    pub const fn text_search(self) -> &'static str {
        match self {
            Language::English => "english",
            Language::Spanish => "spanish",
            Language::French => "french",
            Language::German => "german",
            Language::Italian => "italian",
            Language::Portuguese => "portuguese",
        }
    }
}
