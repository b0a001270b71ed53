//! Text prefixes of embedding models trained to distinguish queries from passages.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::error::Result;
use crate::providers::onnx::failed;

/// File in a model's folder that declares its prefixes.
const FILE: &str = "parlance.json";

/// Prefixes of queries and passages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Prefixes {
    #[serde(default, rename = "query_prefix")]
    query: String,
    #[serde(default, rename = "passage_prefix")]
    passage: String,
}

impl Prefixes {
    /// Reads the prefixes from a model's folder. No file means no prefixes.
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub(super) fn of_folder(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let cannot_read = format!("cannot read {}", path.display());
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(&cannot_read, error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(failed(&cannot_read, error)),
        }
    }

    /// Prefixes of a catalogue model. The whole e5 family was trained with these.
    pub(super) fn of_catalogue(name: &str) -> Self {
        if name.to_ascii_lowercase().contains("e5") {
            return Self { query: "query: ".to_owned(), passage: "passage: ".to_owned() };
        }
        Self::default()
    }

    /// Prefixes a question.
    pub(super) fn query(&self, text: String) -> String {
        with(&self.query, text)
    }

    /// Prefixes a passage or a sentence of one.
    pub(super) fn passage(&self, text: String) -> String {
        with(&self.passage, text)
    }
}

fn with(prefix: &str, text: String) -> String {
    if prefix.is_empty() { text } else { format!("{prefix}{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_a_folder_are_read_or_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Prefixes::of_folder(folder.path()).unwrap(), Prefixes::default());
        std::fs::write(folder.path().join(FILE), r#"{"query_prefix": "q: ", "threshold": 1}"#).unwrap();
        let prefixes = Prefixes::of_folder(folder.path()).unwrap();
        assert_eq!(prefixes.query("Why?".to_owned()), "q: Why?");
        assert_eq!(prefixes.passage("So.".to_owned()), "So.");
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        let error = Prefixes::of_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains(FILE), "{error}");
    }

    #[test]
    fn catalogue_models_of_the_e5_family_have_prefixes() {
        let text = || "text".to_owned();
        let of = Prefixes::of_catalogue;
        assert_eq!(of("intfloat/multilingual-e5-base").passage(text()), "passage: text");
        assert_eq!(of("Qdrant/all-MiniLM-L6-v2-onnx").query(text()), "text");
    }
}
