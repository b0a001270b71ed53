//! Enums of a bot's settings, shared by the API, the database and the code.

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
    /// Channel of a bot.
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
        /// The tenant's own application.
        Api = "api",
    }
}

words! {
    /// Default language of a bot, also used to stem its knowledge.
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
    /// Tone of a bot.
    Personality, "personality" {
        /// Businesslike.
        Professional = "professional",
        /// Warm.
        Friendly = "friendly",
        /// Supportive.
        Helpful = "helpful",
        /// In-depth.
        Expert = "expert",
        /// Lively.
        Enthusiastic = "enthusiastic",
    }
}

words! {
    /// Purpose of a bot.
    Role, "bot_role" {
        /// Customer support.
        CustomerSupport = "customer_support",
        /// Sales.
        Sales = "sales",
        /// Technical support.
        TechnicalSupport = "technical_support",
        /// General assistance.
        GeneralAssistant = "general_assistant",
        /// Lead generation.
        LeadGeneration = "lead_generation",
        /// Appointment booking.
        AppointmentBooking = "appointment_booking",
    }
}

words! {
    /// Behaviour of a bot that is not sure whether its knowledge answers a question.
    WhenUnsure, "when_unsure" {
        /// Gives the closest passage and says that it is not sure.
        Tell = "tell",
        /// Says that it does not know.
        Refuse = "refuse",
    }
}

impl Language {
    /// Name of the language's Postgres text search configuration.
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
