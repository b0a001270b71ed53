//! String enums: the macro that declares them, and those that several slices share.

/// Declares an enum whose variants have one name in the API, the database and the code.
macro_rules! string_enum {
    ($(#[$doc:meta])* $name:ident, $field:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[serde(rename_all = "snake_case")]
        #[sqlx(type_name = "text")]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] #[sqlx(rename = $word)] $variant),+
        }

        impl $name {
            /// Every variant, in the order of the API reference.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The variant's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            fn from_str(raw: &str) -> $crate::error::Result<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == raw).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|word| word.as_str()).collect();
                    let message = format!("The '{}' field must be one of: {}", $field, known.join(", "));
                    $crate::error::Error::invalid($field, message)
                })
            }
        }
    };
}

pub(crate) use string_enum;

string_enum! {
    /// State of a conversation.
    ConversationStatus, "status" {
        /// Open.
        Active = "active",
        /// Ended by the customer or the tenant.
        Ended = "ended",
        /// Without a message for long.
        Abandoned = "abandoned",
    }
}
