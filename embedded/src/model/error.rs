//! Errors of model conversion; each message states the remedy.

use std::{io, path::PathBuf};

/// Reasons why a model was not converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A source file cannot be read.
    #[error(
        "cannot read {} ({source}): a model is a folder with model.safetensors, config.json, tokenizer.json, \
         tokenizer_config.json and special_tokens_map.json; fetch it again if one is missing",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The target cannot be written.
    #[error("cannot write {} ({source}): check that the folder is writable and the disk has 100 MB free", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The target exists and is not a converted model.
    #[error("{} exists and is not a converted model: remove it, or choose another folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The configuration cannot be parsed or is invalid.
    #[error("{} is not the configuration of a BERT model: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The architecture is not supported.
    #[error(
        "{} has {field} = {found:?}, and only {supported:?} is supported: use a BERT encoder such as all-MiniLM-L6-v2, \
         or a model that is already in ONNX format",
        path.display()
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The unsupported field.
        field: &'static str,
        /// Its value.
        found: String,
        /// The supported value.
        supported: &'static str,
    },
    /// The weights do not fit the configuration, or the file is corrupt.
    #[error("{}: {reason}; fetch the file again, with the config.json of the same model", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The packed model has another format or is truncated.
    #[error("{} is not a readable packed model: {reason}; fetch it again", path.display())]
    Packed {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A tokenizer file cannot be encoded.
    #[error("the model's tokenizer cannot be encoded as JSON")]
    Encode {
        /// The cause.
        source: serde_json::Error,
    },
}
