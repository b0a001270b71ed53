//! Why a model was not converted, and what to do about it.

use std::{io, path::PathBuf};

/// Why a model was not converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file of the source cannot be read.
    #[error(
        "cannot read {} ({source}): a model is a folder with model.safetensors, config.json, tokenizer.json, \
         tokenizer_config.json and special_tokens_map.json; fetch it again if one is missing",
        path.display()
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The target cannot be written.
    #[error("cannot write {} ({source}): check that the folder is writable and the disk has 100 MB free", path.display())]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else stands where the model should go.
    #[error("{} is there and is not a converted model: remove it, or choose another folder", path.display())]
    Occupied {
        /// Which folder.
        path: PathBuf,
    },
    /// The configuration cannot be understood.
    #[error("{} is not the configuration of a BERT model: {reason}", path.display())]
    Config {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model is of another kind.
    #[error(
        "{} says {field} = {found:?}, and only {supported:?} is supported: use a BERT encoder such as all-MiniLM-L6-v2, \
         or a model that is in ONNX format already",
        path.display()
    )]
    Unsupported {
        /// Which file.
        path: PathBuf,
        /// The field that tells.
        field: &'static str,
        /// Its value.
        found: String,
        /// The value that we know.
        supported: &'static str,
    },
    /// The weights do not fit the configuration, or are broken.
    #[error("{}: {reason}; fetch the file again, with the config.json of the same model", path.display())]
    Weights {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A packed model is of another kind or cut short.
    #[error("{} is not a packed model that can be read: {reason}; fetch it again", path.display())]
    Packed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the tokenizer cannot be written as JSON.
    #[error("the tokenizer of the model cannot be written as JSON")]
    Encode {
        /// What serde said.
        source: serde_json::Error,
    },
}
